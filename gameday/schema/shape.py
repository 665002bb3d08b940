"""The file's own form → the models' form: faults under their names, fragments in their place, and what is not supported yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gameday.schema.baseline import attach
from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.faultlist import Delays, FaultList
from gameday.schema.fragments import Fragments
from gameday.schema.nodes import Entries, Items, Node, Path, Value, find, pairs
from gameday.schema.overlay import overlay
from gameday.schema.slofiles import expand
from gameday.schema.uses import take

NOT_YET: dict[Path, tuple[str, ...]] = {
    (): ("environment", "policy"),
    ("objectives", "*"): ("window",),
}
"""Keys that the file's grammar will have: refused as such, not as misspelt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """One file in the form that the models read, variables still in it."""

    root: Entries
    variables: Node | None
    matrix: Node | None
    delays: Delays
    """Index of a fault → by how much the uses of its fragment put it off."""


def shape(document: Document, fragments: Fragments) -> Shaped:
    """Return the tree as the models read it, and the sections that they do not see; what is wrong is noted in the document."""
    root = top_of(document)
    entries = dict(root.entries)
    take(document, fragments, entries)
    variables, matrix = (entries.pop(name, None) for name in ("variables", "matrix"))
    used = "uses" in entries
    for name in () if used else ("objectives", "faults"):
        if name in entries and _empty(entries[name][1]):
            entries.pop(name)
            document.add(root.entries[name][0], "missing-key", *_NOTHING[name])
        elif name not in entries:
            document.add(Span(1, 1), "missing-key", *_NOTHING[name])
    listed = FaultList(document=document, fragments=fragments)
    if "faults" in entries:
        span, faults = entries["faults"]
        entries["faults"] = (span, listed.read(faults))
    expand(document, fragments, entries)
    if "baseline" in entries:
        _put_baseline(document, fragments, entries, of_matrix=matrix is not None)
    if used:
        overlay(document, fragments, entries)
    shaped = replace(root, entries=entries)
    for pattern, names in NOT_YET.items():
        for section in _matching(shaped, pattern):
            _refuse_unsupported(document, section, names)
    return Shaped(
        root=shaped,
        variables=variables[1] if variables else None,
        matrix=matrix[1] if matrix else None,
        delays=listed.delays,
    )


def _put_baseline(
    document: Document, fragments: Fragments, entries: dict[str, tuple[Span, Node]], *, of_matrix: bool
) -> None:
    """Put what the file holds in the place of its name."""
    span, node = entries.pop("baseline")
    if of_matrix:
        message = "a matrix is several experiments, and a baseline is of one"
        document.add(span, "baseline", message, "write a file for each combination that has one")
        return
    section = attach(document, node, fragments.beside(node, "baseline"))
    if section is not None:
        entries["baseline"] = (span, section)


def top_of(document: Document) -> Entries:
    """Return the mapping that the file is; raise ExperimentErrors when it is something else."""
    root = document.root
    if isinstance(root, Value) and root.value is None:
        return Entries(span=Span(1, 1))
    if not isinstance(root, Entries):
        document.refuse(root.span, "wrong-type", "an experiment is a mapping", "begin with version: 1 and title: …")
    return root


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
