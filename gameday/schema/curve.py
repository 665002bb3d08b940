"""A level over time, piecewise linear: how many arrivals per second, or users, a load asks for at each moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Step(NamedTuple):
    """One stage: ramp linearly from the level before to ``level``, then hold it."""

    level: float
    ramp_ms: int
    hold_ms: int


class _Piece(NamedTuple):
    from_ms: int
    to_ms: int
    begin: float
    end: float

    def at(self, ms: float) -> float:
        """Return the level at a moment of this piece."""
        share = (ms - self.from_ms) / (self.to_ms - self.from_ms)
        return self.begin + (self.end - self.begin) * share


@dataclass(frozen=True, slots=True)
class Curve:
    """A level from zero on; after the last piece, and before the first, it stays as it is there."""

    pieces: tuple[_Piece, ...]
    last: float

    @classmethod
    def constant(cls, level: float) -> Curve:
        """Return the curve that never changes."""
        return cls((), level)

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Curve:
        """Return the curve of stages one after the other; the first ramps from zero."""
        pieces: list[_Piece] = []
        clock, before = 0, 0.0
        for level, ramp_ms, hold_ms in steps:
            if ramp_ms:
                pieces.append(_Piece(clock, clock + ramp_ms, before, level))
            clock += ramp_ms
            if hold_ms:
                pieces.append(_Piece(clock, clock + hold_ms, level, level))
            clock, before = clock + hold_ms, level
        return cls(tuple(pieces), before)

    @property
    def peak(self) -> float:
        """The highest level."""
        return max([self.last, *(max(piece.begin, piece.end) for piece in self.pieces)])

    @property
    def length_ms(self) -> int:
        """When the level has reached its last value for good; zero for a constant."""
        return self.pieces[-1].to_ms if self.pieces else 0

    def at(self, ms: float) -> float:
        """Return the level at a moment, the new one where it jumps."""
        if self.pieces and ms < 0:
            return self.pieces[0].begin
        return next((piece.at(ms) for piece in self.pieces if piece.from_ms <= ms < piece.to_ms), self.last)

    def area(self, from_ms: float, to_ms: float) -> float:
        """Return the exact integral over ``[from_ms, to_ms)`` of level · seconds; nothing before zero counts."""
        total = 0.0
        for piece in self.pieces:
            low, high = max(from_ms, piece.from_ms), min(to_ms, piece.to_ms)
            if low < high:
                total += (piece.at(low) + piece.at(high)) / 2 * (high - low)
        return (total + self.last * max(0.0, to_ms - max(from_ms, self.length_ms))) / 1000
