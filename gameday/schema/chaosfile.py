"""Chaos Toolkit's own experiment files: recognised by their shape, checked more strictly than there, and run as an experiment of ours.

The format is https://chaostoolkit.org/reference/api/experiment/. Chaos Toolkit lets unknown keys pass: a misspelt ``rollbacks`` is an
experiment without rollbacks. Here a key that is nearly a known one is an error; any other unknown key is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

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


def is_chaos(root: Node) -> bool:
    """Whether a file is an experiment of Chaos Toolkit's, not of ours."""
    if not isinstance(root, Entries) or any(key in root.entries for key in _OURS):
        return False
    return "method" in root.entries or "steady-state-hypothesis" in root.entries


def read_chaos(path: str, data: bytes, file: int = 0) -> Document | None:
    """Read a file that may be Chaos Toolkit's; None when it is not. JSON that is no YAML (tabs) is read as JSON, without places."""
    if b"method" not in data and b"steady-state-hypothesis" not in data:
        return None
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


def _as_json(path: str, data: bytes, file: int) -> Document | None:
    try:
        text = data.decode()
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    document = Document(path=path, lines=split_lines(text), file=file)
    document.root = _node(raw, Span(1, 1, 1, file))
    return document


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
