"""Findings as a JSON document, ``gameday/findings/1``: what every form of them is rendered from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gameday.gamedays.ledger.facts import RunFacts
from gameday.gamedays.ledger.lifecycle import Finding
from gameday.schema.remarks import KEYS

SCHEMA = "gameday/findings/1"


def findings_document(found: Iterable[Finding], *, now: float) -> dict[str, Any]:
    """Return the document; every key is always there."""
    return {"schema": SCHEMA, "at": moment(now), "findings": [_finding(one, now) for one in found]}


def _finding(one: Finding, now: float) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint,
        "state": one.state,
        "overdue": one.overdue(now),
        "severity": one.latest.severity,
        "worst": one.worst,
        "experiment": one.experiment,
        "objective": one.latest.objective or None,
        "phase": one.latest.phase or None,
        "rule": one.latest.rule,
        "title": one.latest.title,
        "saw": one.latest.saw,
        "next": one.latest.next,
        "open_in": list(one.open_in),
        "first": _run(one.first),
        "last": _run(one.last),
        "closed_by": None if one.closed_by is None else _run(one.closed_by),
        "changed": one.changed,
        "runs": one.times,
        "reopened": one.reopened,
        "unproven": one.unproven,
        **{key: one.said.get(key) for key in KEYS},
    }


def _run(run: RunFacts) -> dict[str, Any]:
    return {"run": run.run, "started": moment(run.started), "verdict": run.verdict}


def moment(at: float) -> str:
    """Return a moment as people and machines read it: ``2026-11-23T10:15:00Z``."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
