"""Objectives that name an OpenSLO document → objectives in our own words, with the SLI that the document asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.fragments import Fragments
from gameday.schema.nodes import Entries, Node, Value, as_list, as_mapping, locate, pairs
from gameday.schema.openslo import SUFFIX, Read, allowed_share, burn_limit, read_slo, spot
from gameday.schema.quantities import format_percent, parse_duration

_MINE = ("slo", "during", "recover")


def expand(document: Document, fragments: Fragments, entries: dict[str, tuple[Span, Node]]) -> None:
    """Put what each document says in the place of its name, in place; what is wrong is noted in the document."""
    if "objectives" not in entries:
        return
    span, objectives = entries["objectives"]
    made: dict[str, tuple[Span, Node]] = {}
    changed: dict[str, tuple[Span, Node]] = {}
    for name, place, objective in pairs(objectives):
        if isinstance(objective, Entries) and "slo" in objective.entries:
            read = _read(document, fragments, objective, name)
            changed[name] = (place, _rewritten(objective, read))
            if read is not None:
                made[name + SUFFIX] = (place, spot(objective.entries["slo"][0], read.sli))
    if not changed or not isinstance(objectives, Entries):
        return
    entries["objectives"] = (span, replace(objectives, entries={**objectives.entries, **changed}))
    at, slis = entries.get("slis", (span, Entries(span=span)))
    if isinstance(slis, Entries):
        entries["slis"] = (at, replace(slis, entries={**slis.entries, **made}))


def _read(document: Document, fragments: Fragments, objective: Entries, name: str) -> Read | None:
    for key, (place, _) in objective.entries.items():
        if key not in _MINE:
            message = f"{key!r} beside slo: the document says what is expected"
            document.add(place, "unknown-key", message, f"beside slo stand {' and '.join(_MINE[1:])}")
    root = fragments.beside(objective.entries["slo"][1], "slo")
    return None if root is None else read_slo(document, root, name + SUFFIX)


def _rewritten(objective: Entries, read: Read | None) -> Entries:
    """Return the objective with what the document says; without one that can be read, with what keeps other checks quiet."""
    kept = {key: entry for key, entry in objective.entries.items() if key in _MINE[1:]}
    place, node = objective.entries["slo"]
    if read is None:
        return replace(objective, entries={"expect": (place, spot(place, "errors < 100%"))})
    file = node.value if isinstance(node, Value) else ""
    about = {"file": file, "name": read.name, "target": read.target, "window_ms": read.window_ms}
    slo = spot(node.span, {key: value for key, value in about.items() if value is not None})
    return replace(objective, entries={"expect": (place, spot(place, read.expect)), **kept, "slo": (place, slo)})


def settle_burns(document: Document, root: Entries, raw: Mapping[str, Any]) -> None:
    """Turn ``during: burns < 2% of budget`` into the share of the fault phase's requests that it allows, in place."""
    fault_ms = fault_length(raw)
    for name, objective in as_mapping(raw.get("objectives")).items():
        entry = as_mapping(objective)
        text = entry.get("during")
        if not isinstance(text, str) or "burns" not in text:
            continue
        span = locate(root, ("objectives", name, "during"))
        slo = as_mapping(entry.get("slo"))
        try:
            share = burn_limit(text)
        except ValueError:
            share = None
        if share is None or not 0 < share <= 1:
            document.add(span, "bad-value", f"not a share of the budget: {text[:100]!r}", "write burns < 2% of budget")
        elif "window_ms" not in slo or not str(entry.get("expect")).startswith("ratio("):
            message = "burns … of budget needs an OpenSLO document with a ratioMetric and a timeWindow"
            document.add(span, "openslo", message, "write slo: FILE beside it, or during: errors < 5%")
        elif fault_ms > 0:
            allowed = allowed_share(share, slo["target"], slo["window_ms"], fault_ms)
            entry["during"] = f"ratio({name}{SUFFIX}) < {_percent(allowed)}"
            entry["slo"]["burns"] = " ".join(text.split())
            continue
        entry["during"] = entry.get("expect")


def _percent(share: float) -> str:
    """Write it so that it is never wider than what was allowed: six digits, downwards."""
    return format_percent(int(share * 1e8) / 1e8) if share < 1 else "100%"


def fault_length(raw: Mapping[str, Any]) -> int:
    """Return the planned length of the fault phase in ms, 0 where it cannot be told."""
    longest = 0
    for fault in map(as_mapping, as_list(raw.get("faults"))):
        length = fault.get("for") or fault.get("observe") or "0s"
        try:
            longest = max(longest, parse_duration(fault.get("at") or "0s") + parse_duration(length))
        except ValueError:
            return 0
    return longest
