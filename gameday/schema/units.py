"""Quantities as fields of the file's models: text outside, whole milliseconds and plain numbers inside."""

from __future__ import annotations

from typing import Annotated, Any

from gameday.schema.marks import Form, Read, Write
from gameday.schema.quantities import (
    format_duration,
    format_percent,
    format_rate,
    parse_duration,
    parse_percent,
    parse_rate,
)


def _positive(value: Any) -> int:
    ms = parse_duration(value)
    if ms <= 0:
        raise ValueError("must be longer than 0s")
    return ms


_TEXT = Write(format_duration)
_SCHEMA = Form({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|h|m|s))+$", "examples": ["30s", "1m30s", "250ms"]})

Duration = Annotated[int, Read(parse_duration), _TEXT, _SCHEMA]
"""Milliseconds, zero or more; ``30s`` in the file."""
PositiveDuration = Annotated[int, Read(_positive), _TEXT, _SCHEMA]
"""Milliseconds, more than zero: a fault of no length was once left injected for ever."""
Rate = Annotated[
    float,
    Read(parse_rate),
    Write(format_rate),
    Form({"type": "string", "pattern": r"^\d+(\.\d+)?/(s|m|min|h)$", "examples": ["100/s"]}),
]
"""Arrivals per second; ``100/s`` in the file."""

__all__ = [
    "Duration",
    "PositiveDuration",
    "Rate",
    "format_duration",
    "format_percent",
    "format_rate",
    "parse_duration",
    "parse_percent",
    "parse_rate",
]
