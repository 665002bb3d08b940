"""Prometheus's HTTP API: queries, and what their answers hold; anything that is not a whole, good answer is an error."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from gameday.spi import DriverError, Line, ProbeError, QueryError, Source, World
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange

MOST = 16 * 1024 * 1024
"""Bytes of an answer that are read."""
MOST_SERIES = 2_000
MOST_SAMPLES = 500_000
_SHOWN = 200
_CLOCK_SECONDS = 0.05
"""A difference between two clocks below this cannot be told from the time that the answer took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One Prometheus, and until when it may take to answer."""

    source: Source
    world: World
    end: float
    """By the monotonic clock, in seconds."""

    @classmethod
    def of(cls, world: World, timeout: float, *kinds: str) -> Asking:
        """Ask the source that this world's SLI or alert names; raise ProbeError when there is none."""
        return cls(source=world.source(*(kinds or ("prometheus",))), world=world, end=time.monotonic() + timeout)

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Return the ``data`` of one answer; raise ProbeError, or QueryError when the question was wrong."""
        left = self.end - time.monotonic()
        where = f"{self.source.name} at {self.source.url}"
        if left <= 0:
            raise ProbeError(f"{where}: no whole answer in time")
        asked = Asked(method="GET", url=f"{self.source.url}{path}?{urlencode(query)}", headers=self.source.headers())
        try:
            answer = exchange(asked, timeout=left, secrets=self.world.secrets, most=MOST, ca=self.source.ca)
        except (ExchangeError, DriverError) as error:
            said = str(error).removeprefix(f"{asked.shown}: ")
            raise ProbeError(f"{where}: {said}") from None
        return self._data(where, answer.status, answer.body)

    def _data(self, where: str, status: int, body: bytes) -> Any:
        try:
            raw: Any = json.loads(body)
        except (ValueError, RecursionError):
            raw = None
        document = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        if status != 200 or document.get("status") != "success":  # noqa: PLR2004 - the only good one
            told = self.world.secrets.mask(_printable(document.get("error") or ""))
            said = f"{where}: it answers {status}" + (f": {told}" if told else ", and not as Prometheus does")
            # 400 and 422 are "bad data" and "cannot be executed"; 401, 403 and 404 do not change either.
            raise (QueryError if 400 <= status < 500 else ProbeError)(said)  # noqa: PLR2004
        self._warnings(where, document)
        if "data" not in document:
            raise ProbeError(f"{where}: its answer has no data")
        return document["data"]

    def _warnings(self, where: str, document: Mapping[str, Any]) -> None:
        """Refuse an answer that may be a part only, which is what Thanos and remote reads warn of."""
        warnings = [
            _printable(said) for said in items(document.get("warnings")) if not str(said).startswith("PromQL info")
        ]
        if warnings:
            raise ProbeError(f"{where}: its answer may lack something: {self.world.secrets.mask(warnings[0])}")

    def instant(self, expression: str, at: float | None = None) -> tuple[str, Any]:
        """Return (type, result) of an instant query, now or at a time in seconds since the epoch."""
        query = {"query": expression} | ({} if at is None else {"time": f"{at:.3f}"})
        data = self.get("/api/v1/query", query)
        if not isinstance(data, dict) or "result" not in data:
            raise ProbeError(f"{self.source.name}: its answer has no result")
        found = cast("dict[str, Any]", data)
        return str(found.get("resultType")), found["result"]

    def ranged(self, selector: str, from_wall: float, to_wall: float) -> list[Line]:
        """Return the raw samples of each series that a selector selects, at the times at which they were taken."""
        seconds = max(1, math.ceil(to_wall - from_wall))
        kind, result = self.instant(f"{selector}[{seconds}s]", to_wall)
        if kind != "matrix":
            raise QueryError(f"{self.source.name}: {selector} is no counter")
        rows = items(result)
        if len(rows) > MOST_SERIES or sum(len(items(member(row, "values"))) for row in rows) > MOST_SAMPLES:
            raise QueryError(f"{self.source.name}: {selector} selects too much ({len(rows)} series); narrow it")
        return [self._line(row, selector) for row in rows]

    def _line(self, row: Any, selector: str) -> Line:
        try:
            labels = {str(key): str(value) for key, value in row["metric"].items()}
            samples = [(float(at), float(text)) for at, text in row["values"]]
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ProbeError(f"{self.source.name}: its answer about {selector} cannot be read") from None
        if not all(math.isfinite(at) and math.isfinite(value) for at, value in samples):
            raise QueryError(f"{self.source.name}: {selector} has a sample that is no number")
        return Line(labels=labels, samples=samples)

    def ahead(self) -> float:
        """Return by how many seconds its clock is ahead of ours; 0 where the difference is too small to tell."""
        before = time.time()
        _, result = self.instant("time()")
        after = time.time()
        try:
            server = float(items(result)[1])
        except (ValueError, TypeError, IndexError):
            raise ProbeError(f"{self.source.name}: it does not know what time it is") from None
        ahead = server - (before + after) / 2
        return ahead if abs(ahead) > (after - before) / 2 + _CLOCK_SECONDS else 0.0


def _printable(text: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(text)[:_SHOWN])


def items(value: object) -> Sequence[Any]:
    """Return a list of an answer; nothing for anything else."""
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def member(value: object, name: str) -> object:
    """Return a member of an object in an answer; None for anything else."""
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
