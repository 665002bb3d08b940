"""Any fault that an HTTP call can make: one request to apply it, one to undo it, one to tell whether it is on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday.spi.checks import Answer, failed_check
from gameday.spi.driver import ACTIVE_SECONDS
from gameday_drivers.http_exchange import ExchangeError, exchange
from gameday_drivers.http_requests import Call, read_call

SETTLE_SECONDS = 0.4
"""How long a revert looks again: a request that was cut off may still be worked on, and land after the undo."""
_LOOK_SECONDS = 0.1
_GONE = (404, 410)
_CANNOT_SAY = (401, 403, 407, 408, 429)
"""Statuses that say nothing of the fault; nor does any from 500 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFault:
    """Call an endpoint that makes a failure, and the one that undoes it; redirects are not followed."""

    inject_: Mapping[str, Any] = field(
        metadata={"help": "the request that applies the fault: {post: URL, json: …}; 2xx, or its check, is success"}
    )
    undo: Mapping[str, Any] = field(
        default_factory=dict[str, Any],
        metadata={"help": "the request that undoes it: {delete: URL}; safe twice and before; without it, irreversible"},
    )
    active_: Mapping[str, Any] = field(
        default_factory=dict[str, Any],
        metadata={"help": "a request whose check holds while the fault is on: {get: URL, check: [status == 200]}"},
    )
    timeout: int = field(
        default=5_000, metadata={"unit": "duration", "min": 1, "help": "how long each request may take"}
    )

    name = "http"

    def __post_init__(self) -> None:
        read_call("inject", self.inject_)
        for name, raw in (("undo", self.undo), ("active", self.active_)):
            if raw:
                read_call(name, raw)

    @property
    def reversible(self) -> bool:
        """With an undo request; without one the fault needs ``irreversible: allow``."""
        return bool(self.undo)

    @property
    def provable(self) -> bool:
        """With an ``active`` request; without one the run is at best inconclusive."""
        return bool(self.active_)

    @property
    def inject_seconds(self) -> float:
        """Our deadline comes a second after the request's own."""
        return self.timeout / 1000 + 1

    @property
    def revert_seconds(self) -> float:
        """Two undos and the looks between them."""
        return 3 * self.timeout / 1000 + SETTLE_SECONDS + 1

    def plan(self, world: World) -> Plan:  # noqa: ARG002 - the interface
        """Show the request; keep what undoes and checks it. Nothing is contacted."""
        undo = {
            "undo": read_call("undo", self.undo).to_json() if self.undo else None,
            "active": read_call("active", self.active_).to_json() if self.active_ else None,
            "timeout_ms": self.timeout,
        }
        return Plan(driver=self.name, targets=(read_call("inject", self.inject_).asked.shown,), undo=undo)

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Send the request; raise DriverError when the answer is not a good one."""
        _must(read_call("inject", self.inject_), world, self.timeout / 1000)

    def active(self, plan: Plan, world: World) -> bool:
        """Ask whether the fault is on; raise DriverError when the answer does not tell."""
        return _active(plan.undo, world)

    def revert(self, plan: Plan, world: World) -> None:
        """Send the undo, and once more if the fault is on again a moment later: the inject may have been cut off in flight."""
        if plan.undo["undo"] is None:
            return
        call, seconds = Call.from_json(plan.undo["undo"]), plan.undo["timeout_ms"] / 1000
        _must(call, world, seconds)
        if plan.undo["active"] is not None and _back(plan.undo, world):
            _must(call, world, seconds)


def _back(undo: Json, world: World) -> bool:
    """Whether the fault shows again within SETTLE_SECONDS; what cannot be measured here is for the proof that follows."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        try:
            if _active(undo, world):
                return True
        except DriverError:
            return False
        time.sleep(_LOOK_SECONDS)
    return False


def _active(undo: Json, world: World) -> bool:
    if undo["active"] is None:
        raise DriverError("this fault has no check", hint="give one as active: {get: URL, check: [status == 200]}")
    call = Call.from_json(undo["active"])
    answer = _ask(call, world, min(undo["timeout_ms"] / 1000, ACTIVE_SECONDS - 1))
    if call.checks and failed_check(call.checks, answer) is None:
        return True
    if answer.status in _CANNOT_SAY or answer.status >= 500 or (not call.checks and not _plain(answer.status)):  # noqa: PLR2004 - 5xx
        raise DriverError(f"{call.asked.shown} cannot say: it answers {answer.status}")
    return not call.checks and answer.status not in _GONE


def _plain(status: int) -> bool:
    """Whether a status alone tells: 2xx is on, not found is gone."""
    return 200 <= status < 300 or status in _GONE  # noqa: PLR2004 - 2xx


def _must(call: Call, world: World, seconds: float) -> None:
    """Send a request that has to succeed; what is to be deleted and not there is deleted."""
    answer = _ask(call, world, seconds)
    if call.checks:
        failed = failed_check(call.checks, answer)
        if failed is not None:
            raise DriverError(f"{call.asked.shown}: it answers {answer.status}, and {failed.text} does not hold")
    elif not (200 <= answer.status < 300 or (call.asked.method == "DELETE" and answer.status in _GONE)):  # noqa: PLR2004 - 2xx
        raise DriverError(f"{call.asked.shown}: it answers {answer.status}")


def _ask(call: Call, world: World, seconds: float) -> Answer:
    try:
        return exchange(call.asked, timeout=seconds, secrets=world.secrets)
    except ExchangeError as error:
        raise DriverError(str(error)) from None
