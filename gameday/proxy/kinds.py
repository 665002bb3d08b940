"""The kinds of toxics that act on bytes: Toxiproxy's seven, and ours. Attributes only; what they do is in effects."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from gameday.proxy.attributes import Attributes, attribute, flag, milliseconds, one_of, whole

DISTRIBUTIONS = ("uniform", "normal", "pareto")
_PARETO_SHAPE = 3.0
_LONGEST_TAIL = 50
"""Times the jitter: as far as the tails of a distribution reach, so that no draw takes a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Attributes):
    """Delay of every chunk of bytes; order is kept.

    With ``latency`` L and ``jitter`` J, both in milliseconds, a delay is uniform in L ± J, normal with mean L and standard
    deviation J, or L plus a Pareto (Lomax) tail of shape 3 and mean J: P(delay > L + x) = (1 + x / 2J)⁻³. Never below zero.
    """

    TYPE: ClassVar[str] = "latency"
    latency: int = attribute(milliseconds, 0)
    jitter: int = attribute(milliseconds, 0)
    distribution: str = attribute(one_of(DISTRIBUTIONS), "uniform", ours=True)

    def seconds(self, rng: random.Random) -> float:
        """Draw one delay."""
        delay = float(self.latency)
        if self.jitter:
            if self.distribution == "uniform":
                delay += self.jitter * (2 * rng.random() - 1)
            elif self.distribution == "normal":
                delay = rng.gauss(delay, self.jitter)
            else:
                scale = self.jitter * (_PARETO_SHAPE - 1)
                tail = scale * ((1 - rng.random()) ** (-1 / _PARETO_SHAPE) - 1)
                delay += min(tail, _LONGEST_TAIL * self.jitter)
        return max(0.0, delay) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(Attributes):
    """At most ``rate`` × 1000 bytes a second; with a rate of nothing, nothing passes."""

    TYPE: ClassVar[str] = "bandwidth"
    rate: int = attribute(whole, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose(Attributes):
    """The end of a stream comes ``delay`` milliseconds late."""

    TYPE: ClassVar[str] = "slow_close"
    delay: int = attribute(milliseconds, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(Attributes):
    """No byte passes, and the connection closes ``timeout`` milliseconds after the last one; 0 never closes it."""

    TYPE: ClassVar[str] = "timeout"
    timeout: int = attribute(milliseconds, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer(Attributes):
    """The connection is reset ``timeout`` milliseconds after its first byte, which does not pass."""

    TYPE: ClassVar[str] = "reset_peer"
    timeout: int = attribute(milliseconds, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer(Attributes):
    """Bytes leave in slices of about ``average_size`` ± ``size_variation``, ``delay`` microseconds apart."""

    TYPE: ClassVar[str] = "slicer"
    average_size: int = attribute(whole, 0)
    size_variation: int = attribute(whole, 0)
    delay: int = attribute(milliseconds, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData(Attributes):
    """The connection closes when ``bytes`` bytes have passed."""

    TYPE: ClassVar[str] = "limit_data"
    bytes: int = attribute(whole, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAfter(Attributes):
    """The connection is reset when ``bytes`` bytes have passed."""

    TYPE: ClassVar[str] = "reset_after"
    bytes: int = attribute(whole, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackhole(Attributes):
    """Nothing passes and nobody is told. What was swallowed cannot be given back: its connection is reset when this ends.

    ``established``: whether connections that are open are swallowed too. ``new``: whether new ones ``pass``, are accepted and
    never answered (``accept``), or find that not even the port answers (``drop``).
    """

    TYPE: ClassVar[str] = "blackhole"
    established: bool = attribute(flag, default=True)
    new: str = attribute(one_of(("drop", "accept", "pass")), "drop")


BYTE_KINDS: tuple[type[Attributes], ...] = (
    Latency,
    Bandwidth,
    SlowClose,
    Timeout,
    ResetPeer,
    Slicer,
    LimitData,
    ResetAfter,
    Blackhole,
)
