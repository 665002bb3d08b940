"""A circuit breaker as a pure state machine: the clock is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """The number is what ``/metrics`` shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Opens after ``failures`` failures in a row; ``open_seconds`` later one call at a time may try again."""

    failures: int
    open_seconds: float
    state: State = State.CLOSED
    _in_a_row: int = 0
    _opened_at: float = 0.0

    def allows(self, now: float) -> bool:
        """Whether a call may be made now; every allowed call must end in ``succeeded`` or ``failed``."""
        if self.state is State.OPEN and now - self._opened_at >= self.open_seconds:
            self.state = State.HALF_OPEN
            return True
        return self.state is State.CLOSED

    def succeeded(self) -> None:
        """Close, unless this is the late answer to a call from before it opened."""
        if self.state is not State.OPEN:
            self.state = State.CLOSED
            self._in_a_row = 0

    def failed(self, now: float) -> None:
        """Count the failure, and open on the last one that is borne; a failed try opens at once."""
        self._in_a_row += 1
        if self.state is State.HALF_OPEN or (self.state is State.CLOSED and self._in_a_row >= self.failures):
            self.state = State.OPEN
            self._opened_at = now
