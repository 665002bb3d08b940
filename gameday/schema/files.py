"""Files that an experiment names: that they are there, before anything starts."""

from __future__ import annotations

from pathlib import Path

from gameday.schema.document import Document
from gameday.schema.nodes import Node, Value, find


def check_files(document: Document, root: Node) -> None:
    """Note a locustfile that is not there; its path is relative to the experiment file."""
    node = find(root, ("load", "locustfile"))
    if not isinstance(node, Value) or not isinstance(node.value, str) or "${" in node.value:
        return
    path = Path(document.path).parent / node.value
    try:
        missing = not path.is_file()
    except (OSError, ValueError):
        missing = True
    if missing and not document.has_error_at(node.span):
        hint = "its path is relative to the experiment file"
        document.add(node.span, "missing-file", f"no such locustfile: {path}", hint)
