"""One member of a JSON document, by a plain path: ``$.queues[0].depth``, ``$['odd key'].n``.

    $           the whole document
    .name       a member: letters, digits, _ and -
    ['name']    a member of any name; "…" will do as well
    [0] [-1]    an item of a list, from the front or from the end

The rest of JSONPath (wildcards, slices, filters) is in jsonquery. Nothing is ever evaluated as code.
"""

from __future__ import annotations

import json
import math
import re
from typing import cast

_STEP = re.compile(r"""\.([A-Za-z0-9_-]+)|\[(-?[0-9]{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")
_LONGEST = 500
_FORM = "write one like $.queues[0].depth"
Path = tuple[str | int, ...]


def parse_path(text: str) -> Path:
    """Read a plain path as its steps, names and indices; raise ValueError that says what would do."""
    if not text.startswith("$") or len(text) > _LONGEST:
        raise ValueError(f"not a path: {text[:80]!r}; {_FORM}")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"not a path: {text[:80]!r}, from {text[at : at + 20]!r} on; {_FORM}")
        name, index, single, double = match.groups()
        steps.append(int(index) if index is not None else next(x for x in (name, single, double) if x is not None))
        at = match.end()
    return tuple(steps)


def number_at(body: bytes, path: Path) -> float:
    """Return the number at ``path`` of a JSON document; raise ValueError that says what is there instead."""
    return as_number(value_at(read_json(body), path), _written(path))


def read_json(body: bytes) -> object:
    """Return a JSON document; raise ValueError when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the answer is no JSON") from None


def value_at(found: object, path: Path) -> object:
    """Return what is at ``path`` of a parsed document; raise ValueError that says where it ends instead."""
    for done, step in enumerate(path):
        found = _member(found, step, _written(path[:done]), _written(path[: done + 1]))
    return found


def as_number(found: object, what: str) -> float:
    """Return what JSON calls a number, and can be compared; raise ValueError that says what it is instead."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError(f"{what} is {_kind(found)}, not a number")  # noqa: TRY004 - data
    return finite(found, what)


def finite(number: float, what: str) -> float:
    """Return a number that can be compared; raise ValueError for what JSON and Python call one, but is none."""
    try:
        value = float(number)
    except OverflowError:
        raise ValueError(f"{what} is too large a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}, not a number that can be compared")
    return value


def _member(found: object, step: str | int, here: str, there: str) -> object:
    if isinstance(step, str):
        if not isinstance(found, dict):
            raise ValueError(f"{here} is {_kind(found)} and has no members")  # noqa: TRY004 - data
        members = cast("dict[str, object]", found)
        if step not in members:
            raise ValueError(f"there is no {there}")
        return members[step]
    if not isinstance(found, list):
        raise ValueError(f"{here} is {_kind(found)} and no list")  # noqa: TRY004 - data
    items = cast("list[object]", found)
    if not -len(items) <= step < len(items):
        raise ValueError(f"there is no {there}: {here} has {len(items)} items")
    return items[step]


def _written(path: Path) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"
