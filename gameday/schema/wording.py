"""Mistakes in the words of the file: plain sentences, the nearest known key, what would do."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args, get_origin

from gameday.schema.errors import did_you_mean
from gameday.schema.experiment import Experiment
from gameday.schema.marks import KEY, Mistake, bare
from gameday.schema.nodes import Node, Path, Value, find
from gameday.schema.quantities import shown
from gameday.schema.section import Section


class Wording(NamedTuple):
    """How an error is shown: its code, message and hint, and whether the caret belongs under the key."""

    code: str
    message: str
    hint: str = ""
    at_key: bool = False


def word(mistake: Mistake, path: Path, root: Node, top: type[Section] = Experiment) -> Wording:  # noqa: PLR0911 - one for each kind
    """Say one mistake; ``path`` is where it is, in the tree ``root``, which is read as ``top``."""
    kind, value, said = mistake.kind, mistake.value, mistake.said
    what = repr(path[-1]) if path and isinstance(path[-1], str) else "this entry"
    match kind:
        case "unknown":
            hint = did_you_mean(str(path[-1]), known_keys(path[:-1], top))
            return Wording("unknown-key", f"unknown key {what}", hint, at_key=True)
        case "missing":
            return Wording("missing-key", f"missing key {what}{_inside(path[:-1])}", _example(path, top))
        case "value":
            return _own(said, what, path)
        case "type":
            return _wrong_type(said, what, value, find(root, path))
        case "choice":
            near = did_you_mean(value, said.split(" or "), " ") if isinstance(value, str) else ""
            return Wording("bad-value", f"{what} must be {said}, not {shown(value)}", near.strip())
        case "least" | "most":
            return Wording("bad-value", f"{what} must be at {kind} {said}, not {shown(value)}")
        case "empty":
            return Wording("bad-value", f"{what} is empty", "give it at least one entry")
        case "too-many":
            return Wording("bad-value", f"{what} has too many entries: at most {said}")


def _own(message: str, what: str, path: Path) -> Wording:
    """Split a message of ours into what is wrong and, after a semicolon, what would do."""
    said, _, hint = message.partition("; ")
    if said.startswith(("must ", "needs ", "has ")):
        said = f"{what} {said}"
    if not hint and ": write " in said:
        said, _, fix = said.partition(": write ")
        hint = f"write {fix}"
    return Wording("bad-value", said, hint, at_key=bool(path) and path[-1] == KEY)


def _wrong_type(wanted: str, what: str, value: Any, node: Node | None) -> Wording:
    if value is None:
        return Wording("wrong-type", f"{what} is empty", f"write {wanted}, or remove it", at_key=True)
    hint = ""
    if wanted == "text" and isinstance(node, Value):
        hint = f'quote it: "{node.text}"'
    elif wanted == "a list" and isinstance(value, str):
        hint = f"write a list: [{', '.join(value.split()[:8])}]"
    return Wording("wrong-type", f"{what} must be {wanted}, not {shown(value)}", hint)


def _inside(path: Path) -> str:
    named = [part for part in path if isinstance(part, str)]
    return f" in {'.'.join(named)!r}" if named else ""


def _example(path: Path, top: type[Section]) -> str:
    """Show how a missing key is written, from the section's own description."""
    section = _section(path[:-1], top)
    found = section.bound().get(str(path[-1])) if section is not None and path else None
    if section is None or found is None:
        return ""
    sample = _SAMPLES.get((section.__name__, found.attribute))
    return f"write {path[-1]}: {sample}" if sample else found.key.description


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
    ("DayFile", "version"): "1",
    ("DayFile", "title"): "what this game day is about, in one line",
    ("DayFile", "agenda"): "[{brief: …}, {experiment: FILE}, {debrief: …}]",
}


def known_keys(path: Path, top: type[Section] = Experiment) -> tuple[str, ...]:
    """Return the keys that the section at ``path`` may have; none where keys are free."""
    section = _section(path, top)
    names = tuple(section.bound()) if section is not None else ()
    if path:
        return names
    return (*names, "variables", "matrix") if top is Experiment else (*names, "variables")


def _section(path: Path, top: type[Section]) -> type[Section] | None:
    """Return the section that stands at ``path`` below ``top``."""
    current: Any = top
    for part in path:
        if isinstance(current, type) and issubclass(current, Section):
            found = current.bound().get(str(part))
            current = bare(found.hint) if found is not None else None
        elif get_origin(current) is dict:
            current = bare(get_args(current)[1])
        elif get_origin(current) is tuple:
            current = bare(get_args(current)[0])
        else:
            return None
    return current if isinstance(current, type) and issubclass(current, Section) else None
