"""``with:`` of the file → the fields of a driver's dataclass, checked; and what a driver's parameters are, for people."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from gameday.schema.errors import ParameterError, did_you_mean
from gameday.schema.quantities import (
    format_duration,
    format_percent,
    format_rate,
    parse_duration,
    parse_percent,
    parse_rate,
    shown,
)

_UNITS = {
    "duration": ("a duration", parse_duration, format_duration),
    "percent": ("a percentage", parse_percent, format_percent),
    "rate": ("a rate", parse_rate, format_rate),
}
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a driver, as the file spells it."""

    name: str
    field: str
    """The name of the dataclass's field."""
    hint: Any
    """Its type."""
    required: bool
    default: str = ""
    """As the file would write it; empty where it must be given, or is empty."""
    help: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def kind(self) -> str:
        """What may be written, in words: ``a duration``, ``text``, ``a list``."""
        return _UNITS[self.unit][0] if self.unit else _kind(self.hint)


def parameters_of(driver: type[Any]) -> tuple[Parameter, ...]:
    """List the parameters of a driver's dataclass, in the order in which it declares them."""
    hints = get_type_hints(driver)
    return tuple(_parameter(field, hints[field.name]) for field in dataclasses.fields(driver) if field.init)


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    unit = str(field.metadata.get("unit", ""))
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return Parameter(
        name=field.name.removesuffix("_"),
        field=field.name,
        hint=hint,
        required=default is MISSING,
        default=_written(default, unit),
        help=str(field.metadata.get("help", "")),
        unit=unit,
        least=field.metadata.get("min"),
        most=field.metadata.get("max"),
    )


def _written(default: Any, unit: str) -> str:
    if default is MISSING or default is None or default in ("", (), {}):
        return ""
    if unit:
        return _UNITS[unit][2](default)
    return shown(default) if isinstance(default, (str, bool)) else str(default)


def read_parameters(name: str, parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for the driver called ``name``; raise ParameterError for the first that is wrong."""
    known = {parameter.name: parameter for parameter in parameters}
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known, "" if known else f"{name} has no parameters")
            raise ParameterError(f"{name} has no parameter {key!r}", parameter=key, kind="unknown", hint=hint)
    for parameter in parameters:
        if parameter.required and parameter.name not in given:
            hint = f"write {parameter.name}: {parameter.help or parameter.kind}"
            raise ParameterError(
                f"{name} needs {parameter.name!r}", parameter=parameter.name, kind="missing", hint=hint
            )
    return {known[key].field: _read(known[key], value) for key, value in given.items()}


def _read(parameter: Parameter, value: Any) -> Any:
    try:
        optional = value is None and types.NoneType in get_args(parameter.hint)
        read = (
            None
            if optional
            else _UNITS[parameter.unit][1](value)
            if parameter.unit
            else _convert(parameter.hint, value)
        )
        _within(parameter, read)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        said = message if parameter.unit else f"{parameter.name!r} {message}"
        raise ParameterError(said, parameter=parameter.name, hint=hint) from None
    return read


def _within(parameter: Parameter, value: Any) -> None:
    """Raise ValueError for a number beyond the parameter's bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    write = _UNITS[parameter.unit][2] if parameter.unit else str
    prefix = f"{parameter.name!r} " if parameter.unit else ""
    if parameter.least is not None and value < parameter.least:
        raise ValueError(
            f"{prefix}must be at least {write(cast('Any', parameter.least))}, not {write(cast('Any', value))}"
        )
    if parameter.most is not None and value > parameter.most:
        raise ValueError(
            f"{prefix}must be at most {write(cast('Any', parameter.most))}, not {write(cast('Any', value))}"
        )


def _convert(hint: Any, value: Any) -> Any:
    """Return ``value`` as ``hint`` wants it; raise ValueError that says what would do."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _first(args, value, hint)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_convert(args[0], item) for item in cast("list[Any]", value))
    if not _fits(origin or hint, args, value):
        fix = f'; quote it: "{value}"' if hint is str and isinstance(value, (int, float)) else ""
        raise ValueError(f"must be {_kind(hint)}, not {shown(value)}{fix}")
    return float(value) if hint is float else value


def _fits(kind: Any, args: tuple[Any, ...], value: Any) -> bool:
    if kind is Any:
        return True
    if kind is Literal:
        return value in args and not isinstance(value, bool)
    if kind is float:
        return type(value) in (int, float)
    if kind in _WORDS:
        return type(value) is kind
    return isinstance(kind, type) and issubclass(kind, Mapping) and isinstance(value, dict)


def _first(choices: tuple[Any, ...], value: Any, hint: Any) -> Any:
    """Return the value as the first of several types that it fits."""
    for choice in choices:
        if choice is types.NoneType:
            if value is None:
                return None
            continue
        try:
            return _convert(choice, value)
        except ValueError:
            continue
    raise ValueError(f"must be {_kind(hint)}, not {shown(value)}")


def _kind(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(str, args))
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(arg) for arg in args if arg is not types.NoneType)
    if origin is tuple:
        return "a list"
    return _WORDS.get(hint, "anything" if hint is Any else "a mapping")
