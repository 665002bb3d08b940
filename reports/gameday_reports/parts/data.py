"""Raw data: the files of the run folder, and the figures of the charts themselves while the page stays small."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.reading import bounded
from gameday_reports.series import latencies

MOST_BYTES = 300_000
"""Largest page that still holds its own figures; beyond, they are beside it."""
_MOST_SECONDS = 3_000
FILES = (
    ("experiment.yaml", "the experiment as it was written, byte for byte"),
    ("plan.json", "the resolved experiment, versions and the command"),
    ("journal.ndjson", "everything that happened, hash-chained"),
    ("samples.ndjson", "everything that was measured: counts in 100 ms slots, latencies in histograms, readings"),
    ("verdict.json", "everything that was judged; every figure of this page is from it or from samples.ndjson"),
    ("junit.xml", "the same verdict for CI"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataView:
    """Where the figures are."""

    files: tuple[tuple[str, str], ...]
    csv: str
    """A ``data:`` link with a line for each second and endpoint; empty when the run is too long for it."""
    lines: str


def data_view(facts: Facts) -> DataView:
    """Describe the raw data; the figures of a short run as CSV (RFC 4180)."""
    rows = _rows(facts) if facts.ledger.seconds * len(facts.ledger.endpoints) <= _MOST_SECONDS else []
    written = "".join(",".join(map(_cell, row)) + "\r\n" for row in rows)
    coded = base64.b64encode(written.encode("utf-8", "replace")).decode()
    files = (*FILES, *((("previous.json", "the run before this one, for comparison"),) if facts.previous else ()))
    return DataView(
        files=files,
        csv=f"data:text/csv;charset=utf-8;base64,{coded}" if len(rows) > 1 else "",
        lines=words.plural(max(0, len(rows) - 1), "line"),
    )


def _rows(facts: Facts) -> list[tuple[str, ...]]:
    counts = facts.ledger
    rows: list[tuple[str, ...]] = [("second", "endpoint", "requests", "failed", "p95_ms")]
    for name in counts.endpoints:
        slow = dict(latencies(facts.run.load.histograms, (name,), 0.95).pairs())
        found = zip(counts.total((name,)), counts.failed((name,)), strict=True)
        for second, (total, failed) in enumerate(found, counts.start):
            p95 = slow.get(second)
            rows.append((str(second), bounded(name), str(total), str(failed), "" if p95 is None else f"{p95:.3f}"))
    return rows


def _cell(value: str) -> str:
    """Quote a cell, and take the power from one that a spreadsheet would compute."""
    safe = f"'{value}" if value.startswith(_FORMULA) and not value.lstrip("-").replace(".", "").isdigit() else value
    return '"' + safe.replace('"', '""') + '"' if any(char in safe for char in ',"\r\n') else safe
