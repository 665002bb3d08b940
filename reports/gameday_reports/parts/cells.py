"""One criterion in one phase, in words: its measure, its counts, its result."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import gauges, words
from gameday_reports.criteria import Limit, read_limit
from gameday_reports.reading import number, part, text

TONES = {"pass": "pass", "fail": "fail", "dirty": "fail", "aborted": "warn", "inconclusive": "warn"}


_BAD_WORDS = {
    "errors": "failed", "availability": "failed", "throughput": "not completed", "bad_seconds": "seconds over the budget"
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One criterion in one phase."""

    value: str
    """The measure in the objective's own terms: ``p95 ≈ 212 ms``, ``0.2% failed``."""
    counted: str = ""
    """What it was judged by: ``12 of 6,000 failed or slower than 300 ms (0.2%, allowed 5%)``."""
    result: str = ""
    tone: str = "none"
    note: str = ""


def limit_of(criterion: Json, phase: str) -> Limit | None:
    """Return what a criterion allows in a phase: ``during`` while the fault is on, ``expect`` otherwise."""
    during = text(criterion, "during") if phase == "fault" else ""
    return read_limit(during or text(criterion, "expect"))


def gauge_cell(phase: Json, note: str = "") -> Cell:
    """Describe what a gauge came to in a phase."""
    word = text(phase, "result")
    limit = gauges.read_gauge_limit(text(phase, "criterion"))
    allowed = f", allowed {limit.allowed}" if limit is not None else ""
    return Cell(
        value=gauges.read(phase),
        counted=gauges.coverage(phase) + allowed,
        result=words.outcome(word, text(phase, "reason")) if word else "",
        tone=TONES.get(word, "none"),
        note=" · ".join(item for item in (note, text(phase, "error", 120)) if item),
    )


def cell(phase: Json, limit: Limit | None, measured: float | None, note: str = "") -> Cell:
    """Describe what requests came to in a phase; ``measured`` is the latency of a histogram, in milliseconds."""
    n, k = number(phase, "n"), number(phase, "k")
    word = text(phase, "result")
    if not word and n is None:
        return Cell(value="not measured", note=note)
    if not n:
        return Cell(value="no data", result=words.RESULTS.get(word, word), tone=TONES.get(word, "none"), note=note)
    return Cell(
        value=_value(limit, measured, (n, k)),
        counted=_counted(limit, (n, k), number(phase, "share"), number(phase, "budget")),
        result=words.outcome(word, text(phase, "reason")) if word else "",
        tone=TONES.get(word, "none"),
        note=note,
    )


def _value(limit: Limit | None, measured: float | None, counts: tuple[float, float | None]) -> str:
    n, k = counts
    if k is None:
        return words.UNKNOWN
    if limit is None:
        return f"{words.percent(k / n)} bad"
    if limit.quantile is not None:
        return (
            f"{limit.metric} ≈ {words.latency(measured)}"
            if measured is not None
            else f"{words.percent(k / n)} too slow"
        )
    if limit.metric in ("availability", "throughput"):
        return f"{words.percent((n - k) / n)} {'available' if limit.metric == 'availability' else 'completed'}"
    return f"{words.percent(k / n)} {'failed' if limit.kind == 'errors' else 'bad seconds'}"


def _counted(limit: Limit | None, counts: tuple[float, float | None], share: float | None, budget: float | None) -> str:
    n, k = counts
    allowed = "" if budget is None else f", allowed {words.percent(budget)}"
    if limit is None or limit.limit_ms is None:
        return f"{words.count(k)} of {words.count(n)} {_BAD_WORDS.get(limit.metric, 'bad') if limit is not None else 'bad'}{allowed}"
    slow = f"failed or not faster than {words.latency(limit.limit_ms)}"
    return f"{words.count(k)} of {words.count(n)} {slow}: {words.percent(share if share is not None or k is None else k / n)}{allowed}"


def after_cell(recovery: Json, criterion: Json) -> Cell:
    """Describe the recovery."""
    if number(recovery, "from_ms") is None:
        return Cell(value="not judged")
    seconds, within, word = number(recovery, "seconds"), number(recovery, "within_ms"), text(recovery, "result")
    value = (
        "not reached" if seconds is None else "at once" if not seconds else f"after {words.duration(seconds * 1000)}"
    )
    relapses, bad = number(recovery, "relapses"), number(recovery, "bad_seconds")
    counts = part(part(criterion, "phases"), "recovery")
    n, k = number(counts, "n"), number(counts, "k")
    said = ["" if within is None or within <= 0 else f"limit {words.duration(within)}"]
    said += ["" if not relapses else words.plural(round(relapses), "relapse")]
    said += ["" if bad is None else words.plural(round(bad), "bad second")]
    return Cell(
        value=value,
        counted=", ".join(item for item in said if item),
        note="" if not n else f"{words.count(k)} of {words.count(n)} bad after the fault",
        result=words.outcome(word, text(recovery, "reason")) if word else "",
        tone=TONES.get(word, "none"),
    )
