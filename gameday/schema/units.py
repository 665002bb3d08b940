"""Quantities as people write them, and back: ``1m30s`` ↔ milliseconds, ``100/s``, ``5%``. A unit is never optional."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|min|h)")
_PER_SECOND = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_duration(text: object) -> int:
    """Read ``250ms``, ``30s`` or ``1m30s`` as whole milliseconds; raise ValueError that says what would do."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text.strip()):
        raise ValueError(f"not a duration: {_shown(text)}; write a number with its unit, like 30s, 1m30s or 250ms")
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if total != int(total):
        raise ValueError(f"not a whole number of milliseconds: {text}")
    return int(total)


def format_duration(ms: int) -> str:
    """Write milliseconds so that parse_duration reads the same number back: ``90000`` → ``1m30s``."""
    if ms == 0:
        return "0s"
    parts: list[str] = []
    for unit, size in _UNITS.items():
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_rate(text: object) -> float:
    """Read ``100/s`` or ``30/min`` as arrivals per second; raise ValueError that says what would do."""
    match = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"not a rate: {_shown(text)}; write arrivals per time, like 100/s or 30/min")
    return float(match[1]) / _PER_SECOND[match[2]]


def format_rate(rate: float) -> str:
    """Write a rate so that parse_rate reads the same number back."""
    return f"{rate:.12g}/s"


def parse_percent(text: object) -> float:
    """Read ``5%`` as 0.05; raise ValueError that says what would do."""
    match = _PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"not a percentage: {_shown(text)}; write it with its sign, like 5%")
    return float(match[1]) / 100


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _positive(ms: int) -> int:
    if ms <= 0:
        raise ValueError("must be longer than 0s")
    return ms


def _duration(value: Any) -> int:
    return parse_duration(value)


_TEXT = PlainSerializer(format_duration, return_type=str)
_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|h|m|s))+$", "examples": ["30s", "1m30s", "250ms"]})

Duration = Annotated[int, BeforeValidator(_duration), _TEXT, _SCHEMA]
"""Milliseconds, zero or more; ``30s`` in the file."""
PositiveDuration = Annotated[int, BeforeValidator(lambda value: _positive(parse_duration(value))), _TEXT, _SCHEMA]
"""Milliseconds, more than zero: a fault of no length was once left injected for ever."""
Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(format_rate, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?/(s|m|min|h)$", "examples": ["100/s"]}),
]
"""Arrivals per second; ``100/s`` in the file."""
