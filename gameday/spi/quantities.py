"""Quantities as people write them, and back: ``1m30s`` ↔ milliseconds, ``100/s``, ``5%``. A unit is never optional.

Whole numbers only inside, so that what is written is what is meant: ``1.001s`` is 1001 ms, never 1000.9999999999999.
"""

from __future__ import annotations

import re

_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,20})?"
_PART = re.compile(r"([0-9]+)(?:\.([0-9]+))?(ms|h|m|s)")
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|h|m|s)){{1,8}}")
_RATE = re.compile(rf"({_NUMBER})/(s|m|min|h)")
_PERCENT = re.compile(rf"({_NUMBER})\s?%")
_PER_SECOND = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
MAX_DURATION_MS = 30 * 24 * 3_600_000
"""Thirty days: longer than any experiment, and a bound for everything that computes with durations."""
_SHOWN = 80
MIN_RATE, MAX_RATE = 1e-4, 1e6
"""Arrivals per second: one in three hours, and more than any single machine reaches."""


def parse_duration(text: object) -> int:
    """Read ``250ms``, ``30s`` or ``1m30s`` as whole milliseconds; raise ValueError that says what would do."""
    stripped = text.strip() if isinstance(text, str) else ""
    if not _DURATION.fullmatch(stripped):
        raise ValueError(f"not a duration: {shown(text)}; write a number with its unit, like 30s, 1m30s or 250ms")
    total = 0
    for whole, fraction, unit in _PART.findall(stripped):
        part, rest = divmod(int(fraction or 0) * _UNITS[unit], 10 ** len(fraction))
        if rest:
            raise ValueError(f"not a whole number of milliseconds: {shown(text)}")
        total += int(whole) * _UNITS[unit] + part
    if total > MAX_DURATION_MS:
        raise ValueError(f"too long: {shown(text)}; at most 720h")
    return total


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
        raise ValueError(f"not a rate: {shown(text)}; write arrivals per time, like 100/s or 30/min")
    rate = float(match[1]) / _PER_SECOND[match[2]]
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"not a possible rate: {shown(text)}; write one from 1/h to {format_rate(MAX_RATE)}")
    return rate


def format_rate(rate: float) -> str:
    """Write a rate so that parse_rate reads the same number back: ``100.0`` → ``100/s``."""
    return f"{rate!r}/s".replace(".0/", "/")


def parse_percent(text: object) -> float:
    """Read ``5%`` as 0.05; raise ValueError that says what would do."""
    match = _PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"not a percentage: {shown(text)}; write it with its sign, like 5%")
    return float(match[1]) / 100


def format_percent(share: float) -> str:
    """Write a share as people do: 0.005 → ``0.5%``."""
    return f"{share * 100:.12f}".rstrip("0").rstrip(".") + "%"


def shown(value: object) -> str:
    """Write a value of the file into a message: short, on one line, text in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
