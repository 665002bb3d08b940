"""Three rules that judge the same fault phase: the product's own judge, a threshold at the end, and one sample with a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bench.truth.traffic import Phase
from gameday.judge import judge
from gameday.model import Event, LoadRow, LoadSeries, Run, Tick

Rule: TypeAlias = Callable[[Phase, float], str]
BASELINE, GATE, ZERO = 0, 5_000, 6_000
RECOVERY = 8_000


AGAIN = 100
"""One of so many runs is judged although a run with the same counts was judged before."""


def ours(phase: Phase, budget: float) -> str:
    """Judge a whole run folder's worth of records: the baseline before and the recovery after have no bad request."""
    return str(judge(a_run(phase, budget))["verdict"])


class Remembering:
    """Our rule, which asks the judge once for the same counts, and now and then again: raise AssertionError if it then differs.

    An objective on errors is judged by the counts of the phase, whenever in it they were. That makes thousands of runs a cell possible.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, float], str] = {}
        self._asked = 0

    def __call__(self, phase: Phase, budget: float) -> str:
        """Judge one phase."""
        counts = phase.n, phase.k, budget
        self._asked += 1
        if counts in self._known and self._asked % AGAIN:
            return self._known[counts]
        verdict = ours(phase, budget)
        assert self._known.setdefault(counts, verdict) == verdict, f"two verdicts for {counts}"
        return verdict


def threshold(phase: Phase, budget: float) -> str:
    """Compare the share of the whole phase with the budget."""
    return "pass" if phase.k <= budget * phase.n else "fail"


def one_sample(phase: Phase, budget: float) -> str:
    """Compare the share of one second, the last, with the budget: what is sampled once, after the fault's time is up."""
    return "pass" if phase.bad[-1] <= budget * phase.rate else "fail"


RULES: Mapping[str, Rule] = {"gameday": ours, "threshold at the end": threshold, "one sample": one_sample}


def a_run(phase: Phase, budget: float) -> Run:
    """Tell the run: 5 s of baseline, the fault phase, 8 s of recovery, all as planned."""
    reverted = ZERO + 1_000 * len(phase.bad)
    end = reverted + RECOVERY
    rows = _rows(phase, reverted, end)
    total = sum(row.count for row in rows)
    told: list[tuple[int, str, dict[str, Any]]] = [
        (0, "opened", {"seed": 1}),
        (BASELINE, "phase", {"name": "baseline"}),
        (GATE, "phase", {"name": "gate"}),
        (GATE + 100, "gate", {"passed": True}),
        (ZERO - 100, "armed", {"fault": "one", "plan": {}}),
        (ZERO, "inject-called", {"fault": "one"}),
        (ZERO, "active", {"fault": "one", "active": True, "when": "proof"}),
        (reverted - 9, "active", {"fault": "one", "active": True, "when": "before-revert"}),
        (reverted, "reverted", {"fault": "one", "by": "runner", "proven": True}),
        (reverted, "phase", {"name": "recovery"}),
        (end, "phase", {"name": "end"}),
        (end + 1, "load-stopped", {"offered": total, "completed": total, "drained": True}),
        (end + 2, "closed", {"undone": True}),
    ]
    events = tuple(Event(seq=n, kind=kind, at_ms=at, wall=0.0, data=data) for n, (at, kind, data) in enumerate(told))
    load = LoadSeries(rows=tuple(rows), ticks=tuple(_ticks(phase.rate, end)), said_bye=True)
    return Run(name="r", experiment=_experiment(phase, budget), plan={}, events=events, head="", closed=True, load=load)


def _rows(phase: Phase, reverted: int, end: int) -> list[LoadRow]:
    rows: list[LoadRow] = []
    for at in range(BASELINE, end, 1_000):
        bad = phase.bad[(at - ZERO) // 1_000] if ZERO <= at < reverted else 0
        rows.append(LoadRow(slot=at // 100, endpoint="home", kind="ok", count=phase.rate - bad))
        if bad:
            rows.append(LoadRow(slot=at // 100, endpoint="home", kind="http_5xx", count=bad))
    return rows


def _ticks(rate: int, end: int) -> list[Tick]:
    calm: dict[str, Any] = {"late": 0, "lag_p99_ms": 1.0, "in_flight": 1, "oldest_in_flight_ms": 9, "capped": 0}
    return [Tick(at_ms=at, started=rate, generator_errors=0, cpu=0.2, **calm) for at in range(0, end + 2_000, 1_000)]


def _experiment(phase: Phase, budget: float) -> dict[str, Any]:
    return {
        "version": 1,
        "title": "One phase",
        "load": {"target": "http://x", "rate": f"{phase.rate}/s", "requests": [{"name": "home", "get": "/"}]},
        "objectives": {"one": {"expect": f"errors <= {100 * budget:g}%", "recover": {"within": "3s", "hold": "2s"}}},
        "phases": {"warmup": "0s", "baseline": "5s", "recovery": f"{RECOVERY // 1_000}s"},
        "faults": [{"name": "one", "do": "proxy.down", "with": {"proxy": "x"}, "for": f"{len(phase.bad)}s"}],
    }
