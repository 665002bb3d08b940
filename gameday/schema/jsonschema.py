"""The JSON Schema of an experiment file, made from the models and turned into the file's own form, for editors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from gameday.schema.experiment import Experiment
from gameday.schema.quantities import format_duration

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"\$\{[^{}$]+\}", "description": "a variable: ${name}"}
_VARIABLES = {
    "type": "object",
    "description": "Values for ${name}: a plain value, or where it comes from. --var and --var-file win over both.",
    "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"},
    "additionalProperties": {
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "env": {"type": "string", "description": "the environment variable that holds it"},
                    "default": {"type": ["string", "number", "boolean"], "description": "used when nothing else says"},
                    "secret": {"type": "boolean", "description": "never written anywhere; has no default"},
                },
            },
        ]
    },
}
_MATRIX = {
    "type": "object",
    "description": "The same hypothesis once for each combination of values; each name is a variable.",
    "minProperties": 1,
    "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"},
    "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
}
_USE = {
    "type": "object",
    "description": "The faults of another file, in this place.",
    "additionalProperties": False,
    "required": ["use"],
    "properties": {
        "use": {"type": "string", "description": "a file in this one's folder, with version: 1 and faults: […]"},
        "at": {"type": "string", "description": "how much later all of its faults are"},
    },
}
_KINDS = {
    "http": {
        "type": "string",
        "description": "a URL whose answer is read",
        "examples": ["http://127.0.0.1:8080/queue"],
    },
    "command": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "an argv whose output is read",
    },
}


def json_schema(kind: str = "experiment") -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind of file; raise KeyError for a kind there is none of."""
    return {"experiment": _experiment}[kind]()


def _experiment() -> dict[str, Any]:
    schema = Experiment.model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema.pop("$defs")
    fault = definitions["FaultSpec"]
    fault["properties"].pop("name")
    fault["required"].remove("name")
    properties = schema["properties"]
    fault_form = {
        "type": "object",
        "description": "One fault, under its name.",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/FaultSpec"},
    }
    properties["faults"]["items"] = {"if": {"required": ["use"]}, "then": _USE, "else": fault_form}
    definitions["Sli"] = _sli(definitions["Sli"])
    for section in (schema, *definitions.values()):
        section["properties"] = {name: _optional(_plain(inner)) for name, inner in section["properties"].items()}
    properties = schema["properties"]
    schema["properties"] = {
        **dict.fromkeys(("version", "title")),
        "variables": _VARIABLES,
        "matrix": _MATRIX,
        **properties,
    }
    return {"$schema": _DIALECT, **_plain(schema), "title": "gameday experiment", "$defs": _plain(definitions)}


def _sli(found: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a gauge, whose other keys are its probe's own: each kind has others."""
    about = "One gauge: its kind with its value, the probe's other parameters, and how often it is read."
    every = found["properties"]["every"]
    return {"type": "object", "description": about, "minProperties": 1, "properties": {**_KINDS, "every": every}}


def _plain(node: Any) -> Any:
    """Drop the titles that pydantic makes of names."""
    if isinstance(node, list):
        return [_plain(item) for item in cast("Iterable[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("dict[str, Any]", node)
    return {key: _plain(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}


def _optional(field: Any) -> Any:
    """Let a variable stand for any single value that is not plain text, and drop ``null``, which the file never has."""
    schema = dict(cast("dict[str, Any]", field))
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        schema = {key: value for key, value in {**choices[0], **rest}.items() if (key, value) != ("default", None)}
    single = schema.get("type") in ("integer", "number", "boolean") or "const" in schema or "enum" in schema
    if isinstance(schema.get("default"), int) and "pattern" in schema:
        schema["default"] = format_duration(schema["default"])
    if single or "pattern" in schema:
        about = {key: schema.pop(key) for key in ("description", "default") if key in schema}
        return {**about, "anyOf": [schema, _REFERENCE]}
    return schema
