"""Faults of an existing Toxiproxy server, of which nothing but its HTTP API is expected.

It has no leases and keeps no counts: what a dead runner left there is taken off by the watchdog or by ``gameday recover``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.proxy_bytes import BYTES
from gameday_drivers.proxy_knock import Knock, door
from gameday_drivers.proxy_latency import JITTER, LATENCY
from gameday_drivers.proxy_target import ProxyTarget, ends_with, plan_fault
from gameday_drivers.proxy_toxic import SHARE, STREAM_HELP, Stream, Toxic, ToxicFault, both_ways

PROXY = {"help": "a name under proxies: that has control: (the server's address) and name: (the proxy's name there)"}
TIMEOUT = {"unit": "duration", "help": "until it happens", "min": 0, "max": 86_400_000}
ONE_STREAM = {"help": STREAM_HELP}
REQUEST_SECONDS = 2.0
"""The server answers each request by a routine of its own: that of a sender who has died may still be carried out after a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyFault(ToxicFault):
    """What they have in common."""

    proxy: str = field(metadata=PROXY)
    stream: Stream = field(default="downstream", metadata=ONE_STREAM)
    share: float = field(default=1.0, metadata=SHARE)

    request_seconds = REQUEST_SECONDS

    def each_way(self, kind: str, **attributes: int) -> Sequence[Toxic]:
        """Return one toxic for each direction."""
        return [Toxic(type=kind, attributes=attributes, stream=one, share=self.share) for one in both_ways(self.stream)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyLatency(ToxiproxyFault):
    """Delay what passes a Toxiproxy."""

    latency: int = field(metadata=LATENCY)
    jitter: int = field(default=0, metadata=JITTER)

    name = "toxiproxy.latency"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("latency", latency=self.latency, jitter=self.jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyBandwidth(ToxiproxyFault):
    """Let bytes pass a Toxiproxy only so fast."""

    rate: int = field(metadata={"help": "kB (1000 bytes) a second", "min": 1})

    name = "toxiproxy.bandwidth"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("bandwidth", rate=self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxySlowClose(ToxiproxyFault):
    """Let the end of a connection through a Toxiproxy come late."""

    delay: int = field(metadata={"unit": "duration", "help": "how late", "min": 1, "max": 86_400_000})

    name = "toxiproxy.slow-close"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("slow_close", delay=self.delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyTimeout(ToxiproxyFault):
    """Let nothing pass a Toxiproxy, and close connections after a time; 0s never closes them."""

    timeout: int = field(default=0, metadata=TIMEOUT)

    name = "toxiproxy.timeout"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("timeout", timeout=self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyResetPeer(ToxiproxyFault):
    """Reset connections through a Toxiproxy some time after their first byte."""

    timeout: int = field(default=0, metadata=TIMEOUT)

    name = "toxiproxy.reset-peer"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("reset_peer", timeout=self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxySlicer(ToxiproxyFault):
    """Let bytes pass a Toxiproxy in small slices."""

    size: int = field(metadata={"help": "bytes of a slice, on average", "min": 1})
    variation: int = field(default=1, metadata={"help": "bytes by which slices differ from that", "min": 1})
    pause: int = field(default=0, metadata={"help": "microseconds between slices", "min": 0})

    name = "toxiproxy.slicer"

    def __post_init__(self) -> None:
        if self.variation >= self.size:
            raise ValueError("variation must be less than size: a Toxiproxy would cut for ever")

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("slicer", average_size=self.size, size_variation=self.variation, delay=self.pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyLimitData(ToxiproxyFault):
    """Close connections through a Toxiproxy when so many bytes have passed."""

    bytes: int = field(metadata=BYTES)

    name = "toxiproxy.limit-data"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        return self.each_way("limit_data", bytes=self.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxiproxyDown:
    """Disable a proxy of a Toxiproxy server: it refuses connections and closes the open ones."""

    proxy: str = field(metadata=PROXY)

    name = "toxiproxy.down"
    reversible = True
    provable = True
    request_seconds = REQUEST_SECONDS

    def plan(self, world: World) -> Plan:
        """Find the proxy."""
        return plan_fault(self.name, self.proxy, world, {})

    def inject(self, plan: Plan, world: World) -> None:
        """Disable it; one that is disabled is not ours to enable again: DriverError."""
        target = ProxyTarget.of(plan, world)
        if not target.must("GET", "proxies", target.name).read("enabled", bool):
            raise DriverError(f"proxy {target.name!r} is disabled already", hint="enable it first")
        target.must("POST", "proxies", target.name, body={"enabled": False})

    def active(self, plan: Plan, world: World) -> bool:
        """Ask whether it is disabled, and measure that its port refuses."""
        target = ProxyTarget.of(plan, world)
        shown = target.ask("GET", "proxies", target.name)
        if shown is None or target.granted(shown).read("enabled", bool):
            return False
        with door(target.listen or shown.read("listen", str), target.control.address) as outside:
            return outside.knock() is not Knock.ACCEPTED

    def ends_with(self, plan: Plan) -> frozenset[str]:
        """Say whether it dies with the runner."""
        return ends_with(plan)

    def revert(self, plan: Plan, world: World) -> None:
        """Enable it. A proxy that is gone took the fault with it."""
        target = ProxyTarget.of(plan, world)
        reply = target.ask("POST", "proxies", target.name, body={"enabled": True})
        if reply is not None:
            target.granted(reply)
