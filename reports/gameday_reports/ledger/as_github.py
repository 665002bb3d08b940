"""Open findings as GitHub issues: a JSON list of what ``POST /repos/OWNER/REPO/issues`` takes (title, body, labels).

See https://docs.github.com/rest/issues/issues#create-an-issue. A title is plain text there, of
at most 256 characters; a body is Markdown, of at most 65,536. Whoever owns a finding may be a team, so that nobody is assigned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports.ledger.evidence import evidence
from gameday_reports.reading import bounded, parts, text

MOST_TITLE, MOST_BODY = 256, 65_536
_MARK = "<!-- gameday-finding: {} -->"
"""Invisible; what finds the issue of a finding again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubIssues:
    """One issue for each finding that is open and has no ticket yet."""

    name: str = "github"

    def render(self, document: Json) -> bytes:
        """Render as UTF-8 JSON."""
        wanted = [
            raw for raw in parts(document, "findings") if text(raw, "state") != "closed" and not text(raw, "ticket")
        ]
        return json.dumps([_issue(raw) for raw in wanted], indent=2, ensure_ascii=False).encode() + b"\n"


def _issue(raw: Json) -> dict[str, object]:
    mark = _MARK.format("".join(c for c in text(raw, "fingerprint", 32) if c.isalnum()))
    labels = ["gameday", f"severity: {text(raw, 'severity', 20)}", *(["overdue"] if raw.get("overdue") is True else [])]
    title = " ".join(f"{text(raw, 'experiment')}: {text(raw, 'title')}".split())
    return {
        "title": title if len(title) <= MOST_TITLE else title[: MOST_TITLE - 1] + "…",
        "body": bounded("\n".join(evidence(raw)), MOST_BODY - 200) + f"\n{mark}",
        "labels": labels,
    }
