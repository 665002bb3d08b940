"""What the file says about alerts that it silences: that there is an Alertmanager, and that nothing is proven by what was silenced.

An alert that an Alertmanager silences counts there as one that does not fire: an objective or a gauge that asks it would be green, or
red, because of us. A Prometheus is asked in its place, which evaluates the rule whoever is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gameday.schema.alerts import ROUTER, RULES
from gameday.schema.document import Document
from gameday.schema.nodes import Node, Path, as_list, as_mapping, locate
from gameday.schema.quantities import shown
from gameday.schema.silence import SILENCE, SILENCER
from gameday.schema.sources import choose_source, source_kinds


def check_silences(document: Document, root: Node, raw: Mapping[str, Any]) -> None:
    """Note a silence without an Alertmanager, a fault that has its name, and whatever would be judged by a silenced alert."""
    silenced = {str(alert) for alert in as_list(raw.get(SILENCE))}
    if silenced:
        choose_source(document, root, (SILENCE,), (ROUTER,))
    for index, fault in enumerate(as_list(raw.get("faults"))):
        known = as_mapping(fault)
        if known.get("name") == SILENCE:
            message = f"no fault may be called {SILENCE}: that is the silence around a run"
            document.add(locate(root, ("faults", index, "name")), "duplicate-name", message, "give it another name")
        if known.get("do") == SILENCER:
            silenced |= {str(alert) for alert in as_list(as_mapping(known.get("with")).get("alerts"))}
    for path, alert in _asked(raw, source_kinds(root)):
        if alert in silenced:
            message = f"{shown(alert)} is silenced by this file, and an Alertmanager would say that it does not fire"
            hint = f"ask the Prometheus that evaluates its rule: source: NAME of kind {RULES}"
            document.add(locate(root, path), "silenced", message, hint)


def _asked(raw: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield each alert that an Alertmanager is asked about, and where the file says so."""
    rules = [name for name, kind in kinds.items() if kind == RULES]
    for name, entry in as_mapping(raw.get("objectives")).items():
        objective = as_mapping(entry)
        source = objective.get("source") or (rules[0] if len(rules) == 1 else None)
        if objective.get("alert") and (source is None or kinds.get(str(source)) == ROUTER):
            yield ("objectives", name, "alert"), str(objective["alert"])
    for name, entry in as_mapping(raw.get("slis")).items():
        if ROUTER in as_mapping(entry):
            yield ("slis", name, ROUTER), str(as_mapping(entry)[ROUTER])
