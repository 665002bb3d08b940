"""Whether two runs measured the same thing, and whether a run put anything to the test at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from gameday.model import Json
from gameday.spi.reading import part, parts, text

DECIDES = ("load", "slis", "objectives", "phases", "faults")
"""Parts of the experiment in which two runs must agree to be compared."""
_SHOWN = 80
_MEMBERS = 5


def differences(before: Json, now: Json) -> list[str]:
    """Say, for two plans (plan.json), in which of these parts they differ, a line each; empty when they can be compared."""
    if before.get("digest") == now.get("digest") and before.get("variant") == now.get("variant"):
        return []
    old, new = _mapping(before.get("experiment")), _mapping(now.get("experiment"))
    return [_difference(part, old.get(part), new.get(part)) for part in DECIDES if old.get(part) != new.get(part)]


def only_checked(verdict: Json) -> bool:
    """Whether nothing was to be put to the test: ``gameday check`` ends in order, and arms no fault although none was skipped."""
    faults = parts(verdict, "faults")
    untouched = all(raw.get("armed_ms") is None and text(raw, "reason", 20) != "skipped" for raw in faults)
    return bool(faults) and untouched and not part(verdict, "abort") and not part(verdict, "stopped")


def _difference(part: str, old: object, new: object) -> str:
    """Name the members that differ, with their values where these are short."""
    before, after = _mapping(old), _mapping(new)
    members = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    if not members:
        return f"{part} differ"
    shown = [f"{part}.{key}: {_short(before, key)} before, {_short(after, key)} now" for key in members[:_MEMBERS]]
    return "; ".join(shown) + (f"; and {len(members) - _MEMBERS} more" if len(members) > _MEMBERS else "")


def _short(section: Mapping[str, Any], key: str) -> str:
    if key not in section:
        return "none"
    value = section[key]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
