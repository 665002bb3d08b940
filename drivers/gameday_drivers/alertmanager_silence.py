"""Driver ``alertmanager.silence``: alerts that nobody is paged for while a failure is rehearsed, taken back like a fault.

One silence for all of the names, so that it is there as a whole or not at all. Its end is its own lease: it is renewed while it is on, and
ends within seconds when nobody does. It is found again by who made it and its comment, which name the run, because only the server gives
it an id. https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast

from gameday.model import Plan
from gameday.spi import DriverError, ProbeError, Source, World
from gameday.spi.checks import Answer
from gameday.spi.driver import EXPIRY_SECONDS
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange

AUTHOR = "gameday"
TIMEOUT = 3.0
"""Seconds for one request."""
MOST = 16 * 1024 * 1024
SKEW = 2.0
"""Seconds by which a server's clock, told in whole seconds, may differ from ours before we take it."""
_META = re.compile(r"([\\.+*?()|\[\]{}^$])")
_OK, _MISSING = 200, 404
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAlerts:
    """Silence alerts at an Alertmanager, so that nobody is paged for a failure that is rehearsed."""

    alerts: tuple[str, ...] = field(metadata={"help": "names of alerts"})
    labels: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "which of their instances: labels and values"}
    )
    source: str = field(default="", metadata={"help": "a name under sources:, where there are several Alertmanagers"})

    name = "alertmanager.silence"
    reversible = True
    provable = True
    request_seconds = 2.0

    def __post_init__(self) -> None:
        if not self.alerts or not all(alert.strip() for alert in self.alerts):
            raise ValueError("alerts is empty; write the names of alerts")

    def plan(self, world: World) -> Plan:
        """Name the alerts and what finds the silence again; look that there is an Alertmanager, and touch nothing."""
        server = _server(world, self.source)
        _ask(world, server, "GET", "/status")
        comment = (
            f"gameday run {world.run_id} ({world.fault or 'silence'}): a failure is rehearsed; it ends with the run"
        )
        undo = {
            "source": server.name,
            "matchers": _matchers(self.alerts, self.labels),
            "comment": comment,
        }
        return Plan(
            driver=self.name, targets=tuple(f"alert {name} at {server.name}" for name in self.alerts), undo=undo
        )

    def inject(self, plan: Plan, world: World) -> None:
        """Make the silence, with the first lease."""
        self._post(plan, world, EXPIRY_SECONDS, {})

    def active(self, plan: Plan, world: World) -> bool:
        """Whether the server has it, and not as expired."""
        return bool(_ours(plan, world))

    def renew(self, plan: Plan, world: World, seconds: float) -> None:
        """Move its end; raise DriverError when it is not on."""
        found = _ours(plan, world)
        if not found:
            raise DriverError("the silence is not on: somebody has ended it, or its lease is over")
        self._post(plan, world, seconds, {"id": found[0]["id"], "startsAt": found[0]["startsAt"]})

    def revert(self, plan: Plan, world: World) -> None:
        """End every silence that this fault has made."""
        server = _server(world, str(plan.undo["source"]))
        for silence in _ours(plan, world):
            _ask(world, server, "DELETE", f"/silence/{_id(silence)}", missing=True)

    def _post(self, plan: Plan, world: World, seconds: float, more: Json) -> None:
        server = _server(world, str(plan.undo["source"]))
        now = _clock(_ask(world, server, "GET", "/status"))
        document = {
            "matchers": plan.undo["matchers"],
            "startsAt": _stamp(now),
            "endsAt": _stamp(now + seconds),
            "createdBy": AUTHOR,
            "comment": plan.undo["comment"],
            **more,
        }
        _ask(world, server, "POST", "/silences", json.dumps(document))


def _matchers(alerts: tuple[str, ...], labels: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return matchers, which must all hold; a regular expression (RE2, anchored) where there are several names."""
    several = len(alerts) > 1
    names = "|".join(_META.sub(r"\\\1", name) for name in alerts) if several else "".join(alerts)
    wanted = [("alertname", names, several), *((name, str(value), False) for name, value in labels.items())]
    return [{"name": name, "value": value, "isRegex": regex, "isEqual": True} for name, value, regex in wanted]


def _server(world: World, named: str) -> Source:
    try:
        return replace(world, source_name=named).source("alertmanager")
    except ProbeError as error:
        raise DriverError(str(error), hint=error.hint) from None


def _ask(
    world: World, server: Source, method: str, path: str, body: str | None = None, *, missing: bool = False
) -> Answer:
    """Send one request to the API; raise DriverError for any answer but 200 (or with ``missing`` 404)."""
    headers = {**server.headers(), **({"Content-Type": "application/json"} if body is not None else {})}
    asked = Asked(method=method, url=f"{server.url}/api/v2{path}", headers=headers, body=body)
    try:
        answer = exchange(asked, timeout=TIMEOUT, secrets=world.secrets, most=MOST, ca=server.ca)
    except ExchangeError as error:
        raise DriverError(f"{server.name}: {error}") from None
    if answer.status != _OK and not (missing and answer.status == _MISSING):
        said = "".join(c if c.isprintable() else "?" for c in answer.body[:200].decode(errors="replace"))
        raise DriverError(f"{server.name}: {method} {path} answers {answer.status}: {world.secrets.mask(said)}")
    return answer


def _ours(plan: Plan, world: World) -> list[Json]:
    """Return the silences of this fault that are in force or will be; raise DriverError for an answer that is no list of silences."""
    server = _server(world, str(plan.undo["source"]))
    try:
        raw: Any = json.loads(_ask(world, server, "GET", "/silences").body)
        if isinstance(raw, list):
            mine = (AUTHOR, plan.undo["comment"])
            rows = cast("list[Json]", raw)
            ours = [row for row in rows if (row["createdBy"], row["comment"]) == mine]
            return [row for row in ours if row["status"]["state"] != "expired"]
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    raise DriverError(f"{server.name}: its answer is no list of silences")


def _id(silence: Json) -> str:
    found = str(silence.get("id", ""))
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", found):
        raise DriverError("a silence has an id that no Alertmanager gives")
    return found


def _clock(answer: Answer) -> float:
    """Return the server's time, in seconds since the epoch: ours, unless it tells another."""
    now = time.time()
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return now
    return now if abs(theirs - now) < SKEW else theirs


def _stamp(seconds: float) -> str:
    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
