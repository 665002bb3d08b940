"""What was measured as a table: a row for each second and endpoint, then a row for each reading of an SLI.

RFC 4180: comma, CRLF, quotes where they are needed; no cell is a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gameday.model import GaugeSample, Histogram, LoadRow, Run
from gameday.spi.histogram import quantile
from gameday_reports import words
from gameday_reports.cells import Cell, cell
from gameday_reports.facts import Facts, facts_of
from gameday_reports.reading import number, parts, text

KINDS = (
    "ok", "capped", "http_4xx", "http_5xx", "timeout", "refused", "reset", "dns", "tls", "check", "generator", "other",
)  # fmt: skip
"""How a request can end: the closed list of docs/run-folder.md."""
QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
COLUMNS = (
    "run", "record", "run_ms", "utc", "phase", "name", "requests", *KINDS, *QUANTILES, "value", "took_ms", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSamples:
    """Everything that was measured, by the second."""

    name: str = "csv"
    filename: str = "samples.csv"
    on_request: bool = True

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render several runs below one head."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, COLUMNS, restval="")
        writer.writeheader()
        for run in runs:
            facts = facts_of(run)
            for row in (*_requests(facts), *_readings(facts)):
                writer.writerow({key: cell(value) for key, value in row.items()})
        return out.getvalue().encode()


def _requests(facts: Facts) -> Iterator[Mapping[str, Cell]]:
    counts: dict[tuple[int, str], dict[str, int]] = {}
    for row in facts.run.load.rows:
        kinds = counts.setdefault((row.slot // 10, row.endpoint), {})
        kind = _kind(row)
        kinds[kind] = kinds.get(kind, 0) + row.count
    latencies = {(one.second, one.endpoint): one for one in facts.run.load.histograms}
    for second, endpoint in sorted(counts):
        kinds = counts[second, endpoint]
        yield {
            **_place(facts, "requests", second * 1000, endpoint),
            "requests": sum(kinds.values()),
            **{kind: kinds.get(kind, 0) for kind in KINDS},
            **_quantiles(latencies.get((second, endpoint))),
        }


def _kind(row: LoadRow) -> str:
    return row.kind if row.kind in KINDS else "other"


def _quantiles(found: Histogram | None) -> dict[str, Cell]:
    if found is None:
        return {}
    values = {name: quantile(found.buckets, share) for name, share in QUANTILES.items()}
    return {name: None if us is None else us / 1000 for name, us in values.items()}


def _readings(facts: Facts) -> Iterator[Mapping[str, Cell]]:
    for sample in facts.run.gauges:
        yield {**_place(facts, "reading", sample.at_ms, sample.sli), **_reading(sample)}


def _reading(sample: GaugeSample) -> dict[str, Cell]:
    return {"value": sample.value, "took_ms": sample.took_ms, "error": sample.error}


def _place(facts: Facts, record: str, at_ms: int, name: str) -> dict[str, Cell]:
    started = number(facts.verdict, "started_wall")
    known = words.moment(None if started is None else started + at_ms / 1000)
    return {
        "run": facts.run.name,
        "record": record,
        "run_ms": at_ms,
        "utc": "" if known is None else f"{known:%Y-%m-%dT%H:%M:%S}.{known.microsecond // 1000:03d}Z",
        "phase": _phase(facts, at_ms),
        "name": name,
    }


def _phase(facts: Facts, at_ms: int) -> str:
    """Name the phase of the journal that a moment is in."""
    for raw in parts(facts.verdict, "phases"):
        begin, end = number(raw, "from_ms"), number(raw, "to_ms")
        if begin is not None and end is not None and begin <= at_ms < end:
            return text(raw, "name")
    return ""
