"""Slow a dependency down in front of it: its fault proxy holds back every chunk of bytes, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday_drivers.proxy_target import PROXY_HELP, ProxyTarget, plan_fault

_STREAMS = {"downstream": ("downstream",), "upstream": ("upstream",), "both": ("upstream", "downstream")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLatency:
    """Delay what passes a fault proxy, on open and new connections alike; a connection itself is made at once."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    latency: int = field(
        metadata={"unit": "duration", "help": "added to each chunk of bytes", "min": 1, "max": 86_400_000}
    )
    jitter: int = field(
        default=0, metadata={"unit": "duration", "help": "the delay is uniform in latency ± jitter", "min": 0}
    )
    stream: Literal["downstream", "upstream", "both"] = field(
        default="downstream", metadata={"help": "downstream delays answers, upstream requests"}
    )

    name = "proxy.latency"
    reversible = True
    provable = True

    def __post_init__(self) -> None:
        if self.jitter > self.latency:
            raise ValueError("jitter is longer than latency: nothing arrives before it was sent")

    def plan(self, world: World) -> Plan:
        """Find the proxy."""
        parameters = {"latency": self.latency, "jitter": self.jitter, "stream": self.stream}
        plan = plan_fault(self.name, self.proxy, world, parameters)
        toxics = [self._toxic(f"{plan.undo['tag']}-{stream}", stream) for stream in _STREAMS[self.stream]]
        return Plan(driver=plan.driver, targets=plan.targets, undo={**plan.undo, "toxics": toxics})

    def inject(self, plan: Plan, world: World) -> None:
        """Set one toxic for each direction."""
        target = ProxyTarget.of(plan, world)
        for toxic in plan.undo["toxics"]:
            target.must("POST", "proxies", target.name, "toxics", body=toxic)

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
        found = [there[toxic["name"]] for toxic in planned if toxic["name"] in there]
        if found and [_essence(toxic) for toxic in found] != [_essence(toxic) for toxic in planned]:
            raise DriverError(f"the latency on proxy {target.name!r} is there in part, or somebody changed it")
        return bool(found)

    def revert(self, plan: Plan, world: World) -> None:
        """Take the toxics off; what they held back leaves at once. A proxy that is gone took them with it."""
        target = ProxyTarget.of(plan, world)
        for toxic in plan.undo["toxics"]:
            reply = target.ask("DELETE", "proxies", target.name, "toxics", toxic["name"])
            if reply is not None and reply.error != "toxic not found":
                target.granted(reply)

    def met(self, plan: Plan, world: World) -> int:
        """Count connections whose bytes were held back."""
        target = ProxyTarget.of(plan, world)
        reply = target.ask("GET", "gameday", "proxies", target.name)
        if reply is None or (reply.status == HTTPStatus.NOT_FOUND and not reply.error):
            raise DriverError(f"proxy {target.name!r} cannot say how many connections met the fault")
        counts = target.granted(reply).read("toxics", dict)
        try:
            return max(int(counts[toxic["name"]]["met"]) for toxic in plan.undo["toxics"])
        except KeyError:
            raise DriverError(f"this fault's latency is not on proxy {target.name!r}; its count is gone") from None

    def _toxic(self, name: str, stream: str) -> dict[str, Any]:
        return {
            "name": name,
            "type": "latency",
            "stream": stream,
            "toxicity": 1,
            "attributes": {"latency": self.latency, "jitter": self.jitter},
        }


def _essence(toxic: Json) -> tuple[Any, ...]:
    attributes = toxic["attributes"]
    return toxic["type"], toxic["stream"], toxic["toxicity"], attributes["latency"], attributes["jitter"]
