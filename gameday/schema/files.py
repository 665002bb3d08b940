"""Files that an experiment names: that they are there, before anything starts."""

from __future__ import annotations

from pathlib import Path

from gameday.schema.document import Document
from gameday.schema.nodes import Node, Value, find, pairs


def check_files(document: Document, root: Node) -> None:
    """Note a locustfile or a source's ``ca`` that is not there; paths are relative to the experiment file."""
    _check(document, find(root, ("load", "locustfile")), "locustfile")
    for name, _, _ in pairs(find(root, ("sources",))):
        _check(document, find(root, ("sources", name, "ca")), "CA file")


def _check(document: Document, node: Node | None, what: str) -> None:
    if not isinstance(node, Value) or not isinstance(node.value, str) or "${" in node.value:
        return
    path = Path(document.path).parent / node.value
    try:
        missing = not path.is_file()
    except (OSError, ValueError):
        missing = True
    if missing and not document.has_error_at(node.span):
        hint = "its path is relative to the experiment file"
        document.add(node.span, "missing-file", f"no such {what}: {path}", hint)
