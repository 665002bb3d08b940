"""Take a dependency down in front of it: its fault proxy refuses connections and resets the open ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday.spi.driver import EXPIRY_SECONDS
from gameday_drivers.proxy_knock import Knock, door
from gameday_drivers.proxy_target import PROXY_HELP, ProxyTarget, ends_with, plan_fault
from gameday_drivers.proxy_toxic import is_toxiproxy


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyDown:
    """Refuse connections to a fault proxy and reset the open ones, as if the dependency had crashed."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    keep_open: bool = field(default=False, metadata={"help": "leave open connections alone, and refuse only new ones"})

    name = "proxy.down"
    reversible = True
    provable = True

    def plan(self, world: World) -> Plan:
        """Find the proxy."""
        plan = plan_fault(self.name, self.proxy, world, {"keep_open": self.keep_open})
        return Plan(driver=plan.driver, targets=plan.targets, undo={**plan.undo, "keep_open": self.keep_open})

    def inject(self, plan: Plan, world: World) -> None:
        """Hold it down under the fault's own tag; a real Toxiproxy knows no tags and is disabled."""
        target = ProxyTarget.of(plan, world)
        body = {"lease_ms": round(EXPIRY_SECONDS * 1000), "keep_open": plan.undo["keep_open"]}
        reply = target.ask("POST", *_down(target), body=body)
        if reply is not None and is_toxiproxy(reply):
            target.must("POST", "proxies", target.name, body={"enabled": False})
        elif reply is None:
            raise DriverError(f"there is no proxy {target.name!r} at {target.control.address}")
        else:
            target.granted(reply)

    def active(self, plan: Plan, world: World) -> bool:
        """Connect to its port, and ask the proxy whether it is this fault that refuses.

        The connection is announced, so that it neither counts as traffic nor reaches the dependency. When the fault is not
        set any more but the port still refuses, it is still in force; when another fault holds it down, this one is gone.
        """
        target = ProxyTarget.of(plan, world)
        shown = target.ask("GET", "proxies", target.name)
        if shown is None:
            return False
        listen = target.listen or target.granted(shown).read("listen", str)
        with door(listen, target.control.address) as outside:
            reply = target.ask("POST", "gameday", "proxies", target.name, "probes", outside.origin)
            met = outside.knock()
            target.ask("DELETE", "gameday", "proxies", target.name, "probes", outside.origin)
        if reply is None or target.gone():
            return False
        if is_toxiproxy(reply):
            enabled = target.granted(shown).read("enabled", bool)
            return met is Knock.REFUSED if enabled else met is not Knock.ACCEPTED
        holders = target.granted(reply).read("down", dict)
        if target.tag in holders:
            return met is not Knock.ACCEPTED
        return met is Knock.REFUSED and not holders and reply.read("owns_port", bool)

    def ends_with(self, plan: Plan) -> frozenset[str]:
        """Say whether it dies with the runner."""
        return ends_with(plan)

    def revert(self, plan: Plan, world: World) -> None:
        """Let it go; with no holder left it is up. A proxy that is gone took the fault with it."""
        target = ProxyTarget.of(plan, world)
        reply = target.ask("DELETE", *_down(target))
        if reply is not None and is_toxiproxy(reply):
            reply = target.ask("POST", "proxies", target.name, body={"enabled": True})
        if reply is not None:
            target.granted(reply)

    def renew(self, plan: Plan, world: World, seconds: float) -> None:
        """Hold it down for so much longer; a real Toxiproxy has no leases, and stays disabled until it is enabled."""
        target = ProxyTarget.of(plan, world)
        reply = target.must_reply("POST", *_down(target), "lease", body={"lease_ms": max(1, round(seconds * 1000))})
        if not is_toxiproxy(reply):
            target.granted(reply)

    def met(self, plan: Plan, world: World) -> int:
        """Count connections reset or turned away: at least one if any came, for the kernel refuses most of them uncounted."""
        target = ProxyTarget.of(plan, world)
        reply = target.ask("GET", "gameday", "proxies", target.name)
        if reply is None or is_toxiproxy(reply):
            raise DriverError(f"proxy {target.name!r} cannot say how many connections met the fault")
        held = target.granted(reply).read("down", dict).get(target.tag)
        if held is None:
            raise DriverError(f"proxy {target.name!r} is not held down by this fault; its count is gone")
        return int(held["met"])


def _down(target: ProxyTarget) -> tuple[str, ...]:
    return ("gameday", "proxies", target.name, "down", target.tag)
