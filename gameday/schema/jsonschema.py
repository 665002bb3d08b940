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
    properties["faults"]["items"] = {
        "type": "object",
        "description": "One fault, under its name.",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/FaultSpec"},
    }
    for section in (schema, *definitions.values()):
        section["properties"] = {name: _optional(_plain(inner)) for name, inner in section["properties"].items()}
    properties = schema["properties"]
    schema["properties"] = {**dict.fromkeys(("version", "title")), "variables": _VARIABLES, **properties}
    return {"$schema": _DIALECT, **_plain(schema), "title": "gameday experiment", "$defs": _plain(definitions)}


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
