"""Sections of a file as frozen values: read from plain data with every mistake in one go, and written back as the file writes them.

A section is a class whose annotated attributes are its keys. Annotations: ``str``, ``int``, ``bool``, ``Literal[…]``, ``Any``, a
section, ``tuple[X, …]``, ``dict[K, X]``, each of them ``| None``, and ``Annotated[X, …]`` with the marks of gameday.schema.marks. They are
looked at when a section is read for the first time: a command that reads no file pays for none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import get_annotations
from typing import Any, ClassVar, NamedTuple, Self, cast, dataclass_transform, get_type_hints

from gameday.schema.marks import Mistake, Reader, Writer, reader_of, within, writer_of
from gameday.schema.nodes import Path

_REQUIRED: Any = object()


class InvalidError(ValueError):
    """Plain data is no such section: everything that is wrong with it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        shown = "; ".join(f"{'.'.join(map(str, one.path))}: {one.said}" for one in self.mistakes[:10])
        super().__init__(shown)


class Key(NamedTuple):
    """One key of a section, as its class declares it."""

    default: Any
    name: str
    """As the file spells it; empty where it is the attribute's own name."""
    description: str
    examples: tuple[Any, ...]
    least: int | None
    """Of a whole number, or of the number of entries."""
    most: int | None

    @property
    def required(self) -> bool:
        """Whether the file must have it."""
        return self.default is _REQUIRED


class Bound(NamedTuple):
    """One key of a section, ready to be read."""

    attribute: str
    key: Key
    hint: Any
    read: Reader
    write: Writer


def key(
    *,
    default: Any = _REQUIRED,
    alias: str = "",
    description: str = "",
    examples: Iterable[Any] = (),
    least: int | None = None,
    most: int | None = None,
) -> Any:
    """Declare a key with more than its type; without a ``default`` the file must have it. ``alias`` is how the file spells it."""
    return Key(default, alias, description, tuple(examples), least, most)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
class Section:  # noqa: PLW1641 - it holds mappings, which have no hash
    """One section of the file: frozen, compared by value, and an unknown key is an error."""

    keys: ClassVar[Mapping[str, Key]] = {}
    """Attribute → key."""
    _bound: ClassVar[Mapping[str, Bound]]

    def __init_subclass__(cls) -> None:
        """Note the keys; what their annotations mean is found out when they are needed."""
        declared = {name: cls.__dict__.get(name, _REQUIRED) for name in get_annotations(cls)}
        own = {name: value if isinstance(value, Key) else key(default=value) for name, value in declared.items()}
        for name in own:
            if name in cls.__dict__:
                delattr(cls, name)
        cls.keys = {**cls.keys, **own}

    def __init__(self, **values: Any) -> None:
        """Make it of values as they are inside; nothing is checked."""
        self.__dict__.update({name: value.default for name, value in type(self).keys.items()}, **values)

    @classmethod
    def bound(cls) -> Mapping[str, Bound]:
        """Return the keys by the names that the file has for them, ready to be read: found out once."""
        found: dict[str, Bound] | None = cls.__dict__.get("_bound")
        if found is None:
            hints = get_type_hints(cls, include_extras=True)
            found = {
                one.name or name: Bound(name, one, hints[name], reader_of(hints[name]), writer_of(hints[name]))
                for name, one in cls.keys.items()
            }
            cls._bound = found
        return found

    @classmethod
    def model_validate(cls, raw: object) -> Self:
        """Read plain data, as YAML or JSON gives it; raise InvalidError with everything that is wrong."""
        mistakes: list[Mistake] = []
        made = cls.read(raw, (), mistakes)
        if mistakes:
            raise InvalidError(mistakes)
        return cast("Self", made)

    @classmethod
    def read(cls, raw: object, path: Path, mistakes: list[Mistake]) -> Self | None:
        """Read plain data that stands at ``path``; what is wrong is added to ``mistakes``, and the result is None."""
        if not isinstance(raw, dict):
            mistakes.append(Mistake("type", path, raw, "a mapping"))
            return None
        before = len(mistakes)
        try:
            given = cls.reshaped(cast("dict[str, Any]", raw))
        except ValueError as error:
            mistakes.append(Mistake("value", path, raw, str(error)))
            return None
        values = cls._values(given, path, mistakes)
        if len(mistakes) > before:
            return None
        made = cls(**values)
        try:
            made.agree()
        except ValueError as error:
            mistakes.append(Mistake("value", path, raw, str(error)))
            return None
        return made

    @classmethod
    def _values(cls, given: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
        bound = cls.bound()
        mistakes += [Mistake("unknown", (*path, name), given[name]) for name in given if name not in bound]
        values: dict[str, Any] = {}
        for name, one in bound.items():
            if name in given:
                before = len(mistakes)
                read = one.read(given[name], (*path, name), mistakes)
                if len(mistakes) == before:
                    within(one.key.least, one.key.most, read, (*path, name), mistakes)
                values[one.attribute] = read
            elif one.key.required:
                mistakes.append(Mistake("missing", (*path, name), given))
        return values

    @classmethod
    def reshaped(cls, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the data in the form of the keys, where the file has another; raise ValueError."""
        return raw

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""

    def to_json(self) -> dict[str, Any]:
        """Write in the file's own grammar; ``model_validate`` reads it back."""
        values = ((name, one.write, getattr(self, one.attribute)) for name, one in type(self).bound().items())
        return {name: write(value) for name, write, value in values if value is not None}

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return the same with other values; nothing is checked."""
        return type(self)(**{**self._state(), **update})

    def _state(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in type(self).keys}

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._state() == other._state()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._state().items())})"
