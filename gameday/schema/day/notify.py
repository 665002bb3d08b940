"""``notify:`` and ``silence_alerts:`` who is told of a day, as of a run, and which alerts are silenced while its experiments are on."""

from __future__ import annotations

from gameday.schema.fields import Line
from gameday.schema.notify import Channel, check_channels

SilencedAlerts = tuple[Line, ...]
"""Names of alerts."""

__all__ = ["Channel", "SilencedAlerts", "check_channels"]
