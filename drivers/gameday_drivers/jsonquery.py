"""One number of a JSON document, by any JSONPath (RFC 9535): ``$.queues[?@.name == 'jobs'].depth``.

A plain path is read by jsonpath, all others by the library ``jsonpath-rfc9535``: the extra ``[jsonpath]``, imported when a file has
such a path. A gauge is one number: a path that leads to none or to several is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from gameday_drivers.jsonpath import Path, as_number, number_at, parse_path, read_json

_LONGEST = 500
_SHOWN = 80
_EXTRA = "pip install 'gameday-runner[jsonpath]', or write a plain path like $.queues[0].depth"
_FORM = "write one like $.queues[?@.name == 'jobs'].depth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A path that may lead to several values."""

    text: str
    values: Callable[[object], list[object]]
    """Everything that it leads to in a document; raises ValueError when that cannot be found out."""


def read_path(text: str) -> Path | Query:
    """Read a path; raise ValueError that says what would do."""
    try:
        return parse_path(text)
    except ValueError:
        if not text.startswith("$") or len(text) > _LONGEST or not set(text) & set("?*:,.["):
            raise
    return Query(text=text, values=_compiled(text))


def number_by(body: bytes, path: Path | Query) -> float:
    """Return the number that ``path`` leads to; raise ValueError that says what is there instead."""
    if not isinstance(path, Query):
        return number_at(body, path)
    found = path.values(read_json(body))
    if len(found) != 1:
        raise ValueError(f"{path.text} leads to {len(found) or 'no'} values, not to one")
    return as_number(found[0], path.text)


def _compiled(text: str) -> Callable[[object], list[object]]:
    try:
        import jsonpath_rfc9535 as library  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(f"a path that needs the extra [jsonpath]: {text[:_SHOWN]!r}; {_EXTRA}") from None
    try:
        query = library.compile(text)
    except (library.JSONPathError, RecursionError) as error:
        why = str(error).partition("\n")[0]  # newer ones draw the place below
        raise ValueError(f"not a path: {text[:_SHOWN]!r}: {why}; {_FORM}") from None

    def values(document: object) -> list[object]:
        try:
            return list(query.find(cast("Any", document)).values())
        except (library.JSONPathError, RecursionError) as error:
            raise ValueError(f"{text} cannot be looked up: {error}") from None

    return values
