"""Abort rules, decided on the pulses of the load alone: quick when traffic is really lost, calm about blips, and latched."""

from gameday.guard.guard import Guard, Trip

__all__ = ["Guard", "Trip"]
