"""Abort rules on the pulses of the load and the readings of the probes: quick when traffic is really lost, calm about blips, latched."""

from gameday.guard.guard import Guard, Trip

__all__ = ["Guard", "Trip"]
