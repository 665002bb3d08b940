"""How long judging an hour of load takes: `python bench/judge.py` (goal: under 2 s for 200 arrivals a second)."""

from __future__ import annotations

import random
import time

from gameday.judge import judge, to_bytes
from gameday.model import Event, LoadRow, LoadSeries, Run, Tick

RATE, HOUR_MS = 200, 3_600_000
START, GATE, ZERO, REVERTED, END = 1_000, 300_000, 301_000, 3_300_000, HOUR_MS
ENDPOINTS = ("browse", "search", "basket", "checkout")


def an_hour(seed: int = 1) -> Run:
    """A run of one hour: four endpoints, ten objectives, some errors in each second."""
    generator = random.Random(seed)
    rows: list[LoadRow] = []
    for slot in range(HOUR_MS // 100):
        for endpoint in ENDPOINTS:
            slow = int(generator.random() < 0.1)
            rows.append(LoadRow(slot=slot, endpoint=endpoint, kind="ok", count=5, slower={300_000: slow}))
        if generator.random() < 0.05:
            rows.append(LoadRow(slot=slot, endpoint="checkout", kind="http_5xx", count=1))
    ticks = [
        Tick(at_ms=at, started=RATE, late=0, lag_p99_ms=1.0, in_flight=1, oldest_in_flight_ms=9, capped=0, generator_errors=0, cpu=0.2)
        for at in range(1_000, HOUR_MS + 2_000, 1_000)
    ]  # fmt: skip
    total = sum(row.count for row in rows)
    told: list[tuple[int, str, dict[str, object]]] = [
        (0, "opened", {"seed": seed}),
        (START, "phase", {"name": "baseline"}),
        (GATE, "phase", {"name": "gate"}),
        (GATE + 500, "gate", {"passed": True}),
        (ZERO, "armed", {"fault": "slow", "plan": {}}),
        (ZERO + 100, "inject-called", {"fault": "slow"}),
        (ZERO + 150, "active", {"fault": "slow", "active": True, "when": "proof"}),
        (REVERTED - 9, "active", {"fault": "slow", "active": True, "when": "before-revert"}),
        (REVERTED, "reverted", {"fault": "slow", "by": "runner", "proven": True}),
        (REVERTED + 1, "phase", {"name": "recovery"}),
        (END, "phase", {"name": "end"}),
        (END + 1, "load-stopped", {"offered": total, "completed": total, "drained": True}),
        (END + 2, "closed", {"undone": True}),
    ]
    events = tuple(Event(seq=n, kind=kind, at_ms=at, wall=0.0, data=data) for n, (at, kind, data) in enumerate(told))
    return Run(
        name="hour",
        experiment=_experiment(),
        plan={},
        events=events,
        head="",
        closed=True,
        load=LoadSeries(rows=tuple(rows), ticks=tuple(ticks), said_bye=True),
    )


def _experiment() -> dict[str, object]:
    objectives: dict[str, object] = {"all": {"expect": "errors < 5%\nthroughput > 90%\nbad_seconds < 90%"}}
    for endpoint in ENDPOINTS:
        objectives[f"{endpoint}-fast"] = {"expect": "p90 < 300ms", "where": {"endpoint": endpoint}}
        objectives[f"{endpoint}-up"] = {"expect": "errors < 5%", "where": {"endpoint": endpoint}}
    return {
        "version": 1,
        "title": "An hour",
        "load": {"target": "http://x", "rate": f"{RATE}/s", "requests": [{"name": e, "get": "/"} for e in ENDPOINTS]},
        "objectives": objectives,
        "faults": [{"name": "slow", "do": "proxy.latency", "at": "0s", "for": "50m"}],
    }


def main() -> None:
    """Print the seconds of the best of three, and what was judged."""
    run = an_hour()
    best, document = float("inf"), judge(run)
    for _ in range(3):
        start = time.perf_counter()
        document = judge(run)
        best = min(best, time.perf_counter() - start)
    print(
        f"judge {len(run.load.rows):,} rows, {len(document['objectives'])} objectives: {best:.2f} s, {document['verdict']}"
    )
    print(f"verdict.json: {len(to_bytes(document)):,} bytes")


if __name__ == "__main__":
    main()
