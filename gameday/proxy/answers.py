"""What HTTP toxics do to the answers of requests that they have struck."""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import monotonic

from gameday.proxy.http1 import ResponseHead, with_fields
from gameday.proxy.httpkinds import HttpCorrupt, HttpHeader, HttpKind, HttpThrottle, HttpTruncate
from gameday.proxy.pipe import Hold
from gameday.proxy.toxics import Toxic

_INVERT = bytes(255 - byte for byte in range(256))


class Cut(Exception):  # noqa: N818 - not an error: the end of a body
    """The body ends here, after ``left``."""

    def __init__(self, left: bytes) -> None:
        super().__init__()
        self.left = left


class Alteration:
    """What one toxic does to one answer; this one does nothing."""

    most = 0
    """Bytes that may leave together; 0 for any number."""

    def __init__(self, toxic: Toxic) -> None:
        self.toxic = toxic

    def head(self, raw: bytes, head: ResponseHead) -> bytes:
        """Return the head as it goes on."""
        del head
        return raw

    def piece(self, piece: bytes, *, content: bool) -> bytes:
        """Return a piece of the body as it goes on; raises Cut."""
        del content
        return piece

    def hold(self, piece: bytes) -> Hold | None:
        """Return for how long a piece is kept."""
        del piece
        return None


class Heading(Alteration):
    """Header fields are set and removed."""

    def __init__(self, toxic: Toxic, kind: HttpHeader) -> None:
        super().__init__(toxic)
        self._kind = kind

    def head(self, raw: bytes, head: ResponseHead) -> bytes:
        """Change them."""
        del head
        return with_fields(raw, dict(self._kind.set or {}), self._kind.remove) if self.toxic.on else raw


class Corrupting(Alteration):
    """Some bytes are inverted."""

    _spoiled = False

    def __init__(self, toxic: Toxic, kind: HttpCorrupt) -> None:
        super().__init__(toxic)
        self._kind = kind

    def piece(self, piece: bytes, *, content: bool) -> bytes:
        """Invert each byte with the probability that is asked for; the first byte of a body where no other is hit."""
        if not content or not piece or not self.toxic.on:
            return piece
        draw, share = self.toxic.rng.random, self._kind.share
        if share >= 1:
            return piece.translate(_INVERT)
        spoiled = bytearray(piece)
        at = -1
        while share > 0:
            at += 1 + int(math.log(1 - draw()) / math.log(1 - share))  # the gap to the next hit is geometric
            if at >= len(spoiled):
                break
            spoiled[at] ^= 0xFF
            self._spoiled = True
        if not self._spoiled:
            self._spoiled = True
            spoiled[0] ^= 0xFF
        return bytes(spoiled)


class Truncating(Alteration):
    """The body ends early, and its connection with it."""

    def __init__(self, toxic: Toxic, kind: HttpTruncate) -> None:
        super().__init__(toxic)
        self._left = kind.bytes

    def piece(self, piece: bytes, *, content: bool) -> bytes:
        """Count content; raises Cut."""
        if not self.toxic.on:
            return piece
        if not content:
            return piece
        if len(piece) > self._left:
            raise Cut(piece[: self._left])
        self._left -= len(piece)
        return piece


class Throttling(Alteration):
    """The body comes slowly."""

    _free = 0.0

    def __init__(self, toxic: Toxic, kind: HttpThrottle) -> None:
        super().__init__(toxic)
        self._kind = kind
        self.most = kind.rate * 100  # a tenth of a second, as the bandwidth toxic cuts

    def hold(self, piece: bytes) -> Hold | None:
        """Give it its turn."""
        if not self.toxic.on:
            return None
        if not self._kind.rate:
            return Hold(self.toxic, math.inf)
        self._free = max(self._free, monotonic()) + len(piece) / (self._kind.rate * 1000)
        return Hold(self.toxic, self._free)


def alteration_of(toxic: Toxic, kind: HttpKind) -> list[Alteration]:
    """Return what a toxic that struck a request does to its answer."""
    match kind:
        case HttpHeader():
            return [Heading(toxic, kind)]
        case HttpCorrupt():
            return [Corrupting(toxic, kind)]
        case HttpTruncate():
            return [Truncating(toxic, kind)]
        case HttpThrottle():
            return [Throttling(toxic, kind)]
        case _:
            return []


def held(alterations: Sequence[Alteration], piece: bytes) -> list[tuple[bytes, Hold | None]]:
    """Return a piece in parts, each with the longest of the times for which it is kept."""
    size = min((alteration.most for alteration in alterations if alteration.most), default=len(piece)) or 1
    parts = [piece[start : start + size] for start in range(0, len(piece), size)]
    found: list[tuple[bytes, Hold | None]] = []
    for part in parts:
        holds = [hold for alteration in alterations if (hold := alteration.hold(part)) is not None]
        found.append((part, max(holds, key=lambda hold: hold.until, default=None)))
    return found
