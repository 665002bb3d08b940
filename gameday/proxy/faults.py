"""What delays the bytes of one proxy, and how many of its connections met that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STREAMS = ("upstream", "downstream")
"""Directions as Toxiproxy calls them: client to server, and server to client."""

Draw = Callable[[], float]
"""A uniform random number in [0, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Delay of every chunk of bytes in one direction; order is kept."""

    latency: int
    """Milliseconds."""
    jitter: int = 0
    """Milliseconds; the delay is uniform in latency ± jitter, never below zero."""
    toxicity: float = 1.0
    """Share of the connections it applies to, 0 to 1."""

    def seconds(self, draw: Draw) -> float:
        """Draw one delay."""
        return max(0.0, self.latency + self.jitter * (2 * draw() - 1)) / 1000


class Toxic:
    """A latency that is set on a proxy, under its name, with its own count."""

    __slots__ = ("latency", "met", "name", "stream")

    def __init__(self, name: str, stream: str, latency: Latency) -> None:
        self.name = name
        self.stream = stream
        self.latency = latency
        self.met = 0
        """Connections that had data delayed since it was set."""

    def to_json(self) -> dict[str, Any]:
        """As Toxiproxy answers it, in its order."""
        share = self.latency.toxicity
        return {
            "attributes": {"latency": self.latency.latency, "jitter": self.latency.jitter},
            "name": self.name,
            "type": "latency",
            "stream": self.stream,
            "toxicity": int(share) if share in (0, 1) else share,
        }


class Lane:
    """One direction of all connections of a proxy; every pipe looks here for each chunk, so a change is seen at once."""

    __slots__ = ("toxics",)

    def __init__(self) -> None:
        self.toxics: tuple[Toxic, ...] = ()
        """Those in force, in the order in which they were set."""


class Exposure:
    """What one direction of one connection meets: drawn once for each toxic, and counted once."""

    __slots__ = ("_chosen", "_draw", "_lane", "_met")

    def __init__(self, lane: Lane, draw: Draw) -> None:
        self._lane = lane
        self._draw = draw
        self._chosen: dict[Toxic, tuple[float, bool]] = {}
        self._met: set[Toxic] = set()

    def delay(self, *, data: bool) -> float:
        """Return for how many seconds the next chunk is held back; only ``data`` counts as met, not the end of a stream."""
        total = 0.0
        for toxic in self._lane.toxics:
            if self._applies(toxic):
                seconds = toxic.latency.seconds(self._draw)
                total += seconds
                if data and seconds > 0 and toxic not in self._met:
                    self._met.add(toxic)
                    toxic.met += 1
        return total

    def forget(self) -> None:
        """Drop what was remembered of toxics that are gone."""
        present = set(self._lane.toxics)
        self._met &= present
        self._chosen = {toxic: choice for toxic, choice in self._chosen.items() if toxic in present}

    def _applies(self, toxic: Toxic) -> bool:
        share = toxic.latency.toxicity
        known = self._chosen.get(toxic)
        if known is None or known[0] != share:
            known = (share, self._draw() < share)
            self._chosen[toxic] = known
        return known[1]
