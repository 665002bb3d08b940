"""``uses: FILE``: a Chaos Toolkit experiment, unchanged, under load, SLIs, objectives and abort rules of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gameday.schema.chaosfile import LONGEST, chaos_fault, check_chaos, read_chaos
from gameday.schema.document import Document
from gameday.schema.errors import ExperimentErrors, Span, did_you_mean
from gameday.schema.fragments import Fragments
from gameday.schema.nodes import Entries, Items, Node, Value, as_mapping
from gameday.schema.yamlfile import read_bytes

_KEYS = ("file", "for")
_FORM = "write uses: existing.json, or uses: {file: existing.json, for: 10m}"


def overlay(document: Document, fragments: Fragments, entries: dict[str, tuple[Span, Node]]) -> None:
    """Put the experiment that ``uses`` names in front of the file's own faults; what is wrong is noted in the document."""
    span, node = entries.pop("uses")
    name, longest = _read(document, span, node)
    if name is None:
        return
    path = fragments.source.parent / name
    try:
        data = read_bytes(path)
        used = read_chaos(str(path), data, len(fragments.used_at) + 1)
    except ExperimentErrors as errors:
        document.add(span, "unreadable", f"{name}: {errors.errors[0].message}", _FORM)
        return
    if used is None:
        document.add(
            span, "bad-value", f"{name} is no Chaos Toolkit experiment", "it needs a title, a description and a method"
        )
        return
    number = len(fragments.used_at) + 1
    fragments.used_at[number] = span
    document.fragments[number] = used
    check_chaos(used)
    document.adopt(used.errors)
    fragments.texts[f"uses/{Path(name).name}"] = data
    fault = _as_node(chaos_fault(str(path.absolute()), longest, {}), span)
    place, own = entries.get("faults", (span, Items(span=span, items=[])))
    if isinstance(own, Items):
        entries["faults"] = (place, Items(span=own.span, items=[fault, *own.items]))


def _read(document: Document, span: Span, node: Node) -> tuple[str | None, str]:
    """Return the file and how long it may take."""
    if isinstance(node, Value) and isinstance(node.value, str) and node.value and "${" not in node.value:
        return node.value, LONGEST
    if not isinstance(node, Entries):
        document.add(span, "wrong-type", "uses names a file", _FORM)
        return None, LONGEST
    for key, (place, _) in node.entries.items():
        if key not in _KEYS:
            document.add(place, "unknown-key", f"unknown key {key!r} in 'uses'", did_you_mean(key, _KEYS))
    file, longest = node.get("file"), node.get("for")
    if not isinstance(file, Value) or not isinstance(file.value, str) or not file.value or "${" in file.value:
        document.add(span, "missing-key", "uses needs a file", _FORM)
        return None, LONGEST
    return file.value, str(longest.value) if isinstance(longest, Value) else LONGEST


def _as_node(raw: Any, span: Span) -> Node:
    if named := as_mapping(raw):
        return Entries(span=span, entries={key: (span, _as_node(value, span)) for key, value in named.items()})
    return Value(span=span, value=raw, text=str(raw))
