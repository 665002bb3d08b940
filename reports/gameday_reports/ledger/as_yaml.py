"""What people said of the findings of a ledger, as a findings.yaml: for a review in git, for runs, and for a site over many runs."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports.reading import parts, text

KEYS = ("owner", "due", "ticket", "action", "kind", "cause", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFindings:
    """The format of docs/findings.md; a finding of which nobody said anything is a comment."""

    name: str = "yaml"

    def render(self, document: Json) -> bytes:
        """Render as UTF-8."""
        lines = ["# What people added to findings, by fingerprint."]
        for raw in parts(document, "findings"):
            said = [(key, text(raw, key, 2_000)) for key in KEYS if text(raw, key)]
            mark = "" if said else "# "
            about = " ".join(f"{text(raw, 'state')}: {text(raw, 'experiment')}: {text(raw, 'title')}".split())
            lines += ["", f"# {about}", f"{mark}{_quoted(text(raw, 'fingerprint', 32))}:"]
            lines += [f"  {key}: {_quoted(value)}" for key, value in said] or [f"{mark}  owner: "]
        return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _quoted(value: str) -> str:
    """Quote a text; every JSON string is one of YAML."""
    return json.dumps(value, ensure_ascii=False)
