"""Which source an objective on an alert asks, and whether the file's phases leave it the time that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gameday.schema.document import Document
from gameday.schema.experiment import Objective, SourceSpec
from gameday.schema.nodes import Entries, locate
from gameday.schema.parts import Parts
from gameday.schema.quantities import format_duration
from gameday.schema.sources import choose_source, source_kinds

RULES, ROUTER = "prometheus", "alertmanager"
"""Kinds of sources: where rules are evaluated, and where alerts are sent."""


class AlertSources(NamedTuple):
    """Where an alert is looked at."""

    source: str
    """Name of the source that says when it fires."""
    rules: str | None
    """Name of the one that evaluates its rule: the same, or the only Prometheus beside an Alertmanager; None where there is none."""


def alert_sources(objective: Objective, sources: Mapping[str, SourceSpec]) -> AlertSources | None:
    """Return the sources of an objective on an alert: named, or else the only Prometheus, or else the only Alertmanager."""
    kinds = {name: spec.kind or name for name, spec in sources.items()}
    return _chosen(objective.source, kinds)


def _chosen(named: str | None, kinds: Mapping[str, str]) -> AlertSources | None:
    of_rules, routers = ([name for name, kind in kinds.items() if kind == wanted] for wanted in (RULES, ROUTER))
    only = of_rules[0] if len(of_rules) == 1 else None
    source = named or only or (routers[0] if len(routers) == 1 and not of_rules else None)
    if source is None or kinds.get(source) not in (RULES, ROUTER):
        return None
    return AlertSources(source, source if kinds[source] == RULES else only)


def check_alert(document: Document, root: Entries, name: str, parts: Parts) -> None:
    """Note what is wrong between an alert, its source and the phases."""
    objective, path = parts.objectives[name], ("objectives", name)
    kinds = source_kinds(root)
    chosen = _chosen(objective.source, kinds)
    if chosen is None:
        choose_source(document, root, path, (RULES, ROUTER))
    elif objective.fires is not None and objective.fires.within_ms is None and chosen.rules is None:
        span = locate(root, (*path, "fires"))
        message = f"an Alertmanager cannot tell that {objective.alert} stays silent from that nobody sends it"
        hint = "declare the Prometheus that evaluates its rule, too: sources: {prometheus: {url: …}}"
        document.add(span, "missing-source", message, hint)
    phases, resolves = parts.phases, objective.resolves
    if phases is not None and resolves is not None and resolves > phases.recovery:
        message = f"resolves within {format_duration(resolves)} does not fit into a recovery phase of"
        span = locate(root, (*path, "resolves"))
        hint = f"phases: {{recovery: {format_duration(resolves)}}} or more"
        document.add(span, "too-short", f"{message} {format_duration(phases.recovery)}, for {name!r}", hint)
