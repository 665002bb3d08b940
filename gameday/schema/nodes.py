"""The file as a tree that knows where each of its parts stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from gameday.schema.errors import Span

Scalar: TypeAlias = str | int | float | bool | None
Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the top of the file to one of its parts."""


@dataclass(slots=True, kw_only=True)
class Value:
    """A text, number, truth value or nothing."""

    span: Span
    value: Scalar
    text: str = ""
    """As written, without quotes."""
    size: int = 1
    height: int = 1


@dataclass(slots=True, kw_only=True)
class Items:
    """A list."""

    span: Span
    items: list[Node] = field(default_factory=list["Node"])
    size: int = 1
    """Nodes in it and itself, aliases expanded."""
    height: int = 1
    """How deep it goes, itself included."""


@dataclass(slots=True, kw_only=True)
class Entries:
    """A mapping: each key with its place and its value."""

    span: Span
    entries: dict[str, tuple[Span, Node]] = field(default_factory=dict[str, tuple[Span, "Node"]])
    size: int = 1
    height: int = 1

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        entry = self.entries.get(key)
        return entry[1] if entry else None


Node: TypeAlias = Value | Items | Entries


def as_mapping(raw: object) -> dict[str, Any]:
    """Return plain data if it is a mapping, else an empty one."""
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}


def as_list(raw: object) -> list[Any]:
    """Return plain data if it is a list, else an empty one."""
    return list(cast("Iterable[Any]", raw)) if isinstance(raw, list) else []


def child(node: Node | None, part: str | int) -> Node | None:
    """Return one part of a list or mapping, or None where there is none."""
    if isinstance(node, Entries) and isinstance(part, str):
        return node.get(part)
    if isinstance(node, Items) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def find(node: Node | None, path: Iterable[str | int]) -> Node | None:
    """Return what stands at ``path``, or None."""
    for part in path:
        node = child(node, part)
    return node


def keys(node: Node | None) -> tuple[str, ...]:
    """Return the keys of a mapping; none for anything else."""
    return tuple(node.entries) if isinstance(node, Entries) else ()


def pairs(node: Node | None) -> Iterator[tuple[str, Span, Node]]:
    """Yield (key, place of the key, value) of a mapping; nothing for anything else."""
    if isinstance(node, Entries):
        for key, (span, value) in node.entries.items():
            yield key, span, value


def texts(node: Node | None) -> Iterator[tuple[Span, str]]:
    """Yield the place and text of a text, or of each text in a list."""
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Value) and isinstance(item.value, str):
            yield item.span, item.value


def plain(node: Node) -> Any:
    """Return a part of the file as dicts, lists and scalars."""
    match node:
        case Entries():
            return {key: plain(value) for key, (_, value) in node.entries.items()}
        case Items():
            return [plain(item) for item in node.items]
        case Value():
            return node.value


def locate(root: Node, path: Path, *, key: bool = False) -> Span:
    """Return the place of what ``path`` names, or of the nearest part around it that the file has.

    A value is shown where it stands; a list or a mapping at its key, since that is what a reader looks for. With ``key``
    a value is shown at its key, too.
    """
    node, span = root, Span(1, 1, 1)
    for part in path:
        below = child(node, part)
        if below is None:
            return span
        if isinstance(node, Entries) and (key or not isinstance(below, Value) or below.value is None):
            span = node.entries[str(part)][0]
        else:
            span = below.span
        node = below
    return span
