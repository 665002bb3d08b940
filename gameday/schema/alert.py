"""What an objective may ask of an alert: ``fires: within 90s``, ``fires: never``, ``resolves: within 5m``."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from gameday.schema.marks import Check, Form, Read, Write
from gameday.schema.quantities import format_duration, parse_duration, shown

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NEVER = "never"


class Fires(NamedTuple):
    """How soon an alert must fire after the proven injection, or that it must not."""

    within_ms: int | None
    """None for ``never``."""


def _within(value: object, otherwise: str) -> int:
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2 or words[0] != "within":  # noqa: PLR2004 - within and its duration
        raise ValueError(f"not a time limit: {shown(value)}; write {otherwise}")
    ms = parse_duration(words[1])
    if ms <= 0:
        raise ValueError("must be longer than 0s")
    return ms


def _fires(value: object) -> Fires:
    return Fires(None) if value == NEVER else Fires(_within(value, "within 90s, or never"))


def _fires_text(fires: Fires) -> str:
    return NEVER if fires.within_ms is None else _within_text(fires.within_ms)


def _resolves(value: object) -> int:
    return _within(value, "within 5m")


def _within_text(ms: int) -> str:
    return f"within {format_duration(ms)}"


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError(f"not a label's name: {shown(text)}; write letters, digits and '_'")
    return text


FiresWithin = Annotated[
    Fires,
    Read(_fires),
    Write(_fires_text),
    Form(
        {
            "type": "string",
            "pattern": r"^(never|within\s+(\d+(\.\d+)?(ms|h|m|s))+)$",
            "examples": ["within 90s", NEVER],
        }
    ),
]
"""When an alert must fire."""
ResolvesWithin = Annotated[
    int,
    Read(_resolves),
    Write(_within_text),
    Form({"type": "string", "pattern": r"^within\s+(\d+(\.\d+)?(ms|h|m|s))+$", "examples": ["within 5m"]}),
]
"""Milliseconds after the last revert by which an alert must be quiet again."""
Labels = dict[Annotated[str, Check(_label)], str]
"""Labels, with the values that they must have."""
