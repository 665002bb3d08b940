"""Quantities as the file writes them; drivers and probes read the same ones, so they live in gameday.spi."""

from gameday.spi.quantities import (
    MAX_DURATION_MS,
    MAX_RATE,
    MIN_RATE,
    format_duration,
    format_percent,
    format_rate,
    parse_duration,
    parse_percent,
    parse_rate,
    shown,
)

__all__ = [
    "MAX_DURATION_MS",
    "MAX_RATE",
    "MIN_RATE",
    "format_duration",
    "format_percent",
    "format_rate",
    "parse_duration",
    "parse_percent",
    "parse_rate",
    "shown",
]
