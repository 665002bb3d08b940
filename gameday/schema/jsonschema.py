"""The JSON Schema of an experiment file and of a game-day file, made from the models and turned into the file's own form, for editors."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from gameday.schema.experiment import SPEAKS_OF, Experiment, FaultSpec, Objective, Recover, Sli
from gameday.schema.jsonparts import MATRIX, REFERENCE, SLI_KINDS, USE, USED, USES, VARIABLES
from gameday.schema.marks import Form
from gameday.schema.nodes import as_list, as_mapping
from gameday.schema.section import Bound, Section

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str = "experiment") -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind of file; raise KeyError for a kind there is none of."""
    return {"experiment": _experiment, "day": _day}[kind]()


def section_schema(section: type[Section], title: str) -> dict[str, Any]:
    """Return the JSON Schema of a file that is one section and has no variables."""
    definitions: dict[str, Any] = {}
    top = _section(section, definitions)
    whole = {"$schema": _DIALECT, "title": title, **top, "$defs": dict(sorted(definitions.items()))}
    return cast("dict[str, Any]", _without_variables(whole))


def _without_variables(schema: object) -> Any:
    if entries := as_list(schema):
        return [_without_variables(one) for one in entries]
    members = as_mapping(schema)
    if not members:
        return schema
    found = {name: _without_variables(one) for name, one in members.items()}
    either: Any = found.pop("anyOf", None)
    return found if either is None else {**found, **either[0]}


def _experiment() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    top = _section(Experiment, definitions)
    fault = definitions[FaultSpec.__name__]
    fault["properties"].pop("name")
    fault["required"].remove("name")
    definitions[Objective.__name__] |= {"anyOf": [{"required": list(keys)} for keys in SPEAKS_OF]}
    definitions[Sli.__name__] = _sli(definitions[Sli.__name__])
    form = {
        "type": "object",
        "description": "One fault, under its name.",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"$ref": f"#/$defs/{FaultSpec.__name__}"},
    }
    properties = top["properties"]
    properties["faults"]["items"] = {"if": {"required": ["use"]}, "then": USE, "else": form}
    top["properties"] = {
        **{name: properties[name] for name in ("version", "title")},
        "use": USED,
        "variables": VARIABLES,
        "matrix": MATRIX,
        "uses": USES,
        **properties,
    }
    properties["objectives"]["minProperties"] = 1
    top["required"] = [name for name in top["required"] if name != "faults"]
    top["anyOf"] = [{"required": keys} for keys in (["objectives", "faults"], ["use", "faults"], ["uses"])]
    return {"$schema": _DIALECT, "title": "gameday experiment", **top, "$defs": dict(sorted(definitions.items()))}


def _day() -> dict[str, Any]:
    from gameday.schema.day.agenda import KINDS, AgendaItem, Prerequisite  # noqa: PLC0415 - only for this kind
    from gameday.schema.day.file import DayFile  # noqa: PLC0415 - only for this kind

    definitions: dict[str, Any] = {}
    top = _section(DayFile, definitions)
    for section, names in ((AgendaItem, KINDS), (Prerequisite, ("check", "experiment"))):
        definitions[section.__name__]["oneOf"] = [{"required": [name]} for name in names]
    properties = top["properties"]
    top["properties"] = {
        **{name: properties[name] for name in ("version", "title")},
        "variables": VARIABLES,
        **properties,
    }
    return {"$schema": _DIALECT, "title": "gameday game day", **top, "$defs": dict(sorted(definitions.items()))}


def _section(section: type[Section], definitions: dict[str, Any]) -> dict[str, Any]:
    bound = section.bound()
    return {
        "type": "object",
        "description": (section.__doc__ or "").partition("\n")[0],
        "additionalProperties": False,
        "required": [name for name, one in bound.items() if one.key.required],
        "properties": {name: _key(one, definitions) for name, one in bound.items()},
    }


def _sli(found: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a gauge, whose other keys are its probe's own: each kind has others."""
    about = "One gauge: its kind with its value, the probe's other parameters, and how often it is read."
    ours = {name: found["properties"][name] for name in ("every", "source")}
    return {"type": "object", "description": about, "minProperties": 1, "properties": {**SLI_KINDS, **ours}}


def _key(one: Bound, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one key; a variable may stand for any single value that is not plain text."""
    schema = {**_type(one.hint, definitions), **_bounds(one, _type(one.hint, definitions))}
    about: dict[str, Any] = {"description": one.key.description} if one.key.description else {}
    if one.key.examples:
        schema["examples"] = list(one.key.examples)
    if not one.key.required and one.key.default not in (None, (), {}, Recover()):
        about["default"] = one.write(one.key.default)
    single = schema.get("type") in ("integer", "number", "boolean") or "const" in schema or "enum" in schema
    if single or "pattern" in schema:
        return {**about, "anyOf": [schema, REFERENCE]}
    return {**about, **schema}


def _bounds(one: Bound, schema: dict[str, Any]) -> dict[str, Any]:
    least, most = {
        "integer": ("minimum", "maximum"),
        "array": ("minItems", "maxItems"),
        "object": ("minProperties", "maxProperties"),
    }.get(str(schema.get("type")), ("", ""))
    bounds = {least: one.key.least, most: one.key.most} if least else {}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of type
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        form = next((mark for mark in args[1:] if isinstance(mark, Form)), None)
        return dict(form.schema) if form is not None else _type(args[0], definitions)
    if origin in (Union, types.UnionType):
        return _type(next(arg for arg in args if arg is not types.NoneType), definitions)
    if origin is tuple:
        return {"type": "array", "items": _type(args[0], definitions)}
    if origin is dict:
        inner = _type(args[1], definitions)
        return {"type": "object", "additionalProperties": inner or True}
    if origin is Literal:
        kind = "boolean" if isinstance(args[0], bool) else "integer" if isinstance(args[0], int) else "string"
        return {"type": kind, **({"const": args[0]} if len(args) == 1 else {"enum": list(args)})}
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if hint is Any:
        return {}
    if hint.__name__ not in definitions:
        definitions[hint.__name__] = {}
        definitions[hint.__name__] = _section(hint, definitions)
    return {"$ref": f"#/$defs/{hint.__name__}"}


_TYPES: dict[Any, str] = {str: "string", int: "integer", bool: "boolean"}
