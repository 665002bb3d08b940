"""``use: [library/slis/availability.yaml]``: SLIs and objectives of other files, as if they stood in the experiment.

A used file has ``version: 1`` and any of ``slis``, ``objectives`` and ``variables``. What the experiment says itself under the same name
stands instead, so that a target is changed by writing the objective, or the variable, that one wants.
"""

from __future__ import annotations

from dataclasses import replace

from gameday.schema.document import Document
from gameday.schema.errors import Span, did_you_mean
from gameday.schema.fragments import Fragments
from gameday.schema.nodes import Entries, Items, Node, Value, pairs

SECTIONS = ("variables", "slis", "objectives")
_KEYS = ("version", *SECTIONS)


def take(document: Document, fragments: Fragments, entries: dict[str, tuple[Span, Node]]) -> None:
    """Put what the used files hold beside the experiment's own, in place; what is wrong is noted in the document."""
    if "use" not in entries:
        return
    _, node = entries.pop("use")
    found: dict[str, dict[str, tuple[Span, Node]]] = {section: {} for section in SECTIONS}
    for item in node.items if isinstance(node, Items) else [node]:
        root = fragments.beside(item, "use")
        if root is not None:
            _collect(document, root, found)
    for section, theirs in found.items():
        span, own = entries.get(section, (node.span, Entries(span=node.span)))
        if theirs and isinstance(own, Entries):
            entries[section] = (span, replace(own, entries={**theirs, **own.entries}))


def _collect(document: Document, root: Entries, found: dict[str, dict[str, tuple[Span, Node]]]) -> None:
    for key, span, _ in pairs(root):
        if key not in _KEYS:
            message = f"unknown key {key!r} in a used file"
            document.add(span, "unknown-key", message, did_you_mean(key, _KEYS, f"it may have {', '.join(_KEYS)}"))
    version = root.get("version")
    if not isinstance(version, Value) or version.value != 1:
        span = root.span if version is None else version.span
        document.add(span, "bad-value", "a used file is written in version 1", "write version: 1")
    for section, entries in found.items():
        for name, span, value in pairs(root.get(section)):
            if name in entries:
                document.add(span, "duplicate-name", f"another used file has {name!r} under {section!r}, too")
            entries[name] = (span, value)
