"""The findings of a ledger as a table, RFC 4180: a row for each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports.cells import Cell, cell
from gameday_reports.reading import PARAGRAPH, number, part, parts, text, texts

_PLAIN = ("fingerprint", "state", "severity", "worst", "experiment", "objective", "phase", "rule", "title")
_SAID = ("owner", "due", "ticket", "kind", "action", "cause", "note")
COLUMNS: tuple[str, ...] = (
    *_PLAIN, "open_in", "first_run", "first_started", "last_run", "last_started", "closed_by", "runs", "reopened", "overdue", *_SAID,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFindings:
    """One row a finding, with what people said of it."""

    name: str = "csv"

    def render(self, document: Json) -> bytes:
        """Render as UTF-8."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for raw in parts(document, "findings"):
            writer.writerow({key: cell(value) for key, value in _row(raw).items()})
        return out.getvalue().encode()


def _row(raw: Json) -> dict[str, Cell]:
    first, last = part(raw, "first"), part(raw, "last")
    return {
        **{key: text(raw, key) for key in _PLAIN},
        "open_in": "; ".join(texts(raw, "open_in")),
        "first_run": text(first, "run"),
        "first_started": text(first, "started"),
        "last_run": text(last, "run"),
        "last_started": text(last, "started"),
        "closed_by": text(part(raw, "closed_by"), "run"),
        "runs": number(raw, "runs"),
        "reopened": number(raw, "reopened"),
        "overdue": "yes" if raw.get("overdue") is True else "no",
        **{key: text(raw, key, PARAGRAPH) for key in _SAID},
    }
