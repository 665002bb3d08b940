"""How a toxic's attributes are read from JSON and written back: one dataclass a kind, one checked field an attribute."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar, cast

from gameday.proxy.errors import RefusedError

LONGEST_MS = 24 * 3600 * 1000
MOST = 2**53
"""The largest whole number that every JSON reader keeps."""
_TEXT_LIMIT = 8 * 1024

Check = Callable[[object], Any]
"""Returns the value, or raises ValueError with what would do."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a kind of toxic does, in numbers; the subclass's fields are its attributes, in Toxiproxy's order."""

    TYPE: ClassVar[str]
    """As the API spells it."""

    def to_json(self) -> dict[str, Any]:
        """As Toxiproxy answers it; what Toxiproxy does not know shows only where it is not as usual."""
        shown: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value: object = getattr(self, field.name)
            if not field.metadata.get("ours") or value != field.default:
                shown[field.name] = list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
        return shown


Kind = TypeVar("Kind", bound=Attributes)


def read_attributes(now: Kind, given: object) -> Kind:
    """Return ``now`` with what is given changed; attributes that this kind does not have are ignored, as Toxiproxy does."""
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise RefusedError(400, "bad request body: attributes is not an object")
    attributes = cast("dict[str, Any]", given)
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(now):
        if attributes.get(field.name) is None:
            continue
        try:
            changes[field.name] = field.metadata["check"](attributes[field.name])
        except ValueError as error:
            raise RefusedError(400, f"bad request body: {field.name} {error}") from error
    try:
        return dataclasses.replace(now, **changes)
    except ValueError as error:
        raise RefusedError(400, f"bad request body: {error}") from error


def attribute(check: Check, default: Any, *, ours: bool = False) -> Any:
    """Declare an attribute; ``ours`` is one that Toxiproxy does not have."""
    return dataclasses.field(default=default, metadata={"check": check, "ours": ours})


def milliseconds(value: object) -> int:
    """Read a time."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_MS:
        raise ValueError("is a whole number of milliseconds, at most a day")
    return value


def whole(value: object) -> int:
    """Read a count."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError("is a whole number, zero or more")
    return value


def fraction(value: object) -> float:
    """Read a part of a whole."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("is a number from 0 to 1")
    return float(value)


def flag(value: object) -> bool:
    """Read a yes or no."""
    if not isinstance(value, bool):
        raise ValueError("is true or false")  # noqa: TRY004 - all of them raise ValueError
    return value


def text(value: object) -> str:
    """Read some text that UTF-8 can carry."""
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT or any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError(f"is text of at most {_TEXT_LIMIT} characters")
    return value


def one_of(choices: Sequence[str]) -> Check:
    """Read one of some words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"is one of {', '.join(choices)}")
        return value

    return check
