"""``findings.yaml``: what people add to findings, by fingerprint. A wrong entry is left out and told; it never breaks a run or a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from gameday.schema.document import Document
from gameday.schema.errors import ExperimentErrors, Located, Span, did_you_mean
from gameday.schema.nodes import Entries, Node, Value, pairs
from gameday.schema.yamlfile import parse, read_bytes

FILENAME = "findings.yaml"
KINDS = ("prevent", "detect", "mitigate", "process")
"""What an action improves: that it does not happen, that it is seen, that it hurts less, or how people work."""
KEYS: Mapping[str, tuple[int, str]] = {
    "owner": (120, "the team or role that has it"),
    "due": (10, "the day by which it is done: 2026-12-08"),
    "ticket": (500, "its ticket, or the address of it"),
    "action": (2_000, "what is done about it; without it, the finding's next step"),
    "kind": (10, "what the action improves: prevent, detect, mitigate or process"),
    "cause": (2_000, "what people found out to be the cause"),
    "note": (2_000, "anything else that a reader should know"),
}
"""Key → the most characters it may have, and what it says."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """A findings file, read: what is right in it, and everything that is wrong."""

    entries: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Fingerprint → key → text."""
    errors: tuple[Located, ...] = ()


def read_remarks_file(path: Path) -> Remarks:
    """Read a file; one that is not there has no entries."""
    if not path.exists():
        return Remarks()
    try:
        return read_remarks(str(path), read_bytes(path))
    except ExperimentErrors as wrong:
        return Remarks(errors=wrong.errors)


def read_remarks(path: str, data: bytes) -> Remarks:
    """Read a findings file; never raises. ``path`` is what its errors are called."""
    try:
        document = parse(path, data)
    except ExperimentErrors as wrong:
        return Remarks(errors=wrong.errors)
    entries: dict[str, Mapping[str, str]] = {}
    try:
        if isinstance(document.root, Entries):
            for fingerprint, span, node in pairs(document.root):
                entry = _entry(document, fingerprint, span, node)
                if entry:
                    entries[fingerprint] = entry
        elif not (isinstance(document.root, Value) and document.root.value is None):
            document.add(document.root.span, "wrong-type", "a findings file is a mapping", _EXAMPLE)
    except ExperimentErrors as many:  # more than anybody reads
        return Remarks(entries=entries, errors=many.errors)
    return Remarks(entries=entries, errors=ExperimentErrors(document.errors).errors)


def remarks_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, draft 2020-12."""
    entry: dict[str, Any] = {
        name: {"type": "string", "minLength": 1, "maxLength": most, "description": about}
        for name, (most, about) in KEYS.items()
    }
    entry["due"]["pattern"] = r"^\d{4}-\d{2}-\d{2}$"
    entry["kind"] = {"enum": list(KINDS), "description": KEYS["kind"][1]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gameday findings: what people add, by fingerprint",
        "type": "object",
        "propertyNames": {"pattern": f"^{_FINGERPRINT.pattern}$"},
        "additionalProperties": {
            "type": "object",
            "minProperties": 1,
            "properties": entry,
            "additionalProperties": False,
        },
    }


_EXAMPLE = "write FINGERPRINT: {owner: team-checkout, due: 2026-12-08, ticket: CHK-1482}"


def _entry(document: Document, fingerprint: str, span: Span, node: Node) -> dict[str, str]:
    """Return what is right in one entry; what is wrong is noted in the document."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        hint = "copy the 16 digits from the finding in the report, or from verdict.json"
        document.add(span, "bad-value", f"{fingerprint!r} is not the fingerprint of a finding", hint)
        return {}
    if not isinstance(node, Entries):
        document.add(span, "wrong-type", f"{fingerprint!r} must be a mapping", _EXAMPLE)
        return {}
    found: dict[str, str] = {}
    for key, at, value in pairs(node):
        if key not in KEYS:
            document.add(at, "unknown-key", f"unknown key {key!r}", did_you_mean(key, KEYS))
        elif not isinstance(value, Value) or not value.text.strip():
            document.add(at, "wrong-type", f"{key!r} must be text", f"write {key}: {KEYS[key][1]}")
        elif wrong := wrong_remark(key, value.text.strip()):
            document.add(value.span, "bad-value", f"{key!r} {wrong[0]}", wrong[1])
        else:
            found[key] = value.text.strip()
    return found


def wrong_remark(key: str, text: str) -> tuple[str, str] | None:
    """Say what is wrong with the text of a key, and what would do; None when nothing is."""
    if len(text) > KEYS[key][0]:
        return f"is longer than {KEYS[key][0]:,} characters", "link to the ticket or the postmortem for more"
    if key == "due" and not _is_date(text):
        return f"must be a date, not {text!r}", "write it as 2026-12-08"
    if key == "kind" and text not in KINDS:
        return f"must be one of {', '.join(KINDS)}, not {text!r}", did_you_mean(text, KINDS)
    return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
