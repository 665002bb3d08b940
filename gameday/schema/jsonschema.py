"""The JSON Schema of an experiment file and of a game-day file, made from the models and turned into the file's own form, for editors."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from gameday.schema.experiment import SPEAKS_OF, Experiment, FaultSpec, Objective, Recover, Sli
from gameday.schema.marks import Form
from gameday.schema.nodes import as_list, as_mapping
from gameday.schema.section import Bound, Section

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
_USED = {
    "description": "Files whose SLIs, objectives and variables stand beside those of this one.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "examples": [["library/slis/availability.yaml"]],
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
_USES = {
    "description": "A Chaos Toolkit experiment, run unchanged under the load and the objectives of this file.",
    "anyOf": [
        {"type": "string", "description": "its file, relative to this one's folder"},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["file"],
            "properties": {
                "file": {"type": "string", "description": "its file, relative to this one's folder"},
                "for": {"type": "string", "description": "how long it may take; default: 1h"},
            },
        },
    ],
}
_COUNTER = {"type": "string", "description": "a counter, or a sum of counters, without rate()"}
_KINDS: dict[str, dict[str, Any]] = {
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
    "sql": {
        "type": "string",
        "description": "a query whose one row is read; needs url",
        "examples": ["select count(*) from jobs where done_at is null"],
    },
    "redis": {
        "type": "string",
        "description": "a Redis server, beside one of llen, scard, zcard, xlen, hlen, get and info",
        "examples": ["redis://127.0.0.1:6379/0"],
    },
    "rabbitmq": {
        "type": "string",
        "description": "a management API, beside queue",
        "examples": ["http://127.0.0.1:15672"],
    },
    "process": {
        "type": ["string", "object"],
        "description": "a name under system:, {pidfile: FILE} or {match: REGEX}, beside one of cpu, memory, fds and threads",
    },
    "elasticsearch": {
        "type": "string",
        "description": "a server of Elasticsearch or OpenSearch, beside index and query",
        "examples": ["http://127.0.0.1:9200"],
    },
    "k8s": {
        "enum": ["ready", "restarts", "cpu", "memory", "warnings", "hpa-current", "hpa-desired"],
        "description": "a number in a cluster, beside kubeconfig, context and namespace",
    },
    "loki": {
        "type": "string",
        "description": "a server of Grafana Loki, beside a metric query",
        "examples": ["http://127.0.0.1:3100"],
    },
    "chaostoolkit": {"type": "object", "description": "a probe of a Chaos Toolkit extension"},
    "prometheus": {
        "description": "a PromQL expression whose value is read, or two counters that are fetched after the phases",
        "anyOf": [
            {"type": "string", "examples": ["sum(payment_queue_depth)"]},
            *(
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": [first, second],
                    "properties": {first: _COUNTER, second: _COUNTER},
                }
                for first, second in (("bad", "total"), ("good", "total"), ("sum", "per"))
            ),
        ],
    },
    "prometheus_alerts": {
        "type": "string",
        "description": "an alerting rule, whose firing instances are counted",
        "examples": ["CheckoutBurnRate"],
    },
    "alertmanager": {
        "type": "string",
        "description": "an alert, whose instances in an Alertmanager are counted",
        "examples": ["CheckoutBurnRate"],
    },
    "absent": {"const": "zero", "description": "of prometheus: what has no series yet is zero, and not missing"},
}


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
    properties["faults"]["items"] = {"if": {"required": ["use"]}, "then": _USE, "else": form}
    top["properties"] = {
        **{name: properties[name] for name in ("version", "title")},
        "use": _USED,
        "variables": _VARIABLES,
        "matrix": _MATRIX,
        "uses": _USES,
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
        "variables": _VARIABLES,
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
    return {"type": "object", "description": about, "minProperties": 1, "properties": {**_KINDS, **ours}}


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
        return {**about, "anyOf": [schema, _REFERENCE]}
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
