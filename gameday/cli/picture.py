"""Where a run is, from its journal records and its load's messages: pure, so that a live run and a followed one look the same."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from gameday.cli.views import FaultView, LoadView, ObjectiveView, PhaseView, Snapshot
from gameday.judge.counts import Ledger, meters
from gameday.judge.curtailed import Curtailed
from gameday.model import Event, Json, LoadRow
from gameday.schema.experiment import Experiment, FaultSpec, Objective

RECENT_SLOTS = 50
"""Slots of 100 ms that "now" means: five seconds."""
_RATE_MS = 2000


class Picture:
    """Takes in records and messages; says at any time how things are. Not for two threads at once."""

    def __init__(self, experiment: Experiment, *, check_only: bool = False) -> None:
        self._experiment = experiment
        self._lengths: dict[str, int] = {
            "warmup": experiment.phases.warmup,
            "baseline": experiment.phases.baseline,
            "fault": experiment.fault_ms,
            "recovery": experiment.phases.recovery,
        }
        if check_only:
            del self._lengths["fault"], self._lengths["recovery"]
        self._phase, self._since = "starting", 0
        self._zero: int | None = None
        self._began: int | None = None
        self._faults = {} if check_only else {fault.name: _Fault(fault) for fault in experiment.faults}
        self._rows: deque[LoadRow] = deque()
        self._pulses: deque[Json] = deque()
        self._tick: Json = {}
        self._gauges: dict[str, float | None] = {}
        self._judged: tuple[ObjectiveView, ...] | None = None
        self._curtailed = Curtailed(experiment)
        self._broken: set[str] = set()
        self.epoch_ns: int | None = None
        """The zero of the run's clock, once it is known."""

    def note(self, event: Event) -> None:
        """Take in one journal record."""
        data = event.data
        self._curtailed.note(event)
        if event.kind == "opened":
            self.epoch_ns = data.get("epoch_ns")
        elif event.kind == "phase":
            self._phase, self._since = str(data.get("name")), event.at_ms
            self._judged = None
            if self._phase == "fault":
                self._zero = event.at_ms
            elif self._phase == "warmup":
                self._began = event.at_ms
        elif event.kind in ("refused", "abort"):
            self._phase, self._since = event.kind, event.at_ms
        elif (fault := self._faults.get(str(data.get("fault")))) is not None:
            fault.note(event)

    def measure(self, message: Json) -> list[str]:
        """Take in one message of the load: ``pulse``, ``agg``, ``tick`` or a gauge's sample; any other is ignored.

        Return a sentence for each objective that it decided before its time.
        """
        match message.get("t"):
            case "pulse":
                self._pulses.append(message)
                while len(self._pulses) > 1 and message["at_ms"] - self._pulses[1]["at_ms"] >= _RATE_MS:
                    self._pulses.popleft()
            case "agg":
                rows = _rows(message)
                self._rows.extend(rows)
                self._judged = None
                return self._decided(rows)
            case "tick":
                self._tick = message
            case "gauge":
                self._gauges[str(message.get("sli"))] = message.get("value")
                self._judged = None
            case _:
                pass
        return []

    def _decided(self, rows: list[LoadRow]) -> list[str]:
        found = self._curtailed.feed(rows)
        self._broken.update(one.objective for one in found)
        return [one.words() for one in found]

    def snapshot(self, now_ms: float) -> Snapshot:
        """Say how things are at this time of the run's clock."""
        return Snapshot(
            title=self._experiment.title,
            phase=self._phase_view(now_ms),
            load=self._load(now_ms),
            objectives=self._objectives(),
            faults=tuple(fault.view(self._zero, now_ms) for fault in self._faults.values()),
        )

    def _phase_view(self, now_ms: float) -> PhaseView:
        names = list(self._lengths)
        after = names[names.index(self._phase) + 1 :] if self._phase in names else []
        return PhaseView(
            name=self._phase,
            length_ms=self._lengths.get(self._phase),
            passed_ms=now_ms - self._since,
            after_ms=sum(self._lengths[name] for name in after),
        )

    def _load(self, now_ms: float) -> LoadView | None:
        load = self._experiment.load
        if load is None:
            return None
        sent: float | None = None
        in_flight = int(self._tick.get("in_flight", 0))
        if len(self._pulses) > 1:
            first, last = self._pulses[0], self._pulses[-1]
            sent = (last["sent"] - first["sent"]) / max(last["at_ms"] - first["at_ms"], 1) * 1000
            in_flight = int(last["in_flight"])
        elif self._tick:
            sent = float(self._tick["started"])
        rows = self._recent()
        n = sum(row.count for row in rows)
        into = now_ms - (self._began or now_ms)
        return LoadView(
            wanted=load.rate_at(into),
            users=round(load.users_at(into)),
            sent=sent,
            in_flight=in_flight,
            bad=sum(row.count for row in rows if row.kind != "ok") / n if n else None,
            cpu=self._tick.get("cpu"),
        )

    def _recent(self) -> deque[LoadRow]:
        newest = max((row.slot for row in self._rows), default=0)
        self._rows = deque(row for row in self._rows if row.slot > newest - RECENT_SLOTS)
        return self._rows

    def _objectives(self) -> tuple[ObjectiveView, ...]:
        if self._judged is None:
            ledger = Ledger(self._recent(), self._experiment.latency_limits_us)
            views = (self._objective(name, o, ledger) for name, o in self._experiment.objectives.items())
            self._judged = tuple(views)
        return self._judged

    def _objective(self, name: str, objective: Objective, ledger: Ledger) -> ObjectiveView:
        """Count the criteria that are in force now; show the worst of them."""
        criteria = objective.during_criteria if self._phase == "fault" else objective.expect
        newest = max((row.slot for row in self._rows), default=0) + 1
        counting = [c for c in criteria if c.of_load]
        views = [
            ObjectiveView(name=name, allowed=c, tally=meter.over(newest - RECENT_SLOTS, newest))
            for c, meter in meters(ledger, objective, counting)
        ]
        views += [
            ObjectiveView(name=name, allowed=c, value=self._gauges.get(c.sli)) for c in criteria if c.kind == "gauge"
        ]
        views += [ObjectiveView(name=name, allowed=c) for c in criteria if objective.on_counters(c)]
        return replace(max(views, key=_badness), broken=name in self._broken)


def _badness(view: ObjectiveView) -> float:
    """Order criteria by how much of their budget the last seconds use; a gauge that breaks its limit comes first."""
    if view.allowed.kind == "gauge":
        return 1e9 if view.keeps is False else 0.0
    return (view.tally.share or 0.0) / (view.allowed.budget or 1e-9)


class _Fault:
    """One fault as its records tell."""

    def __init__(self, spec: FaultSpec) -> None:
        self._spec = spec
        self._state, self._proven = "waiting", False

    def note(self, event: Event) -> None:
        state = _STATES.get(event.kind)
        if event.kind == "active":
            self._proven = bool(event.data.get("active"))
        elif state is not None:
            self._state = state

    def view(self, zero_ms: int | None, now_ms: float) -> FaultView:
        left: float | None = None
        if zero_ms is not None and self._state in ("waiting", "armed"):
            left = zero_ms + self._spec.at - now_ms
        elif zero_ms is not None and self._state in ("on", "done"):
            left = zero_ms + self._spec.at + self._spec.length - now_ms
        shown = None if left is None else max(0.0, left)
        return FaultView(name=self._spec.name, state=self._state, proven=self._proven, left_ms=shown)


_STATES = {
    "armed": "armed",
    "inject-called": "injecting",
    "injected": "on",
    "deed": "done",
    "observed": "observed",
    "action-failed": "failed",
    "revert-called": "reverting",
    "reverted": "gone",
    "revert-failed": "left",
    "still-active": "left",
}


def _rows(message: Json) -> list[LoadRow]:
    rows: list[Any] = message["rows"]
    return [
        LoadRow(slot=slot, endpoint=name, kind=kind, count=count, slower={int(k): n for k, n in slower.items()})
        for slot, name, kind, count, slower in rows
    ]
