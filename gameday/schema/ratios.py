"""What objectives say of SLIs that are two counters, and of those that are gauges: each is spoken of in its own words."""

from __future__ import annotations

from collections.abc import Mapping

from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.grammar import Criterion
from gameday.schema.nodes import Entries, Node, find, keys, pairs
from gameday.schema.quantities import format_percent
from gameday.schema.sli import COUNTS, SUMS

GAUGE, COUNTED, SUMMED = "gauge", "counted", "summed"


def shapes(root: Node) -> Mapping[str, str]:
    """Return what each SLI of the file is by its name: a gauge, counted requests, or one sum per another."""
    return {name: _shape(node) for name, _, node in pairs(find(root, ("slis",)))}


def _shape(node: Node) -> str:
    for _, _, value in pairs(node):
        names = frozenset(keys(value)) if isinstance(value, Entries) else frozenset[str]()
        if names in COUNTS:
            return COUNTED
        if names == SUMS:
            return SUMMED
    return GAUGE


def check_words(document: Document, span: Span, criterion: Criterion, shape: str) -> None:
    """Note a criterion that speaks of an SLI in the words of another kind."""
    sli, op = criterion.sli, criterion.op
    limit = f"{criterion.limit:g}"
    if shape == GAUGE and criterion.of_counters:
        hint = f"aggregate its readings: max({sli}) {op} {limit}; or make it {{prometheus: {{bad: …, total: …}}}}"
        document.add(span, "bad-value", f"{sli!r} is a gauge, and ratio() speaks of two counters", hint)
    elif shape != GAUGE and not criterion.of_counters:
        example = "0.5%" if shape == COUNTED else "0.002"
        message = f"{sli!r} is two counters, which have no {criterion.aggregate}()"
        document.add(span, "bad-value", message, f"write ratio({sli}) < {example}")
    elif shape == COUNTED and criterion.kind == "sums":
        hint = f"write it with its sign: ratio({sli}) {op} {format_percent(criterion.limit)}"
        document.add(span, "bad-value", f"{sli!r} counts requests, and its share needs a percentage", hint)
    elif shape == SUMMED and criterion.kind == "ratio":
        message = f"{sli!r} is one sum per another, which is compared as a plain number"
        document.add(span, "bad-value", message, f"write ratio({sli}) {op} {limit}")
