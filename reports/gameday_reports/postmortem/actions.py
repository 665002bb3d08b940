"""Action items: every finding of the day's runs, and every note that begins with ``action:``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gameday.model import GameDay
from gameday_reports.postmortem.agenda import experiments, person
from gameday_reports.reading import LINE, PARAGRAPH, bounded, parts, text

_PREFIX = "action:"
_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
_TONES = {"critical": "fail", "high": "fail", "medium": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that is to be done."""

    what: str
    severity: str
    tone: str
    why: str
    href: str
    owner: str
    due: str
    ticket: str
    fingerprint: str


def actions(day: GameDay) -> tuple[Action, ...]:
    """Return them, the most severe first; what people added in findings.yaml is on them. A finding of several runs is there once."""
    found: dict[str, Action] = {}
    for _, verdict, path in experiments(day):
        run = day.runs.get(path)
        remarks: Mapping[str, Mapping[str, str]] = {} if run is None else run.remarks
        for index, raw in enumerate(parts(verdict, "findings"), 1):
            fingerprint, severity = text(raw, "fingerprint", 120), text(raw, "severity", 20).lower()
            remark = remarks.get(fingerprint, {})
            found[fingerprint] = Action(
                what=bounded(remark.get("action", ""), PARAGRAPH) or text(raw, "next", PARAGRAPH),
                severity=severity,
                tone=_TONES.get(severity, "none"),
                why=text(raw, "title"),
                href=quote(f"{path}/report.html") + f"#finding-{index}" if path.startswith("runs/") else "",
                owner=bounded(remark.get("owner", ""), LINE),
                due=bounded(remark.get("due", ""), 40),
                ticket=bounded(remark.get("ticket", ""), LINE),
                fingerprint=fingerprint,
            )
    by_severity = sorted(found.values(), key=lambda action: _RANK.get(action.severity, 9))
    return (*by_severity, *_said(day))


def _said(day: GameDay) -> list[Action]:
    """Return what people named in their notes."""
    found: list[Action] = []
    for event in day.of_kind("note"):
        said = text(event.data, "text", PARAGRAPH).strip()
        if said.lower().startswith(_PREFIX):
            found.append(
                Action(
                    what=said[len(_PREFIX) :].strip(),
                    severity="noted",
                    tone="none",
                    why=f"noted by {person(event.data) or 'somebody'}",
                    href="",
                    owner="",
                    due="",
                    ticket="",
                    fingerprint="",
                )
            )
    return found
