"""What objectives and abort rules say of ``slis:`` and of the load: that what they speak of is measured at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import ParameterError, ProbeCheck, Span, UnknownDriverError, did_you_mean
from gameday.schema.experiment import Objective
from gameday.schema.grammar import Criterion, ForRule
from gameday.schema.kinds import installed
from gameday.schema.nodes import Entries, Node, as_mapping, find, keys, locate, pairs
from gameday.schema.parts import Parts
from gameday.schema.quantities import shown
from gameday.schema.ratios import check_words, shapes
from gameday.schema.sli import COUNTS, SUMS, VALUE
from gameday.spi.errors import GamedayError

KINDS = (
    "http", "command", "sql", "redis", "rabbitmq", "process", "elasticsearch", "loki", "chaostoolkit", "prometheus",
    "prometheus_alerts", "alertmanager", "k8s",
)  # fmt: skip
"""Kinds of probes that ship with gameday."""


def check_gauges(document: Document, root: Node, parts: Parts) -> None:
    """Note each objective and abort rule that speaks of a gauge, or of a load, that the file does not have."""
    slis, loaded = shapes(root), find(root, ("load",)) is not None
    for name, objective in parts.objectives.items():
        for key, criteria in (("expect", objective.expect), ("during", objective.during or ())):
            span = locate(root, ("objectives", name, key))
            for criterion in criteria:
                _measured(document, span, criterion, slis, loaded=loaded or objective.on_counters(criterion))
        _where(document, root, name, objective)
    for index, rule in parts.abort.items():
        span = locate(root, ("abort", index))
        if isinstance(rule, ForRule):
            _measured(document, span, rule.criterion, slis, loaded=loaded)
        elif not loaded:
            _no_load(document, span, "this rule")


def _measured(document: Document, span: Span, criterion: Criterion, slis: Mapping[str, str], *, loaded: bool) -> None:
    if document.has_error_at(span):
        return
    if not criterion.sli:
        if not loaded:
            _no_load(document, span, criterion.metric)
    elif criterion.sli in slis:
        check_words(document, span, criterion, slis[criterion.sli])
    else:
        example = "{prometheus: {bad: EXPR, total: EXPR}}" if criterion.of_counters else "{http: URL, every: 5s}"
        hint = did_you_mean(criterion.sli, slis) or f"declare it: slis: {{{criterion.sli}: {example}}}"
        what = "SLI" if criterion.of_counters else "gauge"
        document.add(span, "unknown-sli", f"no {what} is called {shown(criterion.sli)} under 'slis'", hint)


def _no_load(document: Document, span: Span, what: str) -> None:
    hint = "write load: {target: URL, rate: 100/s, requests: […]}, or an objective on a gauge of slis:"
    document.add(span, "no-load", f"{what} is measured by the load, and there is none", hint)


def _where(document: Document, root: Node, name: str, objective: Objective) -> None:
    criteria = (*objective.expect, *objective.during_criteria)
    if objective.where is not None and all(c.kind == "gauge" or objective.on_counters(c) for c in criteria):
        span = locate(root, ("objectives", name, "where"))
        gauge = all(c.kind == "gauge" for c in criteria)
        why = "a gauge has none" if gauge else "counters are not those of the load"
        fix = "remove it" if gauge else "remove it, and choose by labels in the expressions"
        document.add(span, "bad-value", f"where chooses requests, and {why}", fix)


def kind_of(entry: Mapping[str, Any]) -> str | None:
    """Return the kind of one entry of ``slis:``; None where there is none."""
    return next((key for key in entry if key not in ("every", "source")), None)


def check_slis(document: Document, root: Node, raw: Mapping[str, Any], probes: ProbeCheck | None) -> None:
    """Note what is wrong between each entry of ``slis:`` and its probe."""
    for name, entry in as_mapping(raw.get("slis")).items():
        kind = kind_of(as_mapping(entry))
        if kind is None:
            continue
        path = ("slis", name, kind)
        if _ratio(entry[kind]) and "every" in entry:
            span = locate(root, ("slis", name, "every"), key=True)
            message = "two counters are fetched once, after the phases, and not read again and again"
            document.add(span, "bad-value", message, "remove every")
        params = {key: value for key, value in as_mapping(entry).items() if key not in ("every", "source", kind)}
        _check(document, root, path, {VALUE: entry[kind], **params}, probes)


def _ratio(value: object) -> bool:
    return frozenset(as_mapping(value)) in (*COUNTS, SUMS)


def _check(
    document: Document, root: Node, path: tuple[str, str, str], params: Mapping[str, Any], probes: ProbeCheck | None
) -> None:
    _, name, kind = path
    span = locate(root, path, key=True)
    try:
        if probes is not None:
            probes(kind, params)
    except UnknownDriverError as error:
        document.add(span, "unknown-probe", str(error), error.hint)
    except ParameterError as error:
        _parameter(document, root, ("slis", name), kind, error)
    except GamedayError as error:
        document.add(span, "probe", str(error), error.hint)


def _parameter(document: Document, root: Node, path: tuple[str, str], kind: str, error: ParameterError) -> None:
    code = {"unknown": "unknown-key", "missing": "missing-key", "value": "bad-value"}[error.kind]
    place = (*path, error.parameter) if error.parameter and find(root, (*path, error.parameter)) else (*path, kind)
    document.add(locate(root, place, key=error.kind == "unknown"), code, str(error), error.hint)


def kind_first(root: Entries, probes: ProbeCheck | None) -> Entries:
    """Return the tree with the kind of each SLI as its first key, wherever the file has it: so the models know it."""
    slis = root.get("slis")
    if not isinstance(slis, Entries):
        return root
    entries = dict(slis.entries)
    for name, span, node in pairs(slis):
        kind = _kind(keys(node), probes)
        if kind is not None and isinstance(node, Entries):
            ordered = {kind: node.entries[kind], **node.entries}
            entries[name] = (span, Entries(span=node.span, entries=ordered))
    place = root.entries["slis"][0]
    return Entries(span=root.span, entries={**root.entries, "slis": (place, Entries(span=slis.span, entries=entries))})


def _kind(names: tuple[str, ...], probes: ProbeCheck | None) -> str | None:
    """Return the first key that is a kind: of ours, or installed by somebody else."""
    others = [name for name in names if name not in ("every", "source")]
    if others and others[0] not in KINDS and installed(others[0], probes):
        return others[0]
    return next((name for name in others if name in KINDS), None)
