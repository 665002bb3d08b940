"""The one exception tree.

GamedayError
├── DriverError    the driver could not act, or does not know: the run becomes inconclusive, never pass
│   └── NoTargetError  there is nothing there that the fault could be for; a file may say that this is skipped
├── ProbeError     the probe could not read its SLI: the sample is missing, never zero
│   ├── QueryError the source answered, but the question is wrong: no such member, not a number
│   └── StaleError the source answered with what it knew long ago
├── NotSentError   a notification was not taken (gameday.spi.notifier): it is told, and changes nothing
└── LoadError      the load generator could not start, or was lost
"""

from __future__ import annotations


class GamedayError(Exception):
    """Anything that gameday says went wrong, with the fix in ``hint`` where one is known."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DriverError(GamedayError):
    """The driver could not act, or does not know; unknown is never success."""


class NoTargetError(DriverError):
    """Nothing matches what the fault is for: raised by ``plan``."""


class ProbeError(GamedayError):
    """The probe could not read its SLI; the sample is missing, never zero."""


class QueryError(ProbeError):
    """The source answered, but not with the number that was asked for: asking again will not help."""


class StaleError(ProbeError):
    """The source answered, but with what it knew long ago: it is no reading of now."""


class LoadError(GamedayError):
    """The load generator could not start, or was lost."""
