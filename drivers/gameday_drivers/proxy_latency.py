"""Slow a dependency down in front of it: its fault proxy holds back every chunk of bytes, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gameday_drivers.proxy_target import PROXY_HELP
from gameday_drivers.proxy_toxic import SHARE, STREAM_HELP, ProxyFault, Stream, Toxic, both_ways

LATENCY = {"unit": "duration", "help": "added to each chunk of bytes", "min": 1, "max": 86_400_000}
JITTER = {"unit": "duration", "help": "how far delays stray from latency", "min": 0, "max": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLatency(ProxyFault):
    """Delay what passes a fault proxy, on open and new connections alike; a connection itself is made at once."""

    proxy: str = field(metadata={"help": PROXY_HELP})
    latency: int = field(metadata=LATENCY)
    jitter: int = field(default=0, metadata=JITTER)
    distribution: Literal["uniform", "normal", "pareto"] = field(
        default="uniform",
        metadata={
            "help": "uniform: latency ± jitter; normal: jitter is the standard deviation; pareto: latency and a tail of mean jitter"
        },
    )
    stream: Stream = field(default="downstream", metadata={"help": STREAM_HELP})
    share: float = field(default=1.0, metadata=SHARE)

    name = "proxy.latency"

    def __post_init__(self) -> None:
        if self.distribution == "uniform" and self.jitter > self.latency:
            raise ValueError("jitter is longer than latency: nothing arrives before it was sent")

    def toxics(self) -> Sequence[Toxic]:
        """One for each direction."""
        attributes = latency_attributes(self.latency, self.jitter, self.distribution)
        return [
            Toxic(type="latency", attributes=attributes, stream=one, share=self.share) for one in both_ways(self.stream)
        ]


def latency_attributes(latency: int, jitter: int, distribution: str) -> dict[str, int | str]:
    """Return them as the API spells them; a uniform distribution goes without saying, as Toxiproxy has no other."""
    shape: dict[str, int | str] = {} if distribution == "uniform" else {"distribution": distribution}
    return {"latency": latency, "jitter": jitter, **shape}
