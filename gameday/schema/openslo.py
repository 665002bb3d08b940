"""OpenSLO documents by reference: ``month: {slo: slo/checkout.yaml, during: burns < 2% of budget}``.

A subset of openslo/v1: one SLO with its indicator in place, whose metrics are Prometheus expressions. A ratioMetric of good or bad and
total counters is a ratio whose budget is 1 - target; a thresholdMetric is a gauge whose share of readings beyond its value is at most
1 - target. The time window says nothing about the minutes of a run: it only turns bad requests into a share of its budget. What is
outside the subset is refused by name, at its place in the document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import Span
from gameday.schema.fields import Line
from gameday.schema.nodes import Entries, Items, Node, Value, find, locate
from gameday.schema.quantities import parse_percent, shown
from gameday.schema.section import Section, key

SUFFIX = ".slo"
"""An objective's SLI that its document makes is called by its name and this."""
_VERSION = "openslo/v1"
_BURNS = re.compile(r"\s*burns\s*<\s*(?P<share>\S+)\s+of\s+budget\s*")
_WINDOW = re.compile(r"(\d{1,4})(h|d|w|M|Q|Y)")
_HOURS = {"h": 1, "d": 24, "w": 168, "M": 720, "Q": 2_160, "Y": 8_760}
_BEYOND = {"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
"""OpenSLO's operator for a good reading → ours for a bad one."""
_SUBSET = "docs/experiment-file.md names the subset"


class Slo(Section):
    """What an OpenSLO document says beside its criteria."""

    file: Line
    name: Line
    target: Any = key(description="share of good ones, from 0 to 1")
    window_ms: int | None = key(default=None, least=1, description="the time window")
    burns: Line | None = key(default=None, description="what the objective allows the fault, in the document's terms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A document, read: an SLI and a criterion in our own words."""

    name: str
    target: float
    window_ms: int | None
    sli: dict[str, Any]
    expect: str
    ratio: bool


def read_slo(document: Document, root: Entries, sli: str) -> Read | None:
    """Read the subset; None when it holds anything else, noted at its place. ``sli`` is how its criterion calls it."""
    before = len(document.errors)
    _known(document, root)
    spec = root.get("spec")
    name = _text(find(root, ("metadata", "name"))) or "slo"
    target = _target(document, root)
    made = _metric(document, root, spec, sli, 1 - target) if target is not None else None
    if made is None or target is None or len(document.errors) > before:
        return None
    return Read(
        name=name,
        target=target,
        window_ms=_window(document, root),
        sli=made[0],
        expect=made[1],
        ratio=made[1].startswith("ratio("),
    )


def _refuse(document: Document, root: Entries, path: tuple[str | int, ...], message: str, hint: str = _SUBSET) -> None:
    document.add(locate(root, path, key=True), "openslo", message, hint)


def _known(document: Document, root: Entries) -> None:
    version, kind = _text(root.get("apiVersion")), _text(root.get("kind"))
    if version != _VERSION:
        _refuse(document, root, ("apiVersion",), f"not {_VERSION}: {shown(version or 'nothing')}")
    if kind != "SLO":
        _refuse(document, root, ("kind",), f"an OpenSLO document of kind {shown(kind or 'nothing')} is no SLO")
    if find(root, ("spec", "indicatorRef")) is not None:
        _refuse(
            document, root, ("spec", "indicatorRef"), "indicatorRef is not followed", "write indicator: in its place"
        )
    method = find(root, ("spec", "budgetingMethod"))
    if method is not None and _text(method) != "Occurrences":
        what = shown(_text(method) or "")
        _refuse(
            document, root, ("spec", "budgetingMethod"), f"budgetingMethod {what} is not supported", "write Occurrences"
        )


def _target(document: Document, root: Entries) -> float | None:
    objectives = find(root, ("spec", "objectives"))
    several = objectives.items if isinstance(objectives, Items) else []
    if len(several) != 1:
        _refuse(document, root, ("spec", "objectives"), f"{len(several)} objectives, where one is needed")
        return None
    path = ("spec", "objectives", 0)
    for word in ("indicator", "indicatorRef", "compositeWeight", "timeSliceTarget"):
        if find(several[0], (word,)) is not None:
            _refuse(document, root, (*path, word), f"{word} is not supported: no composite and no time slices")
    one, hundred = find(several[0], ("target",)), find(several[0], ("targetPercent",))
    value = _number(one) if one is not None else _number(hundred)
    if value is not None and one is None:
        value /= 100
    if value is None or not 0 < value < 1:
        _refuse(document, root, path, "a target is a share between 0 and 1", "write target: 0.999")
        return None
    return round(value, 12)


def _metric(
    document: Document, root: Entries, spec: Node | None, sli: str, budget: float
) -> tuple[dict[str, Any], str] | None:
    path = ("spec", "indicator", "spec")
    inner = find(spec, path[1:])
    ratio, threshold = find(inner, ("ratioMetric",)), find(inner, ("thresholdMetric",))
    limit = f"{100 * round(budget, 12):.10g}%"
    if ratio is not None:
        counters = _counters(document, root, ratio, (*path, "ratioMetric"))
        return None if counters is None else (counters, f"ratio({sli}) < {limit}")
    if threshold is None:
        _refuse(document, root, path, "no ratioMetric and no thresholdMetric in its indicator")
        return None
    query = _query(document, root, (*path, "thresholdMetric"))
    op, value = find(root, ("spec", "objectives", 0, "op")), find(root, ("spec", "objectives", 0, "value"))
    beyond, number = _BEYOND.get(_text(op) or ""), _number(value)
    if beyond is None or number is None:
        hint = f"write op: {', '.join(_BEYOND)} and value: 0.5"
        _refuse(document, root, ("spec", "objectives", 0), "a thresholdMetric needs op and value", hint)
        return None
    return None if query is None else ({**query, "every": "5s"}, f"share({sli} {beyond} {number:.10g}) < {limit}")


def _counters(document: Document, root: Entries, ratio: Node, path: tuple[str, ...]) -> dict[str, Any] | None:
    parts = [word for word in ("good", "bad") if find(ratio, (word,)) is not None]
    if find(ratio, ("raw",)) is not None:
        _refuse(document, root, (*path, "raw"), "a raw ratio has no counts, and without them nothing can be proven")
        return None
    counter = find(ratio, ("counter",))
    if not isinstance(counter, Value) or counter.value is not True:
        _refuse(
            document, root, path, "only counters can be counted", "write counter: true, and expressions without rate()"
        )
        return None
    if len(parts) != 1 or find(ratio, ("total",)) is None:
        _refuse(document, root, path, "a ratioMetric needs total, and good or bad")
        return None
    part, total = (_query(document, root, (*path, word)) for word in (parts[0], "total"))
    if part is None or total is None:
        return None
    if part.get("source") != total.get("source"):
        _refuse(document, root, path, f"{parts[0]} and total are of different sources")
        return None
    source = {"source": part["source"]} if "source" in part else {}
    return {"prometheus": {parts[0]: part["prometheus"], "total": total["prometheus"]}, **source}


def _query(document: Document, root: Entries, path: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the expression of a metricSource, and the source that it names."""
    here = (*path, "metricSource")
    kind, query = _text(find(root, (*here, "type"))), _text(find(root, (*here, "spec", "query")))
    named = _text(find(root, (*here, "metricSourceRef")))
    if kind is not None and kind.lower() != "prometheus":
        _refuse(document, root, (*here, "type"), f"a metric of {shown(kind)} is not supported, only Prometheus")
        return None
    if query is None:
        _refuse(document, root, here, "no query in its metricSource", "write spec: {query: EXPRESSION}")
        return None
    return {"prometheus": query, **({"source": named} if named else {})}


def _window(document: Document, root: Entries) -> int | None:
    windows = find(root, ("spec", "timeWindow"))
    first = windows.items[0] if isinstance(windows, Items) and windows.items else windows
    duration = find(first, ("duration",))
    match = _WINDOW.fullmatch(_text(duration) or "")
    if duration is not None and match is None:
        document.add(
            duration.span, "openslo", f"not a duration of a window: {shown(_text(duration) or '')}", "write 30d or 4w"
        )
    return 3_600_000 * int(match[1]) * _HOURS[match[2]] if match and int(match[1]) else None


def burn_limit(text: str) -> float | None:
    """Read ``burns < 2% of budget`` as 0.02; None for anything else. Raise ValueError for a share that is none."""
    match = _BURNS.fullmatch(text)
    return None if match is None else parse_percent(match["share"])


def allowed_share(share: float, target: float, window_ms: int, fault_ms: int) -> float:
    """Return which share of the fault phase's requests may be bad, so that it burns no more than ``share`` of the window's budget.

    The budget is (1 - target) of the requests of the window; at an even rate they are to the fault phase's as the lengths are.
    """
    return min(1.0, share * (1 - target) * window_ms / fault_ms)


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Value) and node.text else None


def _number(node: Node | None) -> float | None:
    value = node.value if isinstance(node, Value) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def spot(span: Span, value: Any) -> Node:
    """Return plain data as a part of the file that stands at one place."""
    if isinstance(value, dict):
        items: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return Entries(span=span, entries={name: (span, spot(span, inner)) for name, inner in items.items()})
    return Value(span=span, value=value, text=str(value))
