"""What pydantic says, in the words of the file: plain sentences, the nearest known key, what would do."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from gameday.schema.errors import did_you_mean
from gameday.schema.experiment import Experiment
from gameday.schema.nodes import Node, Path, Value, as_mapping, find
from gameday.schema.quantities import shown


class Wording(NamedTuple):
    """How an error is shown: its code, message and hint, and whether the caret belongs under the key."""

    code: str
    message: str
    hint: str = ""
    at_key: bool = False


_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
}
_LIMITS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}


def word(error: Mapping[str, Any], path: Path, root: Node) -> Wording:  # noqa: PLR0911 - one for each kind
    """Say one of pydantic's errors; ``path`` is where it is, in the tree ``root``."""
    kind, value, context = str(error["type"]), error.get("input"), as_mapping(error.get("ctx"))
    what = repr(path[-1]) if path and isinstance(path[-1], str) else "this entry"
    if kind == "extra_forbidden":
        return Wording(
            "unknown-key", f"unknown key {what}", did_you_mean(str(path[-1]), known_keys(path[:-1])), at_key=True
        )
    if kind == "missing":
        return Wording("missing-key", f"missing key {what}{_inside(path[:-1])}", _example(path))
    if kind == "value_error":
        return _own(str(context.get("error", error.get("msg", ""))), what, path)
    if kind in _KINDS:
        return _wrong_type(kind, what, value, find(root, path))
    if kind == "literal_error":
        return _choice(what, value, path)
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return Wording("bad-value", f"{what} must be {words} {context[key]}, not {shown(value)}")
    if kind == "too_short":
        return Wording("bad-value", f"{what} is empty", "give it at least one entry")
    if kind == "too_long":
        return Wording("bad-value", f"{what} has too many entries: at most {context['max_length']}")
    return Wording("bad-value", f"{what} cannot be {shown(value)}")


def _own(message: str, what: str, path: Path) -> Wording:
    """Split a message of ours into what is wrong and, after a semicolon, what would do."""
    said, _, hint = message.partition("; ")
    if said.startswith(("must ", "needs ", "has ")):
        said = f"{what} {said}"
    if not hint and ": write " in said:
        said, _, fix = said.partition(": write ")
        hint = f"write {fix}"
    return Wording("bad-value", said, hint, at_key=bool(path) and path[-1] == "[key]")


def _wrong_type(kind: str, what: str, value: Any, node: Node | None) -> Wording:
    wanted = _KINDS[kind]
    if value is None:
        return Wording("wrong-type", f"{what} is empty", f"write {wanted}, or remove it", at_key=True)
    hint = ""
    if wanted == "text" and isinstance(node, Value):
        hint = f'quote it: "{node.text}"'
    elif wanted == "a list" and isinstance(value, str):
        hint = f"write a list: [{', '.join(value.split()[:8])}]"
    return Wording("wrong-type", f"{what} must be {wanted}, not {shown(value)}", hint)


def _choice(what: str, value: Any, path: Path) -> Wording:
    allowed = [str(choice) for choice in choices(path)]
    message = f"{what} must be {' or '.join(allowed)}, not {shown(value)}"
    near = did_you_mean(value, allowed, " ") if isinstance(value, str) else ""
    return Wording("bad-value", message, near.strip())


def _inside(path: Path) -> str:
    named = [part for part in path if isinstance(part, str)]
    return f" in {'.'.join(named)!r}" if named else ""


def _example(path: Path) -> str:
    """Show how a missing key is written, from the model's own examples or description."""
    model = _model(path[:-1])
    if model is None or not path:
        return ""
    for name, info in model.model_fields.items():
        if (info.alias or name) == path[-1]:
            sample = _SAMPLES.get((model.__name__, name))
            return f"write {path[-1]}: {sample}" if sample else info.description or ""
    return ""


_SAMPLES = {
    ("Experiment", "version"): "1",
    ("Experiment", "title"): "what this experiment shows, in one line",
    ("Experiment", "load"): "{target: URL, rate: 100/s, requests: […]}",
    ("LoadProfile", "target"): "http://127.0.0.1:8080",
    ("LoadProfile", "rate"): "100/s",
    ("LoadProfile", "requests"): "[{name: browse, get: /products}]",
    ("Request", "name"): "what objectives call it",
    ("Objective", "expect"): "errors < 0.5%",
    ("Where", "endpoint"): "the name of a request",
    ("SystemProcess", "run"): "[python, -m, …]",
    ("FaultSpec", "do"): "proxy.down",
}


def known_keys(path: Path) -> tuple[str, ...]:
    """Return the keys that the section at ``path`` may have; none where keys are free."""
    model = _model(path)
    keys = tuple(info.alias or name for name, info in model.model_fields.items()) if model else ()
    return (*keys, "variables") if not path else keys


def choices(path: Path) -> tuple[Any, ...]:
    """Return the values that the field at ``path`` may have."""
    annotation = _annotation(path)
    return get_args(annotation) if annotation is not None else ()


def _model(path: Path) -> type[BaseModel] | None:
    annotation = _annotation(path)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _annotation(path: Path) -> Any:
    """Return the type of what stands at ``path``, without Annotated and None."""
    current: Any = Experiment
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {info.alias or name: info.annotation for name, info in current.model_fields.items()}
            current = _bare(fields.get(str(part)))
        elif get_origin(current) is dict:
            current = _bare(get_args(current)[1])
        elif get_origin(current) is tuple:
            current = _bare(get_args(current)[0])
        else:
            return None
    return current


def _bare(annotation: Any) -> Any:
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next((arg for arg in get_args(annotation) if arg is not types.NoneType), None)
        else:
            return annotation
