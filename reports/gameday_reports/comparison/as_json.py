"""A comparison for programs: ``{"schema": "gameday/comparison/1", …}``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gameday.model import Run
from gameday_reports.comparison.compare import Comparison, Row, compare
from gameday_reports.comparison.interval import METHOD
from gameday_reports.comparison.sides import Side, side_of
from gameday_reports.comparison.statuses import FindingStatus
from gameday_reports.reading import number, text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonComparison:
    """The whole comparison as one document."""

    name: str = "json"

    def render(self, before: Run, now: Run) -> bytes:
        """Render as UTF-8 with two spaces; raise ValueError for a run that was never judged."""
        document = to_json(compare(side_of(before), side_of(now)))
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def to_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    return {
        "schema": "gameday/comparison/1",
        "before": _side(found.before),
        "now": _side(found.now),
        "comparable": found.comparable,
        "why": list(found.why),
        "changes": [{"name": one.name, "before": one.before, "now": one.now} for one in found.changes],
        "rows": [_row(row) for row in found.rows],
        "findings": [_finding(one) for one in (*found.findings.present, *found.findings.gone)],
        "better": [{"objective": one.objective, "title": one.title} for one in found.findings.good],
        "method": METHOD,
    }


def _side(side: Side) -> dict[str, Any]:
    verdict = side.verdict
    return {
        "run": side.run,
        "verdict": text(verdict, "verdict"),
        "reasons": list(texts(verdict, "reasons")),
        "started_wall": number(verdict, "started_wall"),
        "digest": side.digest,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "subject": row.subject,
        "measure": row.measure,
        "before": row.before,
        "now": row.now,
        "differs": row.differs,
        "change": row.change,
        "interval": None if row.low is None or row.high is None else [round(row.low, 6), round(row.high, 6)],
        "beyond_chance": row.beyond,
        "worse": row.worse,
    }


def _finding(one: FindingStatus) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint,
        "status": one.status,
        "severity": text(one.finding, "severity"),
        "title": text(one.finding, "title"),
    }
