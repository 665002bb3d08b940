"""What a run found: one rule a file, each a pure function of the verdict document; a machine states facts, people add causes."""

from __future__ import annotations

from typing import Any

from gameday.judge.findings import (
    aborted,
    alert,
    alert_unsure,
    baseline,
    broken,
    gaps,
    generator,
    hypothesis,
    margin,
    not_replaced,
    radius,
    recovery,
    relapse,
    residue,
    unproven,
    unsure,
    worse,
)
from gameday.judge.findings.rule import SEVERITIES, fingerprint
from gameday.model import Json

RULES = (
    residue.find,
    broken.find,
    worse.find,
    hypothesis.find,
    recovery.find,
    relapse.find,
    alert.find,
    aborted.find,
    radius.find,
    baseline.find,
    unproven.find,
    not_replaced.find,
    generator.find,
    unsure.find,
    alert_unsure.find,
    margin.find,
    gaps.find,
)
"""In the order in which findings of one severity are listed."""


def find_all(document: Json) -> list[dict[str, Any]]:
    """Return the findings of a verdict document, the most severe first, numbered from F1."""
    drafts = [draft for rule in RULES for draft in rule(document)]
    drafts.sort(key=lambda draft: SEVERITIES.index(draft.severity))
    return [
        {
            "id": f"F{number}",
            "fingerprint": fingerprint(document["title"], draft),
            "rule": draft.rule,
            "severity": draft.severity,
            "title": draft.title,
            "saw": draft.saw,
            "matters": draft.matters,
            "next": draft.next,
            "objective": draft.objective or None,
            "phase": draft.phase or None,
            "faults": list(draft.faults),
        }
        for number, draft in enumerate(drafts, start=1)
    ]
