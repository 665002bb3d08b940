"""A fault that is set on a proxy: what it does, to what share, and how much has met it."""

from __future__ import annotations

import random
import struct
from typing import Any, Protocol

from gameday.proxy.attributes import Attributes

STREAMS = ("upstream", "downstream")
"""Directions as Toxiproxy calls them: client to server, and server to client."""


class Toxic:
    """One toxic under its name; it has random numbers of its own, so that a seed gives it the same draws whatever else is set."""

    __slots__ = ("chunks", "fault", "kind", "met", "name", "on", "rng", "spelt", "stream", "toxicity")

    def __init__(
        self, name: str, stream: str, kind: Attributes, toxicity: float = 1.0, *, seed: str = "", fault: str = ""
    ) -> None:
        self.name = name
        self.stream = stream.lower()
        self.spelt = stream
        """As whoever set it wrote it, which Toxiproxy keeps."""
        self.kind = kind
        self.toxicity = toxicity
        """Share of the connections it applies to, of the requests for those of HTTP; 0 to 1."""
        self.rng = random.Random(seed or None)  # noqa: S311 - jitter is no secret
        self.met = 0
        """Connections that it has acted on since it was set."""
        self.chunks = 0
        """Chunks of bytes that it has acted on; requests, for those of HTTP; handshakes, for those of TLS."""
        self.on = True
        """Whether it is still set."""
        self.fault = fault
        """What it is part of: the toxics of one fault lapse together."""

    def strikes(self) -> bool:
        """Draw whether it applies."""
        return self.toxicity >= 1 or self.rng.random() < self.toxicity

    def to_json(self) -> dict[str, Any]:
        """As Toxiproxy answers it, in its order."""
        return {
            "attributes": self.kind.to_json(),
            "name": self.name,
            "type": self.kind.TYPE,
            "stream": self.spelt,
            "toxicity": shown_share(self.toxicity),
        }


class Held(Protocol):
    """A pipe that has something to do when toxics change."""

    def reschedule(self) -> None:
        """See the changed toxics."""
        ...


class Lane:
    """One direction of all connections of a proxy, and the toxics in force there, in the order in which they were set.

    A pipe compares ``epoch`` before each chunk, so that a change is seen by all of them at once; only those that hold something
    back, or on which a toxic acts, are told.
    """

    __slots__ = ("busy", "epoch", "toxics")

    def __init__(self) -> None:
        self.toxics: tuple[Toxic, ...] = ()
        self.epoch = 0
        self.busy: dict[Held, None] = {}
        """In order, so that a seed gives the same draws."""

    def change(self, toxics: tuple[Toxic, ...]) -> None:
        """Put these in force; never blocks."""
        self.toxics = toxics
        self.epoch += 1
        for pipe in list(self.busy):
            pipe.reschedule()


def shown_share(value: float) -> float:
    """Return a share as Go prints a float32: the shortest number that reads back the same, whole ones without a point."""
    if value in (0, 1):
        return int(value)
    packed = struct.pack("f", value)
    rounded: float = struct.unpack("f", packed)[0]
    for digits in range(1, 10):
        short = float(f"{rounded:.{digits}g}")
        if struct.pack("f", short) == packed:
            return short
    return value
