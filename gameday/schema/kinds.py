"""Kinds of probes that somebody else has installed."""

from __future__ import annotations

from gameday.schema.errors import ProbeCheck, UnknownDriverError
from gameday.spi.errors import GamedayError


def installed(kind: str, probes: ProbeCheck | None) -> bool:
    """Whether there is a probe of this kind, whatever it would say of its parameters; with no check none is known."""
    if probes is None:
        return False
    try:
        probes(kind, {})
    except UnknownDriverError:
        return False
    except GamedayError:
        return True
    return True
