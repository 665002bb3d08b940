"""The proxy a fault aims at: found by name when planned, reached from the plan alone when undone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gameday.model import Json, Plan, ProcessRef
from gameday.spi import DriverError, ProxyRef, World
from gameday.spi.processes import alive
from gameday_drivers.proxy_control import Control, Reply

PROXY_HELP = "a name under proxies:"
_RUN_ID_SHOWN = 120
_SAME_FAULT = "this fault is on there already"


def plan_fault(driver: str, proxy: str, world: World, parameters: Mapping[str, Any]) -> Plan:
    """Resolve a proxy by its name and look whether it is there; raise DriverError. Touches nothing.

    ``undo["tag"]`` names the fault inside the proxy. It is the run's own, and differs between faults that differ, so that
    overlapping faults do not undo each other.
    """
    ref = world.proxies.get(proxy)
    if ref is None:
        known = ", ".join(sorted(world.proxies))
        raise DriverError(f"no proxy {proxy!r} under proxies:", hint=f"known: {known}" if known else "none is declared")
    where = f"{ref.listen} to {ref.upstream}" if ref.listen and ref.upstream else f"{ref.name} at {ref.control}"
    undo = {
        "proxy": proxy,
        "control": ref.control,
        "name": ref.name,
        "listen": ref.listen,
        "process": _process_json(ref.process),
        "tag": _tag(driver, proxy, world, parameters),
    }
    plan = Plan(driver=driver, targets=(f"proxy {proxy} ({where})",), undo=undo)
    if ref.control:  # a proxy of this run that is not started yet has none
        ProxyTarget.of(plan, world).must("GET", "proxies", ref.name)
    return plan


def ends_with(plan: Plan) -> frozenset[str]:
    """Name what a fault of a proxy does not outlive: a proxy of this run drops it with the runner, one elsewhere keeps it."""
    own = plan.undo.get("process") is not None or not plan.undo.get("control")
    return frozenset(("runner", "boot")) if own else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTarget:
    """A planned proxy, reached with what the plan says and the token that the world has for it."""

    control: Control
    name: str
    listen: str
    process: ProcessRef | None
    tag: str

    @classmethod
    def of(cls, plan: Plan, world: World) -> ProxyTarget:
        """Read the plan; the token goes only to the control port it belongs to."""
        undo = plan.undo
        return cls(
            control=Control(address=undo["control"], token=_token(undo, world.proxies.get(undo["proxy"]), world)),
            name=undo["name"],
            listen=undo["listen"],
            process=_process_from(undo["process"]),
            tag=undo["tag"],
        )

    def gone(self) -> bool:
        """Whether the process that this run owned has died, and its faults with it."""
        return self.process is not None and not alive(self.process)

    def ask(self, method: str, *path: str, body: Any = None) -> Reply | None:
        """Ask the control port; None when the proxy is known to be gone, and so is its fault. Raises DriverError."""
        if self.gone():
            return None
        try:
            reply = self.control.call(method, *path, body=body)
        except DriverError:
            if self.gone():
                return None
            raise
        return None if reply.error == "proxy not found" else reply

    def must(self, method: str, *path: str, body: Any = None) -> Reply:
        """Ask what only a living proxy can do; raises DriverError when it is gone or says no."""
        return self.granted(self.must_reply(method, *path, body=body))

    def must_reply(self, method: str, *path: str, body: Any = None) -> Reply:
        """Ask what only a living proxy can answer, be it no; raises DriverError when it is gone."""
        reply = self.ask(method, *path, body=body)
        if reply is None:
            raise DriverError(f"there is no proxy {self.name!r} at {self.control.address}")
        return reply

    def granted(self, reply: Reply) -> Reply:
        """Return the reply; raises DriverError when it says no."""
        if reply.status < HTTPStatus.BAD_REQUEST:
            return reply
        message = f"proxy {self.name!r} at {self.control.address} says {reply.status}: {reply.error or 'nothing more'}"
        raise DriverError(message, hint=_SAME_FAULT if "already" in reply.error else "")


def _token(undo: Json, ref: ProxyRef | None, world: World) -> str:
    return world.secrets.reveal(ref.token) if ref is not None and ref.control == undo["control"] else ""


def _tag(driver: str, proxy: str, world: World, parameters: Mapping[str, Any]) -> str:
    text = json.dumps([world.run_id, world.fault, driver, proxy, dict(parameters)], sort_keys=True)
    return f"gameday-{world.run_id[:_RUN_ID_SHOWN]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _process_json(ref: ProcessRef | None) -> dict[str, Any] | None:
    return None if ref is None else {"pid": ref.pid, "start": ref.start, "boot_id": ref.boot_id}


def _process_from(raw: Json | None) -> ProcessRef | None:
    return None if raw is None else ProcessRef(pid=raw["pid"], start=raw["start"], boot_id=raw["boot_id"])
