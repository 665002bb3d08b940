"""A gauge from Grafana Loki: the one number of a metric query, ``sum(count_over_time({app="shop"} |= "error" [1m]))``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlencode

from gameday.spi import ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.http_json import Api
from gameday_drivers.jsonpath import as_number
from gameday_drivers.numbers import read_number

STALE_SECONDS = 5.0
"""How far the time of a sample may be from the time that was asked for; Loki answers with that very time."""
_SAMPLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LokiProbe:
    """Read the number that a metric query of Grafana Loki comes to now."""

    value: str = field(metadata={"help": "the server: http://127.0.0.1:3100"})
    query: str = field(
        metadata={"help": 'a metric query with one result: sum(count_over_time({app="shop"} |= "error" [1m]))'}
    )
    absent: Literal["no-data", "zero"] = field(
        default="no-data", metadata={"help": "what no result means: Loki counts nothing where there are no lines"}
    )
    user: str = field(default="", metadata={"help": "who asks"})
    password: str = field(default="", metadata={"help": 'a secret: "${password}"'}, repr=False)
    headers: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "sent along, like X-Scope-OrgID"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "loki"

    def __post_init__(self) -> None:
        self._api().check()
        if not self.query.strip():
            raise ValueError('query is empty; write one like sum(count_over_time({app="shop"} |= "error" [1m]))')

    @property
    def timeout(self) -> float:
        """Seconds for the answer."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; none, several, or one of another time is no reading."""
        asked = time.time()
        path = "/loki/api/v1/query?" + urlencode({"query": self.query, "time": f"{asked:.3f}"})
        found = self._api().ask(world, path)
        data = found.get("data")
        if found.get("status") != "success" or not isinstance(data, dict):
            raise ProbeError(f"Loki: the query did not succeed: {found.get('status')!r:.60}")
        sample = self._sample(cast("dict[str, object]", data))
        if sample is None:
            return 0.0
        try:
            at = as_number(sample[0], "its time")
            if abs(at - asked) > STALE_SECONDS:
                raise ProbeError(f"Loki: the number is stale: of a time {abs(at - asked):.0f} s from the one asked for")
            return read_number(sample[1].encode() if isinstance(sample[1], str) else b"")
        except ValueError as error:
            raise QueryError(f"Loki: {error}") from None

    def _sample(self, data: Mapping[str, object]) -> list[object] | None:
        """Return the one pair of time and number; None for an empty answer that means zero."""
        result, kind = data.get("result"), data.get("resultType")
        if kind == "streams":
            raise QueryError("Loki: the query returns lines, not a number; write count_over_time(…) around it")
        if kind == "vector" and isinstance(result, list):
            series = cast("list[object]", result)
            if not series and self.absent == "zero":
                return None
            if not series:
                raise ProbeError("Loki: no result; where no lines mean 0, write absent: zero")
            if len(series) > 1:
                raise QueryError(f"Loki: {len(series)} results, and a gauge is one; write sum(…) around the query")
            only = series[0]
            result = cast("dict[str, object]", only).get("value") if isinstance(only, dict) else None
        pair = cast("list[object]", result) if isinstance(result, list) else []
        if len(pair) != _SAMPLE:
            raise QueryError(f"Loki: the answer is no number: {kind!r:.60}")
        return pair

    def _api(self) -> Api:
        return Api(url=self.value, headers=self.headers, user=self.user, password=self.password, timeout=self.timeout)
