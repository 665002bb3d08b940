"""Chaos Toolkit's own experiment files: recognised by their shape, checked more strictly than there, and run as an experiment of ours.

The format is https://chaostoolkit.org/reference/api/experiment/. Chaos Toolkit lets unknown keys pass: a misspelt ``rollbacks`` is an
experiment without rollbacks. Here a key that is nearly a known one is an error; any other unknown key is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from gameday.schema.document import Document, split_lines
from gameday.schema.errors import ExperimentErrors, Span
from gameday.schema.experiment import CHAOS_EXPERIMENT
from gameday.schema.nodes import Entries, Items, Node, Value, as_list, as_mapping, pairs, plain
from gameday.schema.yamlfile import parse

LONGEST = "1h"
"""How long an experiment may take where nobody says."""
NAME = "experiment"
"""What the fault is called that is a whole experiment."""
_TOP = (
    "version", "title", "description", "tags", "contributions", "extensions", "configuration", "secrets", "controls", "runtime",
    "steady-state-hypothesis", "method", "rollbacks", "dry",
)  # fmt: skip
_ACTIVITY = (
    "type", "name", "ref", "provider", "tolerance", "background", "pauses", "controls", "configuration", "secrets", "timeout", "dry",
)  # fmt: skip
_PROVIDERS = {"python": ("module", "func"), "process": ("path",), "http": ("url",)}
_OURS = ("faults", "objectives", "uses")
_LINE = 200
_BLANK = re.compile(r"[ \t\n\r]*")


def is_chaos(root: Node) -> bool:
    """Whether a file is an experiment of Chaos Toolkit's, not of ours."""
    if not isinstance(root, Entries) or any(key in root.entries for key in _OURS):
        return False
    return "method" in root.entries or "steady-state-hypothesis" in root.entries


def read_chaos(path: str, data: bytes, file: int = 0) -> Document | None:
    """Read a file that may be Chaos Toolkit's; None when it is not. JSON that is no YAML (tabs) is read as JSON, with fewer places.

    JSON in which nothing is wrong needs no places, and is read as JSON: as YAML a thousand activities take a second.
    """
    if b"method" not in data and b"steady-state-hypothesis" not in data:
        return None
    if path.endswith(".json"):
        faultless = _as_json(path, data, file, _unique)
        if faultless is not None and is_chaos(faultless.root):
            check_chaos(faultless)
            if not faultless.errors:
                return faultless
    try:
        document = parse(path, data, file)
    except ExperimentErrors:
        if not path.endswith(".json"):
            return None
        read = _as_json(path, data, file)
        if read is None:
            return None
        document = read
    return document if is_chaos(document.root) else None


Pairs: TypeAlias = list[tuple[str, Any]]


def _unique(named: Pairs) -> dict[str, Any]:
    """Return an object; raise ValueError when it has a key twice."""
    found = dict(named)
    if len(found) != len(named):
        raise ValueError("a key that is there twice")
    return found


def _as_json(path: str, data: bytes, file: int, together: Callable[[Pairs], dict[str, Any]] = dict) -> Document | None:
    """Read JSON, with the places of the outermost keys alone; None when it is no JSON, or ``together`` refuses an object."""
    try:
        text = data.decode()
        members = _members(text, json.JSONDecoder(object_pairs_hook=together).raw_decode)
        together([(key, value) for _, key, value in members])
        document = Document(path=path, lines=split_lines(text), file=file)
        entries: dict[str, tuple[Span, Node]] = {}
        for at, key, value in members:
            before = split_lines(text[:at])
            span = Span(len(before), len(before[-1]) + 1, len(key) + 2, file)
            entries[key] = (span, _node(value, span))
    except (ValueError, RecursionError):
        return None
    document.root = Entries(span=Span(1, 1, 1, file), entries=entries)
    return document


def _members(text: str, decode: Callable[[str, int], tuple[Any, int]]) -> list[tuple[int, str, Any]]:
    """Return where each key of the outermost object stands, the key and its value; raise ValueError when that is no JSON object."""
    found: list[tuple[int, str, Any]] = []
    at = _past(text, 0, "{")
    while not found or text[at : at + 1] != "}":
        if found:
            at = _past(text, at, ",")
        if text[at : at + 1] != '"':
            raise ValueError("a key that is no text")
        key, end = decode(text, at)
        value, end = decode(text, _past(text, end, ":"))
        found.append((at, key, value))
        at = _blank(text, end)
    if _blank(text, at + 1) != len(text):
        raise ValueError("more than one object")
    return found


def _past(text: str, at: int, sign: str) -> int:
    """Return where the next token begins after a sign that must come here."""
    at = _blank(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"no {sign}")
    return _blank(text, at + 1)


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _node(raw: Any, span: Span) -> Node:
    named, listed = as_mapping(raw), as_list(raw)
    if named or raw == {}:
        return Entries(span=span, entries={key: (span, _node(value, span)) for key, value in named.items()})
    if listed or raw == []:
        return Items(span=span, items=[_node(value, span) for value in listed])
    return Value(span=span, value=raw, text=str(raw))


def check_chaos(document: Document) -> None:
    """Note everything in the document that is wrong with its shape; nothing that it names is imported."""
    root = document.root
    assert isinstance(root, Entries)  # noqa: S101 - is_chaos said so
    _near(document, root, _TOP, "an experiment")
    for key in ("title", "description"):
        node = root.get(key)
        if not isinstance(node, Value) or not isinstance(node.value, str) or not node.value:
            document.add(
                _span(root, key), "missing-key", f"a Chaos Toolkit experiment needs {key!r}", f"write {key}: …"
            )
    hypothesis = root.get("steady-state-hypothesis")
    probes = hypothesis.get("probes") if isinstance(hypothesis, Entries) else None
    _activities(document, probes, "probe")
    if isinstance(probes, Items):
        for probe in probes.items:
            if isinstance(probe, Entries) and "tolerance" not in probe.entries and "ref" not in probe.entries:
                document.add(
                    probe.span, "missing-key", "a probe of the hypothesis needs a tolerance", "write tolerance: true"
                )
    if not isinstance(root.get("method"), Items):
        document.add(
            _span(root, "method"), "missing-key", "a Chaos Toolkit experiment needs a list 'method'", "write method: []"
        )
    _activities(document, root.get("method"), "")
    _activities(document, root.get("rollbacks"), "")


def _span(root: Entries, key: str) -> Span:
    return root.entries[key][0] if key in root.entries else Span(root.span.line, root.span.column, 1, root.span.file)


def _activities(document: Document, node: Node | None, kind: str) -> None:
    if node is None or (isinstance(node, Value) and node.value is None):
        return
    if not isinstance(node, Items):
        document.add(node.span, "wrong-type", "activities are a list")
        return
    for activity in node.items:
        if not isinstance(activity, Entries):
            document.add(activity.span, "wrong-type", "an activity is a mapping", "write type, name and provider")
            continue
        _near(document, activity, _ACTIVITY, "an activity")
        if "ref" not in activity.entries:
            _activity(document, activity, kind)
        _pauses(document, activity)


def _activity(document: Document, activity: Entries, kind: str) -> None:
    found = plain(activity)
    if found.get("type") not in ((kind,) if kind else ("probe", "action")):
        hint = f"write type: {kind}" if kind else "write type: action, or type: probe"
        document.add(
            _span(activity, "type"), "bad-value", f"not the type of an activity here: {found.get('type')!r}", hint
        )
    if not found.get("name"):
        document.add(activity.span, "missing-key", "an activity needs a name", "write name: …")
    provider = found.get("provider")
    named = as_mapping(provider)
    called = str(named.get("type"))
    if called not in _PROVIDERS:
        document.add(
            _span(activity, "provider"),
            "bad-value",
            f"not a provider: its type is {called!r}",
            "type: python, process or http",
        )
        return
    for key in _PROVIDERS[called]:
        if not named.get(key):
            document.add(
                _span(activity, "provider"), "missing-key", f"a {called} provider needs {key!r}", f"write {key}: …"
            )


def _pauses(document: Document, activity: Entries) -> None:
    """Refuse a pause that is negative: Chaos Toolkit lets it pass, and stops in the middle of the method."""
    for key, span, value in pairs(activity.get("pauses")):
        if isinstance(value, Value) and isinstance(value.value, (int, float)) and value.value < 0:
            document.add(span, "bad-value", f"a pause {key} of {value.value} seconds", "write 0 or more")


def _near(document: Document, section: Entries, known: Iterable[str], what: str) -> None:
    """Refuse a key that is nearly one that Chaos Toolkit knows: it would be ignored."""
    names = list(known)
    for key, (span, _) in section.entries.items():
        near = [] if key in names else get_close_matches(key, names, 1, 0.8)
        if near and near[0] not in section.entries:
            document.add(
                span,
                "unknown-key",
                f"unknown key {key!r} in {what}: Chaos Toolkit would ignore it",
                f"did you mean {near[0]!r}?",
            )


def as_experiment(document: Document, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what runs a Chaos Toolkit file, in the grammar of our own; it has no phases, because it has a gate of its own."""
    raw: dict[str, Any] = plain(document.root)
    tags = [_line(tag) for tag in raw.get("tags") or () if isinstance(tag, str) and tag.strip()]
    return {
        "version": 1,
        "title": _line(raw["title"]),
        "hypothesis": _hypothesis(raw),
        "tags": tags,
        "phases": {"warmup": "0s", "baseline": "1ms", "recovery": "1ms"},
        "faults": [chaos_fault(str(Path(document.path).absolute()), LONGEST, variables)],
    }


def chaos_fault(path: str, longest: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the fault that runs an experiment of Chaos Toolkit's."""
    given = {"variables": dict(variables)} if variables else {}
    return {"name": NAME, "do": CHAOS_EXPERIMENT, "with": {"file": path, **given}, "at": "0s", "for": longest}


def _hypothesis(raw: Mapping[str, Any]) -> str:
    title = as_mapping(raw.get("steady-state-hypothesis")).get("title")
    return str(title or raw.get("description"))


def _line(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"


def find_line(document: Document, key: str) -> int:
    """Return the line of a key, 1 where nobody knows."""
    root = document.root
    return root.entries[key][0].line if isinstance(root, Entries) and key in root.entries else 1


def declared(document: Document) -> frozenset[str]:
    """Return the names in its configuration, which ``--var`` may give."""
    root = document.root
    return frozenset(key for key, _, _ in pairs(root.get("configuration") if isinstance(root, Entries) else None))
