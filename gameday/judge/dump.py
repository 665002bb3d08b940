"""A verdict as bytes: the same verdict gives the same bytes on every platform and Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from gameday.model import Json

DIGITS = 6
"""Decimal places that are kept of a float: what differs behind them between platforms is noise."""


def to_bytes(verdict: Json) -> bytes:
    """Return canonical JSON: sorted keys, two spaces, ASCII, floats of six places; raise ValueError for NaN or infinity."""
    text = json.dumps(_rounded(verdict), sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def _rounded(value: object) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # + 0.0 turns -0.0 into 0.0
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in cast("list[object]", value)]
    return value
