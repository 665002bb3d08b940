"""The file's own form → the models' form: faults under their names, sections that are not supported yet."""

from __future__ import annotations

from dataclasses import replace

from gameday.schema.document import Document
from gameday.schema.errors import Span, did_you_mean
from gameday.schema.nodes import Entries, Items, Node, Path, Value, find, pairs

NOT_YET: dict[Path, tuple[str, ...]] = {
    (): ("use", "uses", "matrix", "sources", "baseline", "environment", "policy"),
    ("objectives", "*"): ("alert", "fires", "resolves", "slo", "window"),
}
"""Keys that the file's grammar will have: refused as such, not as misspelt."""
_FAULT_FORM = "write - NAME: {do: DRIVER, with: {…}, at: 0s, for: 30s}"


def shape(document: Document) -> tuple[Entries, Node | None]:
    """Return the tree as the models read it, and the ``variables`` section; what is wrong is noted in the document."""
    root = document.root
    if isinstance(root, Value) and root.value is None:
        root = Entries(span=Span(1, 1))
    if not isinstance(root, Entries):
        document.refuse(root.span, "wrong-type", "an experiment is a mapping", "begin with version: 1 and title: …")
    entries = dict(root.entries)
    variables = entries.pop("variables", None)
    for name in ("objectives", "faults"):
        if name in entries and _empty(entries[name][1]):
            entries.pop(name)
            document.add(root.entries[name][0], "missing-key", *_NOTHING[name])
        elif name not in entries:
            document.add(Span(1, 1), "missing-key", *_NOTHING[name])
    if "faults" in entries:
        span, faults = entries["faults"]
        entries["faults"] = (span, _faults(document, faults))
    shaped = replace(root, entries=entries)
    for pattern, names in NOT_YET.items():
        for section in _matching(shaped, pattern):
            _refuse_unsupported(document, section, names)
    return shaped, variables[1] if variables else None


_NOTHING = {
    "objectives": (
        "no objective: without one nothing can be proven",
        "objectives: {checkout-available: {expect: errors < 0.5%}}",
    ),
    "faults": ("no fault: an experiment injects at least one", "faults: [payments-down: {do: proxy.down, …}]"),
}


def _empty(node: Node) -> bool:
    match node:
        case Entries():
            return not node.entries
        case Items():
            return not node.items
        case Value():
            return node.value is None


def _matching(root: Node, pattern: Path) -> list[Entries]:
    """Return the mappings at a path; ``*`` stands for every key or index."""
    found: list[Node] = [root]
    for part in pattern:
        below: list[Node] = []
        for node in found:
            if part != "*":
                below += [inner for inner in (find(node, (part,)),) if inner is not None]
            elif isinstance(node, Items):
                below += node.items
            else:
                below += [value for _, _, value in pairs(node)]
        found = below
    return [node for node in found if isinstance(node, Entries)]


def _refuse_unsupported(document: Document, section: Entries, names: tuple[str, ...]) -> None:
    for name in names:
        if name in section.entries:
            span, _ = section.entries.pop(name)
            document.add(span, "unsupported", f"{name!r} is not supported yet", "remove it to run this experiment")


def _faults(document: Document, node: Node) -> Node:
    """Turn each ``- NAME: {…}`` into a mapping with its ``name``; the form with ``name`` is left as it is."""
    if not isinstance(node, Items):
        document.add(node.span, "wrong-type", "'faults' must be a list", _FAULT_FORM)
        return Items(span=node.span)
    faults: list[Node] = []
    for item in node.items:
        named = _fault(document, item)
        if named is not None:
            faults.append(named)
    return replace(node, items=faults)


def _fault(document: Document, item: Node) -> Entries | None:
    if not isinstance(item, Entries) or not item.entries:
        document.add(item.span, "wrong-type", "a fault is a mapping with its name", _FAULT_FORM)
        return None
    if "name" in item.entries and "do" in item.entries:
        return replace(item, entries=dict(item.entries))
    (name, (span, body)), *others = item.entries.items()
    if not others and name == "use":
        document.add(span, "unsupported", "'use' is not supported yet", "write the faults into this file")
    elif others:
        place = others[0][1][0]
        meant = did_you_mean(others[0][0], ("do", "with", "at", "for", "observe"), _FAULT_FORM)
        hint = "indent it below the fault's name" if others[0][0] in _FAULT_KEYS else meant
        document.add(place, "wrong-type", f"{others[0][0]!r} stands beside the fault's name", hint)
    elif not isinstance(body, Entries):
        document.add(span, "wrong-type", f"fault {name!r} is empty", _FAULT_FORM)
    elif "name" in body.entries:
        document.add(
            body.entries["name"][0], "unknown-key", f"the name of this fault is its key, {name!r}", "remove it"
        )
    else:
        return replace(body, entries={"name": (span, Value(span=span, value=name, text=name)), **body.entries})
    return None


_FAULT_KEYS = ("do", "with", "at", "for", "observe", "irreversible")
