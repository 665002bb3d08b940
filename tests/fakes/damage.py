"""Plain data with any one part missing, or something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, cast


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if before:
        yield before
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("Sequence[Any]", value))
    for key, item in items:
        yield from paths(item, (*before, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    found = deepcopy(value)
    at = found
    for key in path[:-1]:
        at = at[key]
    if new is KeyError and isinstance(at, dict):
        del at[path[-1]]
    else:
        at[path[-1]] = None if new is KeyError else new
    return found
