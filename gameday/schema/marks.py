"""What an annotation means: how a value is read from plain data, what is wrong with it, and how it is written back.

The marks of ``Annotated[X, …]``: ``Before`` turns plain data into what X reads, ``Read`` reads it in the place of X, ``Check`` looks at
what was read, ``Write`` writes it, and ``Form`` is its JSON Schema. The first three raise ValueError with a message and, after a
semicolon, what would do.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, cast, get_args, get_origin

from gameday.schema.nodes import Path

KEY = "[key]"
"""The last part of the path to a key of a mapping that is wrong itself."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_TRUTH = {"true": True, "false": False}
_KINDS: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false"}


class Mistake(NamedTuple):
    """One thing that is wrong with plain data."""

    kind: Literal["unknown", "missing", "type", "value", "choice", "least", "most", "empty", "too-many"]
    path: Path
    value: Any
    said: str = ""
    """The message of ``value``; what was wanted for ``type`` and ``choice``; the bound for ``least`` and ``most``."""


Reader: TypeAlias = Callable[[Any, Path, list[Mistake]], Any]
"""Read a value that stands at a path; what is wrong is added to the list, and what is returned then has no meaning."""
Writer: TypeAlias = Callable[[Any], Any]


class Check(NamedTuple):
    """A check of what was read, which may also put it into its best form."""

    function: Callable[[Any], Any]


class Before(NamedTuple):
    """Turns plain data into the form that the annotation's type reads."""

    function: Callable[[Any], Any]


class Read(NamedTuple):
    """Reads plain data, whatever the annotation's type."""

    function: Callable[[Any], Any]


class Write(NamedTuple):
    """Writes a value as the file does."""

    function: Writer


@dataclass(frozen=True, eq=False)
class Form:
    """The JSON Schema of what the file may have."""

    schema: dict[str, Any]


def bare(hint: Any) -> Any:
    """Return a type without Annotated and None."""
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint = get_args(hint)[0]
        elif origin in (Union, types.UnionType):
            hint = next((arg for arg in get_args(hint) if arg is not types.NoneType), None)
        else:
            return hint


def reader_of(hint: Any) -> Reader:  # noqa: PLR0911 - one for each kind of type
    """Return what reads a value of this type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _marked(hint)
    if origin in (Union, types.UnionType):
        return _optional(reader_of(next(arg for arg in args if arg is not types.NoneType)))
    if origin is tuple:
        return _list(reader_of(args[0]))
    if origin is dict:
        return _mapping(reader_of(args[0]), reader_of(args[1]))
    if origin is Literal:
        return _choice(args)
    if hint is Any:
        return lambda value, _path, _mistakes: value
    if hint in _KINDS:
        return _scalar(hint)
    section: Reader = hint.read
    return section


def _marked(hint: Any) -> Reader:
    kind, *marks = get_args(hint)
    read = next((mark for mark in marks if isinstance(mark, Read)), None)
    inner = _by(read.function) if read is not None else reader_of(kind)
    steps = [_by(mark.function) for mark in marks if isinstance(mark, Before)]
    steps += [inner, *(_by(mark.function) for mark in marks if isinstance(mark, Check))]
    return _in_turn(steps) if len(steps) > 1 else inner


def _in_turn(steps: list[Reader]) -> Reader:
    """Each step reads what the one before it found, until something is wrong."""

    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        before = len(mistakes)
        for step in steps:
            value = step(value, path, mistakes)
            if len(mistakes) > before:
                return None
        return value

    return read


def _by(function: Callable[[Any], Any]) -> Reader:
    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        try:
            return function(value)
        except ValueError as error:
            mistakes.append(Mistake("value", path, value, str(error)))
            return None

    return read


def _optional(inner: Reader) -> Reader:
    return lambda value, path, mistakes: None if value is None else inner(value, path, mistakes)


def _list(inner: Reader) -> Reader:
    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        if not isinstance(value, (list, tuple)):
            mistakes.append(Mistake("type", path, value, "a list"))
            return ()
        items = cast("Iterable[Any]", value)
        return tuple([inner(item, (*path, index), mistakes) for index, item in enumerate(items)])

    return read


def _mapping(key: Reader, inner: Reader) -> Reader:
    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        if not isinstance(value, dict):
            mistakes.append(Mistake("type", path, value, "a mapping"))
            return {}
        entries = cast("dict[str, Any]", value).items()
        return {key(name, (*path, name, KEY), mistakes): inner(item, (*path, name), mistakes) for name, item in entries}

    return read


def _choice(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            wanted = " or ".join(str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices)
            mistakes.append(Mistake("choice", path, value, wanted))
        return value

    return read


def _scalar(kind: type[Any]) -> Reader:
    def read(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
        if type(value) is kind:
            return value
        if isinstance(value, str):  # a variable of the environment is text, whatever it stands for
            if kind is int and _INTEGER.fullmatch(value):
                return int(value)
            if kind is bool and value in _TRUTH:
                return _TRUTH[value]
        mistakes.append(Mistake("type", path, value, _KINDS[kind]))
        return None

    return read


def within(least: int | None, most: int | None, value: Any, path: Path, mistakes: list[Mistake]) -> None:
    """Note a number, or a number of entries, beyond its bounds."""
    counted = isinstance(value, (tuple, dict, str))
    if value is None or (least is None and most is None):
        return
    size: int = len(cast("Sized", value)) if counted else value
    if least is not None and size < least:
        mistakes.append(Mistake("empty" if counted else "least", path, value, str(least)))
    elif most is not None and size > most:
        mistakes.append(Mistake("too-many" if counted else "most", path, value, str(most)))


def writer_of(hint: Any) -> Writer:
    """Return what writes a value of this type in the file's grammar."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        write = next((mark for mark in args[1:] if isinstance(mark, Write)), None)
        return write.function if write is not None else writer_of(args[0])
    if origin in (Union, types.UnionType):
        return writer_of(next(arg for arg in args if arg is not types.NoneType))
    if origin is tuple:
        item = writer_of(args[0])
        return lambda value: [item(one) for one in value]
    if origin is dict:
        entry = writer_of(args[1])
        return lambda value: {name: entry(one) for name, one in value.items()}
    if hasattr(hint, "to_json"):
        return lambda value: value.to_json()
    return lambda value: value
