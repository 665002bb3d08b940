"""Runs told in a few words: a whole, passing run of 3,000 requests that a test bends in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gameday.model import AlertLook, Event, GaugeSample, LoadRow, LoadSeries, Run, Testimony, Tick

RATE = 50
"""Arrivals per second of every story: five in each slot."""
BASELINE, GATE, ZERO, PROVEN, REVERTED, END = 5_000, 25_000, 26_000, 26_500, 66_500, 96_500
"""Milliseconds of the run's clock at which the default story's phases begin, and its fault is on."""
Told = tuple[int, str, dict[str, Any]]
Bad = Callable[[int], int]
"""Slot → how many of its five requests are bad."""


def experiment(**changes: Any) -> dict[str, Any]:
    """A resolved experiment: one objective on errors, one reversible fault of 40 s, 30 s of recovery."""
    return {
        "version": 1,
        "title": "Checkout survives a payments outage",
        "load": {
            "target": "http://127.0.0.1:8080",
            "rate": f"{RATE}/s",
            "timeout": "5s",
            "requests": [{"name": "checkout", "get": "/checkout"}],
        },
        "objectives": {"available": {"expect": "errors < 5%", "recover": {"within": "15s", "hold": "10s"}}},
        "phases": {"warmup": "0s", "baseline": "20s", "recovery": "30s"},
        "faults": [
            {"name": "payments-down", "do": "proxy.down", "with": {"proxy": "payments"}, "at": "0s", "for": "40s"}
        ],
        **changes,
    }


def closed(**changes: Any) -> dict[str, Any]:
    """The same with a closed model: 20 users instead of a rate."""
    file = experiment(**changes)
    load = {key: value for key, value in file["load"].items() if key != "rate"}
    return {**file, "load": {**load, "users": 20}}


def fault_life(
    name: str = "payments-down", start: int = ZERO, proven: int = PROVEN, reverted: int = REVERTED
) -> list[Told]:
    """Everything that the journal says of a reversible fault whose life went as planned."""
    return [
        (
            4_000,
            "planned",
            {
                "fault": name,
                "driver": "proxy.down",
                "targets": ["proxy payments"],
                "reversible": True,
                "provable": True,
            },
        ),
        (
            start - 100,
            "armed",
            {"fault": name, "plan": {"driver": "proxy.down", "targets": ["proxy payments"], "undo": {}}},
        ),
        (start, "inject-called", {"fault": name}),
        (start + 20, "injected", {"fault": name, "seconds": 0.02}),
        (proven, "active", {"fault": name, "active": True, "when": "proof"}),
        (proven + 5_000, "active", {"fault": name, "active": True, "when": "hold"}),
        (reverted - 300, "active", {"fault": name, "active": True, "when": "before-revert"}),
        (reverted - 250, "met", {"fault": name, "count": 900}),
        (reverted - 240, "revert-called", {"fault": name, "by": "runner"}),
        (reverted, "reverted", {"fault": name, "by": "runner", "proven": True, "error": ""}),
    ]


def frame(end: int = END) -> list[Told]:
    """Everything around the faults."""
    return [
        (0, "opened", {"run_id": "r", "boot_id": "b", "seed": 7, "digest": "d"}),
        (4_500, "load-started", {"pid": 4}),
        (BASELINE - 1, "phase", {"name": "warmup"}),
        (BASELINE, "phase", {"name": "baseline"}),
        (GATE, "phase", {"name": "gate"}),
        (GATE + 500, "gate", {"passed": True, "objectives": []}),
        (ZERO - 50, "phase", {"name": "fault"}),
        (REVERTED + 10, "phase", {"name": "recovery"}),
        (end, "phase", {"name": "end"}),
    ]


def good(_slot: int) -> int:
    """No request is bad."""
    return 0


def between(from_ms: int, to_ms: int, bad: int) -> Bad:
    """``bad`` of five requests fail in the slots from one time to another."""
    return lambda slot: bad if from_ms <= slot * 100 < to_ms else 0


def rows(bad: Bad, *, from_ms: int = BASELINE - 500, to_ms: int = END + 500, kind: str = "http_5xx") -> list[LoadRow]:
    """Five requests to checkout in each slot, of which ``bad(slot)`` end with ``kind``."""
    made: list[LoadRow] = []
    for slot in range(from_ms // 100, to_ms // 100):
        wrong = min(5, bad(slot))
        if wrong:
            made.append(LoadRow(slot=slot, endpoint="checkout", kind=kind, count=wrong))
        if wrong < 5:
            made.append(LoadRow(slot=slot, endpoint="checkout", kind="ok", count=5 - wrong))
    return made


def ticks(from_ms: int = BASELINE - 500, to_ms: int = END + 1_500, **changes: Any) -> list[Tick]:
    """A healthy second after another."""
    calm: dict[str, Any] = {
        "started": RATE,
        "late": 0,
        "lag_p99_ms": 1.2,
        "in_flight": 1,
        "oldest_in_flight_ms": 20,
        "capped": 0,
        "generator_errors": 0,
        "cpu": 0.2,
    }
    return [Tick(at_ms=at, **{**calm, **changes}) for at in range(from_ms, to_ms, 1_000)]


@dataclass(slots=True)
class Story:
    """A run to be: change a part, then ``run()``."""

    file: dict[str, Any] = field(default_factory=experiment)
    events: list[Told] = field(default_factory=lambda: [*frame(), *fault_life()])
    rows: Sequence[LoadRow] = field(default_factory=lambda: rows(good))
    ticks: Sequence[Tick] = field(default_factory=ticks)
    gauges: Sequence[GaugeSample] = ()
    alerts: Sequence[AlertLook] = ()
    testimonies: Sequence[Testimony] = ()
    said_bye: bool = True
    closed: bool = True
    undone: bool = True
    stopped: bool = True

    def without(self, *kinds: str, **data: Any) -> Story:
        """Leave out the records of these kinds (and with this data)."""
        self.events = [
            told for told in self.events if not (told[1] in kinds and all(told[2].get(k) == v for k, v in data.items()))
        ]
        return self

    def add(self, at_ms: int, kind: str, **data: Any) -> Story:
        """Add a record."""
        self.events.append((at_ms, kind, data))
        return self

    def until(self, at_ms: int) -> Story:
        """Leave out all that was written later: the runner is lost."""
        self.events = [told for told in self.events if told[0] <= at_ms]
        self.closed, self.said_bye, self.stopped = False, False, False
        self.rows = [row for row in self.rows if row.slot * 100 < at_ms]
        return self

    def run(self) -> Run:
        """Put it all in order."""
        told = sorted(self.events, key=lambda told: told[0])
        last = told[-1][0] if told else 0
        if self.stopped:
            total = sum(row.count for row in self.rows)
            told.append((last + 500, "load-stopped", {"offered": total, "completed": total, "drained": True}))
        if self.closed:
            told.append((last + 900, "closed", {"undone": self.undone}))
        events = tuple(
            Event(seq=seq, kind=kind, at_ms=at_ms, wall=1_790_000_000 + at_ms / 1000, data=data)
            for seq, (at_ms, kind, data) in enumerate(told)
        )
        return Run(
            name="20261123T101500Z-payments-1a2b",
            experiment=self.file,
            plan={"lines": {"objectives.available": 31}, "seed": 7, "digest": "d"},
            events=events,
            head="0" * 64,
            closed=self.closed,
            load=LoadSeries(rows=tuple(self.rows), ticks=tuple(self.ticks), said_bye=self.said_bye),
            gauges=tuple(self.gauges),
            alerts=tuple(self.alerts),
            testimonies=tuple(self.testimonies),
        )


def drop_events(run: Run, gone: set[int]) -> Run:
    """Leave out records as a damaged journal would: their numbers stay missing."""
    left = tuple(event for event in run.events if event.seq not in gone)
    return replace(run, events=left, closed=bool(left) and left[-1].kind == "closed")
