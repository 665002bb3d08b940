"""When each phase was, from the journal alone, and which 100 ms slots of the load belong to it.

A slot counts for a phase only when it lies wholly inside. One that an edge of the fault phase cuts is ``onset``, as are those
between the first "inject called" and the first proof: onset can fail, and never helps. Faults that overlap or follow each
other make one fault phase, from the first that was proven to the last that was undone; the time between two belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gameday.model import Event, Run
from gameday.schema.silence import SILENCE

SLOT_MS = 100
PHASES = ("warmup", "baseline", "gate", "fault", "recovery")


@dataclass(frozen=True, slots=True)
class Window:
    """One judged stretch of the run."""

    name: str
    from_ms: int
    to_ms: int
    spans: tuple[tuple[int, int], ...]
    """Slots that count, as half-open ranges."""

    @classmethod
    def whole(cls, name: str, from_ms: int, to_ms: int) -> Window:
        """Return the window of the slots that lie wholly inside [from_ms, to_ms)."""
        first, end = -(-from_ms // SLOT_MS), to_ms // SLOT_MS
        return cls(name, from_ms, to_ms, ((first, end),) if end > first else ())

    @property
    def slots(self) -> int:
        """How many slots count."""
        return sum(end - first for first, end in self.spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The judged windows of one run; None is one that the run never reached."""

    baseline: Window | None = None
    onset: Window | None = None
    fault: Window | None = None
    recovery: Window | None = None

    def judged(self) -> tuple[Window, ...]:
        """Return those whose requests make the verdict of a run that went on."""
        return tuple(window for window in (self.onset, self.fault, self.recovery) if window is not None)

    def present(self) -> tuple[Window, ...]:
        """Return all that the run reached, in order."""
        return (*([self.baseline] if self.baseline else []), *self.judged())


def phase_edges(run: Run) -> dict[str, int]:
    """Return when each phase began, in ms; the first record of a name counts."""
    edges: dict[str, int] = {}
    for event in run.of_kind("phase"):
        edges.setdefault(str(event.data.get("name")), event.at_ms)
    return edges


def find_windows(run: Run) -> Windows:
    """Cut the run into its judged windows, by its faults: a silence around it makes none."""
    run = replace(run, events=tuple(event for event in run.events if event.data.get("fault") != SILENCE))
    edges = phase_edges(run)
    baseline = None
    if "baseline" in edges and "gate" in edges:
        baseline = Window.whole("baseline", edges["baseline"], edges["gate"])
    fault = _fault(run)
    return Windows(baseline=baseline, onset=_onset(run, fault), fault=fault, recovery=_recovery(run, edges.get("end")))


def unprovable(run: Run) -> frozenset[str]:
    """Name the faults that nothing can measure: they begin when their inject returned."""
    return frozenset(str(e.data.get("fault")) for e in run.of_kind("planned") if e.data.get("provable") is False)


def _is_start(event: Event, reported: frozenset[str]) -> bool:
    if event.kind == "active":
        return event.data.get("active") is True and event.data.get("when") == "proof"
    return event.kind == "deed" or (event.kind == "injected" and event.data.get("fault") in reported)


def _first(events: Iterable[Event]) -> int | None:
    return min((event.at_ms for event in events), default=None)


def _last(events: Iterable[Event]) -> int | None:
    return max((event.at_ms for event in events), default=None)


def _fault(run: Run) -> Window | None:
    """From the first proven injection to the last revert or end of observation; a fault never undone lasts to the end."""
    reported = unprovable(run)
    starts = [event for event in run.of_kind("active", "deed", "injected") if _is_start(event, reported)]
    start = _first(starts)
    if start is None:
        return None
    started = {event.data.get("fault") for event in starts}
    end = _last(event for event in run.of_kind("reverted", "observed") if event.data.get("fault") in started)
    return Window.whole("fault", start, max(start, run.events[-1].at_ms if end is None else end))


def _onset(run: Run, fault: Window | None) -> Window | None:
    """From the first "inject called" to the first proof, and the slots that the edges of the fault phase cut.

    A fault that was never proven is onset until it was undone.
    """
    called = _first(run.of_kind("inject-called"))
    if fault is None:
        if called is None:
            return None
        undone = _last(run.of_kind("reverted"))
        return Window.whole("onset", called, max(called, run.events[-1].at_ms if undone is None else undone))
    begin = fault.from_ms if called is None else min(called, fault.from_ms)
    first, end = -(-begin // SLOT_MS), -(-fault.from_ms // SLOT_MS)
    spans = [(min(first, fault.from_ms // SLOT_MS), end)] if end > min(first, fault.from_ms // SLOT_MS) else []
    last = fault.to_ms // SLOT_MS
    if fault.to_ms % SLOT_MS and last >= end:
        spans.append((last, last + 1))
    return Window("onset", begin, fault.from_ms, tuple(spans))


def _recovery(run: Run, end: int | None) -> Window | None:
    """From the later of the last revert and the last irreversible deed to the end of the run's phases."""
    start = _last(run.of_kind("reverted", "deed"))
    return None if start is None or end is None else Window.whole("recovery", start, max(start, end))
