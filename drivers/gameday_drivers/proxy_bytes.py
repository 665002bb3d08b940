"""Faults of a fault proxy that act on the bytes of a connection, whatever its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gameday_drivers.proxy_target import PROXY_HELP
from gameday_drivers.proxy_toxic import SHARE, STREAM_HELP, ProxyFault, Stream, Toxic, both_ways

BYTES = {"help": "how many bytes pass first", "min": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyBandwidth(ProxyFault):
    """Let bytes pass a fault proxy only so fast, each connection for itself."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    rate: int = field(metadata={"help": "kB (1000 bytes) a second, each direction; 0 stops them", "min": 0})
    stream: Stream = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.bandwidth"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        attributes = {"rate": self.rate}
        return [
            Toxic(type="bandwidth", attributes=attributes, stream=s, share=self.share) for s in both_ways(self.stream)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySlowClose(ProxyFault):
    """Let the end of a connection come late, so that callers keep it open."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    delay: int = field(metadata={"unit": "duration", "help": "how late", "min": 1, "max": 86_400_000})
    stream: Stream = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.slow-close"
    counts = "met"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        attributes = {"delay": self.delay}
        return [
            Toxic(type="slow_close", attributes=attributes, stream=s, share=self.share) for s in both_ways(self.stream)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTimeout(ProxyFault):
    """Let nothing pass, and close a connection that has been silent for a time; on undo its connections are closed."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    timeout: int = field(
        default=0,
        metadata={"unit": "duration", "help": "until it closes; 0s never does", "min": 0, "max": 86_400_000},
    )
    stream: Stream = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.timeout"
    counts = "met"

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        attributes = {"timeout": self.timeout}
        return [
            Toxic(type="timeout", attributes=attributes, stream=s, share=self.share) for s in both_ways(self.stream)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyResetPeer(ProxyFault):
    """Reset a connection some time after its first byte, which does not arrive."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    timeout: int = field(
        default=0, metadata={"unit": "duration", "help": "until it is reset", "min": 0, "max": 86_400_000}
    )
    stream: Literal["downstream", "upstream"] = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.reset-peer"
    counts = "met"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return [
            Toxic(type="reset_peer", attributes={"timeout": self.timeout}, stream=self.stream, share=self.share),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyResetAfter(ProxyFault):
    """Reset a connection when so many bytes have passed."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    bytes: int = field(metadata=BYTES)
    stream: Literal["downstream", "upstream"] = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.reset-after"
    counts = "met"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return [Toxic(type="reset_after", attributes={"bytes": self.bytes}, stream=self.stream, share=self.share)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLimitData(ProxyFault):
    """Close a connection when so many bytes have passed."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    bytes: int = field(metadata=BYTES)
    stream: Literal["downstream", "upstream"] = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.limit-data"
    counts = "met"

    def toxics(self) -> Sequence[Toxic]:
        """One."""
        return [Toxic(type="limit_data", attributes={"bytes": self.bytes}, stream=self.stream, share=self.share)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySlicer(ProxyFault):
    """Let bytes arrive in small slices, with pauses between them."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    size: int = field(metadata={"help": "bytes of a slice, on average", "min": 1})
    variation: int = field(default=0, metadata={"help": "bytes by which slices differ from that", "min": 0})
    pause: int = field(default=0, metadata={"help": "microseconds between slices", "min": 0, "max": 86_400_000})
    stream: Stream = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.slicer"

    def __post_init__(self) -> None:
        if self.variation >= self.size:
            raise ValueError("variation must be less than size")

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        attributes = {"average_size": self.size, "size_variation": self.variation, "delay": self.pause}
        return [Toxic(type="slicer", attributes=attributes, stream=s, share=self.share) for s in both_ways(self.stream)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyBlackhole(ProxyFault):
    """Swallow everything and tell nobody, as a host that is gone; on undo what was swallowed from is reset."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    established: bool = field(default=True, metadata={"help": "whether open connections are swallowed too"})
    new: Literal["drop", "accept", "pass"] = field(
        default="drop",
        metadata={
            "help": "new connections: drop answers none (but takes in the first), accept is silent, pass is as ever"
        },
    )

    name = "proxy.blackhole"
    counts = "met"

    def __post_init__(self) -> None:
        if not self.established and self.new == "pass":
            raise ValueError("new is pass, and established is false: nothing is left to swallow")

    def toxics(self) -> Sequence[Toxic]:
        """One for both directions."""
        return [Toxic(type="blackhole", attributes={"established": self.established, "new": self.new})]
