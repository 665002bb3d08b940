"""What every section of a report needs from a run, worked out once: the verdict, counts by second, and the time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.model import Json, Run, Verdict
from gameday_reports.charts.geometry import Band, Phase, Span, TimeAxis
from gameday_reports.gauges import gauge_criteria, gauge_series, gauges_of, read_gauge_limit
from gameday_reports.previous import Previous, previous_of
from gameday_reports.reading import number, parts, text
from gameday_reports.series import Ledger, Series, ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A judged run, and what is derived from it."""

    run: Run
    verdict: Json
    word: Verdict
    ledger: Ledger
    axis: TimeAxis
    previous: Previous | None = None
    """An earlier run, for orientation."""

    @property
    def zero_ms(self) -> int | None:
        """Time zero of the plan, in ms of the run; None when the run never came to its fault phase."""
        found = [event.at_ms for event in self.run.of_kind("phase") if event.data.get("name") == "fault"]
        return found[0] if found else None

    @property
    def experiment(self) -> Json:
        """The resolved experiment."""
        return self.run.experiment

    @property
    def faults(self) -> tuple[Json, ...]:
        """The verdict's faults, in the order of the file."""
        return parts(self.verdict, "faults")

    @property
    def objectives(self) -> tuple[Json, ...]:
        """The verdict's objectives, in the order of the file."""
        return parts(self.verdict, "objectives")

    @property
    def has_load(self) -> bool:
        """Whether this run made its own traffic: its file says so, or it measured some."""
        return bool(self.experiment.get("load")) or bool(self.run.load.rows)

    def gauge(self, sli: str, scale: float = 1.0) -> Series:
        """Return a gauge as one value a second, divided by ``scale``; of several readings in one the worst."""
        samples = [sample for sample in self.run.gauges if sample.sli == sli]
        upper = all(
            limit.upper
            for _, criterion in gauge_criteria(self.objectives)
            if (limit := read_gauge_limit(text(criterion, "expect"))) is not None and limit.sli == sli
        )
        return gauge_series(samples, gauges_of(self.experiment).get(sli, 1_000.0), scale, upper=upper)

    def window(self, name: str) -> Span | None:
        """Return (from, to) of what was judged as a phase, in ms of the run, or None when the run never reached it."""
        return next(
            ((found.from_ms, found.to_ms) for found in _phases(self.verdict, "windows") if found.name == name), None
        )

    def regions(self) -> tuple[tuple[int, int, str], ...]:
        """Cut the axis into before, during and after the fault: (from, to, phase whose limit holds there)."""
        found = [span for span in (self.window("onset"), self.window("fault")) if span is not None]
        axis = self.axis
        if not found:
            return ((axis.from_ms, axis.to_ms, "baseline"),)
        begin, end = min(span[0] for span in found), max(span[1] for span in found)
        return ((axis.from_ms, begin, "baseline"), (begin, end, "fault"), (end, axis.to_ms, "recovery"))


def letter(index: int) -> str:
    """Return the letter of a fault, for findings have the numbers: 1 → ``A``, 27 → ``AA``."""
    written = ""
    while index > 0:
        index, rest = divmod(index - 1, 26)
        written = chr(ord("A") + rest) + written
    return written


def facts_of(run: Run) -> Facts:
    """Work out the facts; raise ValueError for a run that was never judged."""
    if run.verdict is None:
        raise ValueError(f"{run.name} has not been judged: there is no verdict.json")
    counts = ledger(run.load)
    return Facts(
        run=run,
        verdict=run.verdict,
        word=_word(run.verdict),
        ledger=counts,
        axis=_axis(run, run.verdict, counts),
        previous=previous_of(run),
    )


def _word(verdict: Json) -> Verdict:
    try:
        return Verdict.from_word(text(verdict, "verdict"))
    except KeyError:
        return Verdict.INCONCLUSIVE  # a word we do not know is no evidence, and never green


def _phases(verdict: Json, key: str) -> tuple[Phase, ...]:
    return tuple(
        Phase(name=text(raw, "name"), from_ms=round(begin), to_ms=round(end))
        for raw in parts(verdict, key)
        if (begin := number(raw, "from_ms")) is not None and (end := number(raw, "to_ms")) is not None and end >= begin
    )


def _axis(run: Run, verdict: Json, counts: Ledger) -> TimeAxis:
    phases = _phases(verdict, "phases")
    faults = parts(verdict, "faults")
    edges = [edge for phase in phases for edge in (phase.from_ms, phase.to_ms)]
    edges += [
        round(ms) for fault in faults for key in ("called_ms", "reverted_ms") if (ms := number(fault, key)) is not None
    ]
    if counts.seconds:
        edges += [counts.start * 1000, (counts.start + counts.seconds) * 1000]
    end = max(edges) if edges else round(number(verdict, "ended_ms") or 0)
    begin = min(edges, default=0)
    end = max(end, begin + 1000)
    bands = tuple(
        band for index, fault in enumerate(faults, 1) if (band := _band(run, fault, index, end, phases)) is not None
    )
    return TimeAxis(from_ms=begin, to_ms=end, epoch_wall=number(verdict, "started_wall"), bands=bands, phases=phases)


def _band(run: Run, fault: Json, index: int, end: int, phases: Sequence[Phase]) -> Band | None:
    called, proven, reverted = number(fault, "called_ms"), number(fault, "proven_ms"), number(fault, "reverted_ms")
    if called is None:
        return None
    name = text(fault, "name", 80)
    off, gone = reverted, text(fault, "undo") in ("proven", "reported", "not-needed")
    if off is None and text(fault, "undo") == "not-needed":
        observed = [event.at_ms for event in run.of_kind("observed") if event.data.get("fault") == fault.get("name")]
        off = observed[-1] if observed else max((phase.to_ms for phase in phases if phase.name == "fault"), default=end)
    return Band(
        label=letter(index),
        name=name,
        on_ms=round(called),
        proven_ms=None if proven is None else round(proven),
        off_ms=round(off) if off is not None and gone else end,
        open_ended=not gone,
    )
