"""A gauge from an HTTP endpoint: the number in its body, or at a path of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange
from gameday_drivers.http_requests import read_headers, read_url
from gameday_drivers.jsonquery import number_by, read_path
from gameday_drivers.numbers import read_number


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """GET a URL and read the number in its body, or the one at ``json`` in it."""

    value: str = field(metadata={"help": "a URL; what answers it is a number, or JSON that has one"})
    json: str = field(
        default="", metadata={"help": "where in the JSON: $.queues[0].depth, or any JSONPath; default: all of the body"}
    )
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "sent along"})
    status: int | None = field(
        default=None, metadata={"min": 100, "max": 599, "help": "the only good status; default: any 2xx"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "http"

    def __post_init__(self) -> None:
        read_url("value", self.value)
        read_headers("headers", self.headers)
        if self.json:
            try:
                read_path(self.json)
            except ValueError as error:
                raise ValueError(f"json is {error}") from None

    @property
    def timeout(self) -> float:
        """Seconds for the whole exchange, redirects included."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; a status that is not good is no reading, whatever the body says."""
        asked = Asked(method="GET", url=self.value, headers=read_headers("headers", self.headers))
        try:
            answer = exchange(asked, timeout=self.timeout, secrets=world.secrets, follow=True)
        except (ExchangeError, DriverError) as error:
            raise ProbeError(str(error)) from None
        if not self._good(answer.status):
            kind = QueryError if 400 <= answer.status < 500 else ProbeError  # noqa: PLR2004 - the client's fault
            raise kind(f"{asked.shown}: it answers {answer.status}")
        try:
            return number_by(answer.body, read_path(self.json)) if self.json else read_number(answer.body)
        except ValueError as error:
            raise QueryError(f"{asked.shown}: {world.secrets.mask(str(error))}") from None

    def _good(self, status: int) -> bool:
        return status == self.status if self.status is not None else 200 <= status < 300  # noqa: PLR2004 - 2xx
