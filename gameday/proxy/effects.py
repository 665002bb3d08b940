"""What toxics do to one direction of one connection.

An effect turns what arrives into what leaves and when; times are those of the event loop, in seconds. Nothing here waits, writes or
reads a clock: the pipe does.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from enum import Enum, auto

from gameday.proxy.attributes import Attributes
from gameday.proxy.kinds import (
    Bandwidth,
    Blackhole,
    Latency,
    LimitData,
    ResetAfter,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)
from gameday.proxy.toxics import Toxic

_PIECE_SECONDS = 0.1
"""How much of a limited rate leaves in one piece, as in Toxiproxy."""
_REMEMBERED = 128
_PIECES = 2048
"""At most so many slices of one read, so that slicing costs bounded memory."""


class Final(Enum):
    """How a direction ends; it keeps its place behind the bytes before it."""

    FINISH = auto()
    """End of file: the other direction goes on (half-close)."""
    CLOSE = auto()
    """Both sides are closed, after what has been written to them."""
    RESET = auto()
    """Both sides are reset: the source is gone, or a toxic does it."""


Item = bytes | Final
Timed = tuple[float, Item]


class Fate:
    """What one connection meets: drawn once for each toxic and its share, and counted once."""

    __slots__ = ("_chosen", "_met")

    def __init__(self) -> None:
        self._chosen: dict[Toxic, tuple[float, bool]] = {}
        self._met: set[Toxic] = set()

    def strikes(self, toxic: Toxic) -> bool:
        """Whether a toxic applies to this connection."""
        known = self._chosen.get(toxic)
        if known is None or known[0] != toxic.toxicity:
            self._forget()
            known = self._chosen[toxic] = (toxic.toxicity, toxic.strikes())
        return known[1]

    def count(self, toxic: Toxic) -> None:
        """Note that a toxic has acted on this connection."""
        toxic.chunks += 1
        self.note(toxic)

    def note(self, toxic: Toxic) -> None:
        """Note that this connection has met a toxic, though nothing has passed yet."""
        if toxic not in self._met:
            self._met.add(toxic)
            toxic.met += 1

    def _forget(self) -> None:
        """Drop what is remembered of toxics that are gone, before it is much: a connection may live for long."""
        if len(self._chosen) >= _REMEMBERED:
            self._met = {toxic for toxic in self._met if toxic.on}
            self._chosen = {toxic: known for toxic, known in self._chosen.items() if toxic.on}


class Effect:
    """One toxic on one direction of one connection; this one does nothing."""

    def __init__(self, toxic: Toxic, fate: Fate, now: float) -> None:
        self.toxic = toxic
        self._fate = fate
        self.closes_at: float | None = None
        """When it closes the connection if nothing arrives, and if it still says so then."""
        del now

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Return what leaves, and when, of what arrives at ``at``."""
        return ((at, item),)

    def retime(self, at: float, item: Item) -> float:
        """Return when something leaves that was let through before toxics changed."""
        del item
        return at

    def rewind(self, now: float) -> None:
        """Forget what is scheduled, because some toxic has changed: it will be timed again."""

    def left_behind(self) -> Final | None:
        """Say how the connection must end when this is taken off: a stream that lost bytes must not go on."""
        return None

    def count(self) -> None:
        """Note that it has acted on a chunk."""
        self._fate.count(self.toxic)


class Delaying(Effect):
    """Latency."""

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Delay it."""
        later = self.retime(at, item)
        if later > at and isinstance(item, bytes):  # the end of a stream is no traffic
            self.count()
        return ((later, item),)

    def retime(self, at: float, item: Item) -> float:
        """Draw a delay."""
        del item
        assert isinstance(self.toxic.kind, Latency)  # noqa: S101 - narrows
        return at + self.toxic.kind.seconds(self.toxic.rng)


class Limiting(Effect):
    """Bandwidth: a piece leaves when the time that it takes has passed."""

    _free = 0.0

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Cut it into pieces of a tenth of a second."""
        assert isinstance(self.toxic.kind, Bandwidth)  # noqa: S101 - narrows
        if isinstance(item, Final):
            return ((self.retime(at, item), item),)
        self.count()
        size = max(1, round(self.toxic.kind.rate * 1000 * _PIECE_SECONDS))
        if not self.toxic.kind.rate or len(item) <= size:
            return ((self.retime(at, item), item),)
        pieces = [item[start : start + size] for start in range(0, len(item), size)]
        return [(self.retime(at, piece), piece) for piece in pieces]

    def retime(self, at: float, item: Item) -> float:
        """Give it its turn."""
        assert isinstance(self.toxic.kind, Bandwidth)  # noqa: S101 - narrows
        if isinstance(item, Final):
            return max(at, self._free)
        if not self.toxic.kind.rate:
            return math.inf
        self._free = max(at, self._free) + len(item) / (self.toxic.kind.rate * 1000)
        return self._free

    def rewind(self, now: float) -> None:
        """Nothing is owed."""
        self._free = now


class ClosingLate(Effect):
    """Slow close."""

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Let bytes pass, and hold the end."""
        if isinstance(item, Final):
            self.count()
        return ((self.retime(at, item), item),)

    def retime(self, at: float, item: Item) -> float:
        """Hold the end."""
        assert isinstance(self.toxic.kind, SlowClose)  # noqa: S101 - narrows
        return at + self.toxic.kind.delay / 1000 if isinstance(item, Final) else at


class TimingOut(Effect):
    """Timeout: swallow everything; whoever stays silent long enough is closed on."""

    def __init__(self, toxic: Toxic, fate: Fate, now: float) -> None:
        super().__init__(toxic, fate, now)
        self._kind = toxic.kind
        self._since(now)

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Swallow bytes, let the end pass."""
        if isinstance(item, Final):
            return ((at, item),)
        self.count()
        self._since(at)
        return ()

    def rewind(self, now: float) -> None:
        """Begin again when it is this toxic that has changed."""
        if self._kind is not self.toxic.kind:
            self._kind = self.toxic.kind
            self._since(now)

    def left_behind(self) -> Final | None:
        """Close it, as Toxiproxy does, whether it swallowed anything or not."""
        return Final.CLOSE

    def _since(self, now: float) -> None:
        assert isinstance(self.toxic.kind, Timeout)  # noqa: S101 - narrows
        self.closes_at = now + self.toxic.kind.timeout / 1000 if self.toxic.kind.timeout else None


class Resetting(Effect):
    """Reset some time after the first byte."""

    _ended = False

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Answer whatever comes first with a reset, and swallow the rest."""
        assert isinstance(self.toxic.kind, ResetPeer)  # noqa: S101 - narrows
        if item is Final.RESET:
            return ((at, item),)
        if self._ended:
            return ()
        self._ended = True
        self.count()
        return ((at + self.toxic.kind.timeout / 1000, Final.RESET),)

    def left_behind(self) -> Final | None:
        """Bytes were swallowed: reset now."""
        return Final.RESET if self._ended else None


class Slicing(Effect):
    """Cut into slices, each some microseconds behind the one before."""

    _free = 0.0

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Cut it up."""
        assert isinstance(self.toxic.kind, Slicer)  # noqa: S101 - narrows
        if isinstance(item, Final):
            return ((max(at, self._free), item),)
        self.count()
        return [(self.retime(at, piece), piece) for piece in sliced(item, self.toxic.kind, self.toxic.rng)]

    def retime(self, at: float, item: Item) -> float:
        """Give it its turn."""
        assert isinstance(self.toxic.kind, Slicer)  # noqa: S101 - narrows
        now = max(at, self._free)
        if isinstance(item, bytes):
            self._free = now + self.toxic.kind.delay / 1e6
        return now

    def rewind(self, now: float) -> None:
        """Nothing is owed."""
        self._free = now


def sliced(data: bytes, kind: Slicer, rng: random.Random) -> list[bytes]:
    """Halve with some variation until the slices are small enough, as Toxiproxy does; at most 2,048 slices."""
    size = max(kind.average_size, len(data) // _PIECES)
    if not size:
        return [data]
    variation = min(kind.size_variation, size)
    pieces: list[bytes] = []
    todo = [(0, len(data))]
    while todo:
        start, end = todo.pop()
        if end - start - size <= variation or end - start < 2:  # noqa: PLR2004 - one byte cannot be cut
            pieces.append(data[start:end])
            continue
        middle = start + (end - start) // 2
        if variation:
            middle += rng.randrange(2 * variation) - variation
        middle = min(max(middle, start + 1), end - 1)
        todo += [(middle, end), (start, middle)]
    return pieces


class Counting(Effect):
    """End the connection when so many bytes have passed."""

    _passed = 0
    _ended = False

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Let pass what is left, then end it."""
        kind = self.toxic.kind
        assert isinstance(kind, LimitData | ResetAfter)  # noqa: S101 - narrows
        if isinstance(item, Final):
            return ((at, item),)
        if self._ended:
            return ()
        left = kind.bytes - self._passed
        if len(item) < left:
            self._passed += len(item)
            return ((at, item),)
        self._ended = True
        self.count()
        self._passed = max(self._passed, kind.bytes)
        final = (at, self._final)
        return ((at, item[:left]), final) if left > 0 else (final,)

    def left_behind(self) -> Final | None:
        """End it: what came after the limit was dropped."""
        return self._final if self._ended else None

    @property
    def _final(self) -> Final:
        return Final.CLOSE if isinstance(self.toxic.kind, LimitData) else Final.RESET


class Swallowing(Effect):
    """Blackhole: bytes vanish, and so does the news that a side has gone."""

    _swallowed = False

    def apply(self, at: float, item: Item) -> Sequence[Timed]:
        """Swallow it."""
        if isinstance(item, Final):
            return ((self.retime(at, item), item),)
        self._swallowed = True
        self.count()
        return ()

    def retime(self, at: float, item: Item) -> float:
        """Keep what was on its way when the hole opened."""
        del at, item
        return math.inf

    def left_behind(self) -> Final | None:
        """Reset a stream that lost bytes; one that lost nothing goes on."""
        return Final.RESET if self._swallowed else None


_EFFECTS: dict[type[Attributes], Callable[[Toxic, Fate, float], Effect]] = {
    Latency: Delaying,
    Bandwidth: Limiting,
    SlowClose: ClosingLate,
    Timeout: TimingOut,
    ResetPeer: Resetting,
    Slicer: Slicing,
    LimitData: Counting,
    ResetAfter: Counting,
    Blackhole: Swallowing,
}


def effect_of(toxic: Toxic, fate: Fate, now: float, *, fresh: bool) -> Effect | None:
    """Return what a toxic does to a connection, which is ``fresh`` when it is younger than the toxic; None for nothing."""
    make = _EFFECTS.get(type(toxic.kind))
    if make is None or (isinstance(toxic.kind, Blackhole) and not _swallows(toxic.kind, fresh=fresh)):
        return None
    return make(toxic, fate, now) if fate.strikes(toxic) else None


def _swallows(kind: Blackhole, *, fresh: bool) -> bool:
    return kind.new != "pass" if fresh else kind.established
