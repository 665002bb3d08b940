"""Read JSON that others wrote without trusting it: missing parts are empty, text is bounded and cannot act, numbers are finite."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from gameday.model import Json

LINE = 300
"""Longest text of one line, in characters; a 10 kB title must not push the verdict off the page."""
PARAGRAPH = 1_500

_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters: no meaning in HTML, forbidden in XML 1.0
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they reorder the text around them on the screen
    "\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"  # line breaks of their own, and what UTF-8 or XML cannot hold
)


def visible(text: str) -> str:
    """Replace each character that could act (control, bidirectional override, lone surrogate) by its code: ``⟨U+202E⟩``."""
    return _UNSAFE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def bounded(value: object, limit: int = LINE) -> str:
    """Write any value as text of at most ``limit`` characters, saying what was cut."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if len(text) > limit:
        return visible(text[:limit]) + f"… ({len(text):,} characters)"
    return visible(text)


def text(raw: Json, key: str, limit: int = LINE) -> str:
    """Return ``raw[key]`` as bounded text; empty when it is missing or null."""
    return bounded(raw.get(key), limit)


def texts(raw: Json, key: str) -> tuple[str, ...]:
    """Return a list of bounded texts; empty when it is missing or no list."""
    return tuple(bounded(item) for item in _items(raw.get(key)))


def number(raw: Json, key: str) -> float | None:
    """Return a finite number, or None: null, NaN and text are all 'not known'."""
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def part(raw: Json, key: str) -> Json:
    """Return the object under ``key``; empty when it is missing or null."""
    return _object(raw.get(key))


def parts(raw: Json, key: str) -> tuple[Json, ...]:
    """Return the objects in the list under ``key``; empty when it is missing."""
    return tuple(_object(item) for item in _items(raw.get(key)))


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _items(value: object) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()
