"""A gauge from Elasticsearch or OpenSearch: how many documents match a query, by the count API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

from gameday.spi import ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.http_json import Api
from gameday_drivers.jsonpath import as_number


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchProbe:
    """Count the documents of Elasticsearch or OpenSearch that match a query."""

    value: str = field(metadata={"help": "the server: http://127.0.0.1:9200"})
    index: str = field(metadata={"help": "an index, an alias, several with commas, or a pattern like logs-*"})
    query: str | Mapping[str, Any] = field(
        default="",
        metadata={"help": "a query string (level:error AND service:shop) or one in the query DSL; default: all"},
    )
    user: str = field(default="", metadata={"help": "who asks"})
    password: str = field(default="", metadata={"help": 'a secret: "${password}"'}, repr=False)
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "sent along"})
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "elasticsearch"

    def __post_init__(self) -> None:
        self._api().check()
        if not self.index or set(self.index) & set("/?#\\ "):
            raise ValueError(f"index is none: {self.index[:80]!r}; write one like logs-*")

    @property
    def timeout(self) -> float:
        """Seconds for the answer."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the count; one that lacks a shard, or is of no index at all, is no reading."""
        path = f"/{quote(self.index, safe='*,-_')}/_count?allow_no_indices=false&ignore_unavailable=false"
        found = self._api().ask(world, path, method="POST", body=json.dumps({"query": self._query()}))
        if "count" not in found:
            raise QueryError(f"{self.index:.80}: the answer has no count")
        shards = found.get("_shards")
        total, good = (_whole(shards, name) for name in ("total", "successful"))
        if total == 0:
            raise QueryError(f"no index is called {self.index:.80}")
        if total is None or good != total or found.get("terminated_early"):
            raise ProbeError(f"{self.index:.80}: {good} of {total} shards answered: the count is not whole")
        try:
            return as_number(found["count"], "count")
        except ValueError as error:
            raise QueryError(f"{self.index:.80}: {error}") from None

    def _query(self) -> object:
        if not self.query:
            return {"match_all": {}}
        return {"query_string": {"query": self.query}} if isinstance(self.query, str) else _plain(self.query)

    def _api(self) -> Api:
        return Api(url=self.value, headers=self.headers, user=self.user, password=self.password, timeout=self.timeout)


def _whole(shards: object, name: str) -> int | None:
    found = cast("dict[str, object]", shards).get(name) if isinstance(shards, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _plain(value: Any) -> Any:
    """Undo what the loader did to lists, which arrive as tuples."""
    match value:
        case {**members}:
            return {str(key): _plain(member) for key, member in members.items()}
        case [*items]:
            return [_plain(item) for item in items]
        case _:
            return value
