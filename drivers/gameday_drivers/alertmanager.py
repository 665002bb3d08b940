"""Alerts that reached an Alertmanager. Resolved ones vanish from it, so it tells how an alert is now and keeps no record.

It knows only what it was sent: that an alert is not there does not say that its rule exists, or that anybody would send it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.alert import AlertState
from gameday.spi.probe import READ_MS
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange

MOST = 16 * 1024 * 1024
"""Bytes of an answer that are read."""
_SHOWN = 200
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    """Count the instances of an alert that an Alertmanager has, and does not suppress."""

    value: str = field(metadata={"help": "the name of an alert"})
    labels: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "which of its instances: labels and values"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "alertmanager"

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise ValueError("value is empty; write the name of an alert")

    @property
    def timeout(self) -> float:
        """Seconds for one look."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return how many instances page somebody now."""
        return float(sum(_state(alert) != "suppressed" for alert in self._alerts(world)))

    def look(self, world: World) -> AlertState:
        """Return how the alert is now; suppressed when every instance is silenced or inhibited."""
        alerts = self._alerts(world)
        if not alerts:
            return AlertState(state="inactive")
        loud = [alert for alert in alerts if _state(alert) != "suppressed"]
        if not loud:
            return AlertState(state="suppressed")
        return AlertState(state="firing", since=min(map(_since, loud)))

    def _alerts(self, world: World) -> list[Json]:
        source = world.source(self.name)
        wanted = {"alertname": self.value, **self.labels}
        filters = [("filter", f"{name}={json.dumps(str(value), ensure_ascii=False)}") for name, value in wanted.items()]
        asked = Asked(method="GET", url=f"{source.url}/api/v2/alerts?{urlencode(filters)}", headers=source.headers())
        where = f"{source.name} at {source.url}"
        try:
            answer = exchange(asked, timeout=self.timeout, secrets=world.secrets, most=MOST, ca=source.ca)
        except (ExchangeError, DriverError) as error:
            said = str(error).removeprefix(f"{asked.shown}: ")
            raise ProbeError(f"{where}: {said}") from None
        if answer.status != 200:  # noqa: PLR2004 - the only good one
            told = world.secrets.mask(
                "".join(c if c.isprintable() else "?" for c in answer.body[:_SHOWN].decode(errors="replace"))
            )
            # 400 is a wrong filter; 401, 403 and 404 do not change by asking again either.
            kind = QueryError if 400 <= answer.status < 500 else ProbeError  # noqa: PLR2004
            raise kind(f"{where}: it answers {answer.status}: {told}")
        return _listed(where, answer.body)


def _listed(where: str, body: bytes) -> list[Json]:
    """Return the alerts of an answer; raise ProbeError for one that is no list of alerts."""
    try:
        raw: Any = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    rows = cast("list[Json]", raw if isinstance(raw, list) else [None])
    if not all(isinstance(row, dict) for row in rows):
        raise ProbeError(f"{where}: its answer is no list of alerts")
    return rows


def _state(alert: Json) -> str:
    status = alert.get("status")
    state = cast("Json", status).get("state") if isinstance(status, dict) else None
    if state not in ("active", "unprocessed", "suppressed"):
        raise ProbeError(f"an alert is in the state {str(state)[:40]!r}, which no Alertmanager has")
    return str(state)


def _since(alert: Json) -> float:
    try:
        return datetime.fromisoformat(str(alert.get("startsAt"))).timestamp()
    except (ValueError, OverflowError):
        raise ProbeError(f"an alert begins at {str(alert.get('startsAt'))[:40]!r}, which is no time") from None
