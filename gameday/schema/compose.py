"""YAML events → a tree with places, counted while it grows.

One mapping may say a key only once, aliases are counted with what they expand to, and a scalar means what YAML 1.2 says
(``no`` and ``2026-01-01`` are text).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.nodes import Entries, Items, Node, Scalar, Value

MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_WRITTEN = 25_000
"""Nodes as they are written: reading one takes some 30 µs, and no file may take two seconds."""
MAX_NODES = 50_000
"""Nodes of the whole file after its aliases are expanded."""
_WHOLE_LINE = 1_000_000
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}(?:\.[0-9]{0,18})?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT_TAG = "tag:yaml.org,2002:str"


class Builder:
    """Builds the tree from events, and counts as it goes."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = self.written = self.aliases = self.documents = 0

    def build(self, events: Iterable[Any]) -> None:
        """Build ``root`` from ruamel.yaml's events; raise ExperimentErrors beyond a limit."""
        for event in events:
            match event:
                case ScalarEvent():
                    self._place(self._scalar(event, self._tag(event)), event)
                case MappingStartEvent() | SequenceStartEvent():
                    self._open(event)
                case MappingEndEvent() | SequenceEndEvent():
                    self._close(event)
                case AliasEvent():
                    self._alias(event)
                case DocumentStartEvent():
                    self.documents += 1
                    if self.documents > 1:
                        self.document.refuse(
                            self._span(event), "yaml-syntax", "a second document; one file is one experiment"
                        )
                case _:
                    pass

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else _WHOLE_LINE
        return Span(start.line + 1, start.column + 1, max(1, width), self.document.file)

    def _tag(self, event: Any) -> str | None:
        tag = str(event.tag) if event.tag is not None else None
        if tag not in (None, "!", _TEXT_TAG):
            self.document.refuse(
                self._span(event), "yaml-syntax", "YAML tags are not supported", "write the value without it"
            )
        return tag

    def _scalar(self, event: Any, tag: str | None) -> Value:
        text = str(event.value)
        plain = event.style is None or event.style == ""
        return Value(span=self._span(event), value=resolve_scalar(text) if plain and tag is None else text, text=text)

    def _open(self, event: Any) -> None:
        self._tag(event)
        if len(self.stack) >= MAX_DEPTH:
            self.document.refuse(self._span(event), "too-large", f"nested more than {MAX_DEPTH} deep")
        anchor: str | None = event.anchor
        if anchor is not None:
            self.anchors[anchor] = None
        span = self._span(event)
        mapping = isinstance(event, MappingStartEvent)
        node = Entries(span=span) if mapping else Items(span=span)
        self.stack.append(_Open(node=node, anchor=anchor))

    def _close(self, event: Any) -> None:
        top = self.stack.pop()
        node, start = top.node, top.node.span
        if event.end_mark.line == start.line - 1:
            node.span = start._replace(width=max(1, event.end_mark.column - start.column + 1))
        if top.merges and isinstance(node, Entries):
            for merged in top.merges:
                node.entries = {**merged.entries, **node.entries}
        if top.anchor is not None:
            self.anchors[top.anchor] = node
        self._place(node, event, count=1)

    def _alias(self, event: Any) -> None:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.document.refuse(self._span(event), "too-large", f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self.anchors:
            self.document.refuse(self._span(event), "yaml-syntax", f"no anchor is called {event.anchor!r}")
        node = self.anchors[event.anchor]
        if node is None:
            self.document.refuse(self._span(event), "yaml-syntax", f"{event.anchor!r} contains itself")
        if len(self.stack) + node.height > MAX_DEPTH:
            self.document.refuse(self._span(event), "too-large", f"nested more than {MAX_DEPTH} deep")
        self._place(node, event, count=node.size)

    def _place(self, node: Node, event: Any, *, count: int = 1) -> None:
        """Put a finished node where it belongs."""
        self.nodes += count
        self.written += not isinstance(event, AliasEvent)
        if self.written > MAX_WRITTEN:
            self.document.refuse(self._span(event), "too-large", f"more than {MAX_WRITTEN:,} values")
        if self.nodes > MAX_NODES:
            self.document.refuse(self._span(event), "too-large", f"more than {MAX_NODES:,} values, aliases expanded")
        if isinstance(node, Value) and not isinstance(event, AliasEvent) and event.anchor is not None:
            self.anchors[event.anchor] = node
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node, Items):
            top.node.items.append(node)
        elif top.key is None:
            self._key(top, node, event)
            return
        else:
            self._entry(top, top.node, node)
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)

    def _key(self, top: _Open, node: Node, event: Any) -> None:
        if not isinstance(node, Value):
            self.document.refuse(
                self._span(event), "yaml-syntax", "a key must be text", "a text that begins with { or [ needs quotes"
            )
        top.key = (self._span(event), node.text)

    def _entry(self, top: _Open, into: Entries, node: Node) -> None:
        span, key = top.key or (node.span, "")
        top.key = None
        if key == "<<":
            merges = node.items if isinstance(node, Items) else [node]
            if not all(isinstance(merge, Entries) for merge in merges):
                self.document.refuse(span, "yaml-syntax", "<< merges mappings only")
            top.merges += [merge for merge in merges if isinstance(merge, Entries)]
        elif key in into.entries:
            first = into.entries[key][0]
            self.document.add(span, "duplicate-key", f"duplicate key {key!r}", f"first given in line {first.line}")
        else:
            into.entries[key] = (span, node)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A list or mapping that is being read."""

    node: Entries | Items
    anchor: str | None
    key: tuple[Span, str] | None = None
    merges: list[Entries] = field(default_factory=list[Entries])


def resolve_scalar(text: str) -> Scalar:
    """Read text as an unquoted scalar of YAML 1.2's core schema; what no JSON number can hold stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
