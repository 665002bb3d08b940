"""Faults made of toxics: set on a fault proxy, read back from it, renewed while they last, taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday.spi.driver import EXPIRY_SECONDS
from gameday_drivers.proxy_control import Reply
from gameday_drivers.proxy_target import ProxyTarget, ends_with, plan_fault

Stream = Literal["downstream", "upstream", "both"]
STREAM_HELP = "downstream is what the dependency sends, upstream what clients send"
_FLOAT32 = 1e-6
SHARE = {"unit": "percent", "min": 0, "max": 1, "help": "of the connections"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """One toxic as it will be set, but for its name."""

    type: str
    attributes: Mapping[str, Any]
    stream: str = "downstream"
    share: float = 1.0


class ToxicFault:
    """What every such fault does, on any server that speaks the Toxiproxy API; a subclass says which toxics."""

    __slots__ = ()
    name: ClassVar[str]
    reversible = True
    provable = True

    proxy: str
    """A name under ``proxies:``; the subclass's field."""

    def toxics(self) -> Sequence[Toxic]:
        """Return what to set."""
        raise NotImplementedError

    def plan(self, world: World) -> Plan:
        """Find the proxy, and name each toxic so that no other fault has that name."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - subclasses are dataclasses
        plan = plan_fault(self.name, self.proxy, world, given)
        toxics = [
            {
                "name": f"{plan.undo['tag']}-{toxic.stream}",
                "type": toxic.type,
                "stream": toxic.stream,
                "toxicity": toxic.share,
                "attributes": dict(toxic.attributes),
            }
            for toxic in self.toxics()
        ]
        return Plan(driver=plan.driver, targets=plan.targets, undo={**plan.undo, "toxics": toxics})

    def inject(self, plan: Plan, world: World) -> None:
        """Set them; each lapses by itself on a proxy of ours, and a real Toxiproxy ignores the lease."""
        target = ProxyTarget.of(plan, world)
        for toxic in plan.undo["toxics"]:
            lease = {"lease_ms": round(EXPIRY_SECONDS * 1000), "fault": target.tag}
            target.must("POST", "proxies", target.name, "toxics", body={**toxic, **lease})

    def active(self, plan: Plan, world: World) -> bool:
        """Read the toxics from the proxy process, which consults the same list for every chunk of bytes.

        They cannot be measured from outside without sending the dependency bytes that it would have to understand. A toxic
        that is there in part, or changed, is neither this fault nor none: DriverError.
        """
        target = ProxyTarget.of(plan, world)
        reply = target.ask("GET", "proxies", target.name)
        if reply is None:
            return False
        there = {toxic["name"]: toxic for toxic in target.granted(reply).read("toxics", list)}
        planned = plan.undo["toxics"]
        found = [there.get(toxic["name"]) for toxic in planned]
        if any(found) and not all(_same(toxic, wanted) for toxic, wanted in zip(found, planned, strict=True)):
            raise DriverError(f"this fault of proxy {target.name!r} is there in part, or somebody changed it")
        return any(found)

    def ends_with(self, plan: Plan) -> frozenset[str]:
        """Say whether it dies with the runner."""
        return ends_with(plan)

    def revert(self, plan: Plan, world: World) -> None:
        """Take the toxics off; never waits for a connection. A proxy that is gone took them with it."""
        target = ProxyTarget.of(plan, world)
        for toxic in plan.undo["toxics"]:
            reply = target.ask("DELETE", "proxies", target.name, "toxics", toxic["name"])
            if reply is not None and reply.error != "toxic not found":
                target.granted(reply)


class ProxyFault(ToxicFault):
    """What a proxy of ours can do beside that: count what met the fault, and let it lapse."""

    __slots__ = ()
    counts: ClassVar[str] = "chunks"
    """``chunks`` (of bytes, or requests, or handshakes), or ``met`` (connections)."""

    def met(self, plan: Plan, world: World) -> int:
        """Count what it has acted on since it was injected."""
        target = ProxyTarget.of(plan, world)
        reply = target.ask("GET", "gameday", "proxies", target.name)
        if reply is None or is_toxiproxy(reply):
            raise DriverError(f"proxy {target.name!r} cannot say how many connections met the fault")
        counts = target.granted(reply).read("toxics", dict)
        try:
            return max(int(counts[toxic["name"]][self.counts]) for toxic in plan.undo["toxics"])
        except KeyError:
            raise DriverError(f"this fault is not on proxy {target.name!r}; its count is gone") from None

    def renew(self, plan: Plan, world: World, seconds: float) -> None:
        """Let each toxic last so much longer; a real Toxiproxy has no leases, and its toxics last until they are taken off."""
        target = ProxyTarget.of(plan, world)
        for toxic in plan.undo["toxics"]:
            path = ("gameday", "proxies", target.name, "toxics", toxic["name"], "lease")
            reply = target.must_reply("POST", *path, body={"lease_ms": max(1, round(seconds * 1000))})
            if not is_toxiproxy(reply):
                target.granted(reply)


def is_toxiproxy(reply: Reply) -> bool:
    """Whether it does not know our part of the API: ours says what was not found, in JSON."""
    return reply.status == HTTPStatus.NOT_FOUND and not reply.error


def both_ways(stream: Stream) -> tuple[str, ...]:
    """Return the directions that a parameter ``stream`` means."""
    return ("upstream", "downstream") if stream == "both" else (stream,)


def _same(found: Json | None, wanted: Json) -> bool:
    """Whether a toxic is the one that was set; the share is a float32 in Toxiproxy."""
    if found is None or any(found[key] != wanted[key] for key in ("type", "stream")):
        return False
    attributes = found["attributes"]
    return abs(found["toxicity"] - wanted["toxicity"]) < _FLOAT32 and all(
        attributes.get(key) == value or (key not in attributes and not value)
        for key, value in wanted["attributes"].items()
    )
