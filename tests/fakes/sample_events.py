"""The journal of a sample run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gameday.model import Event
from tests.fakes.sample_facts import ABORT, LOAD_MS, NAME, WALL, Outcome, Times


def sample_events(outcome: Outcome, times: Times, verdict: dict[str, Any]) -> Iterable[Event]:
    told = sorted(_told(outcome, times, verdict), key=lambda item: item[0])
    for seq, (at_ms, kind, data) in enumerate(told):
        yield Event(seq=seq, kind=kind, at_ms=at_ms, wall=WALL + at_ms / 1000, data=data)


def _told(outcome: Outcome, times: Times, verdict: dict[str, Any]) -> list[tuple[int, str, dict[str, Any]]]:
    fault = {"fault": "payments-down"}
    load = verdict["load"]
    told: list[tuple[int, str, dict[str, Any]]] = [
        (0, "opened", {key: verdict[key] for key in ("title", "boot_id", "seed", "digest")} | {"run_id": NAME, "pid": 4242, "start": 99}),
        (4, "watchdog-started", {"pid": 4243, "start": 100, "lease_ms": 90_000}),
        (31, "proxy-started", {"names": ["payments"], "control": "http://127.0.0.1:8474", "pid": 4244, "start": 101}),
        (60, "process-started", {"name": "payments", "pid": 4245, "start": 102}),
        (61, "process-started", {"name": "shop", "pid": 4246, "start": 103}),
        (910, "process-ready", {"name": "payments", "pid": 4245, "start": 102}),
        (1_240, "process-ready", {"name": "shop", "pid": 4246, "start": 103}),
        (1_300, "planned", {**fault, "driver": "proxy.down", "targets": verdict["faults"][0]["targets"], "undo": "restored"}),
        (2_600, "load-started", {"pid": 4250}),
        (LOAD_MS, "phase", {"name": "warmup"}),
        (times.baseline[0], "phase", {"name": "baseline"}),
        (times.baseline[1], "phase", {"name": "gate"}),
        (times.baseline[1] + 150, "gate", {"passed": times.injected, "objectives": _gate(verdict)}),
        (times.load_end, "phase", {"name": "end"}),
        (times.load_end + 120, "load-stopped", {"offered": load["offered"], "completed": load["completed"], "drained": True}),
        (times.ended - 300, "process-stopped", {"name": "shop", "pid": 4246, "start": 103}),
        (times.ended - 280, "process-stopped", {"name": "payments", "pid": 4245, "start": 102}),
        (times.ended, "closed", {"undone": outcome != "dirty"}),
    ]  # fmt: skip
    if not times.injected:
        return told
    told += [
        (times.zero - 120, "armed", {**fault, "plan": {}}),
        (times.zero, "phase", {"name": "fault"}),
        (times.called, "inject-called", fault),
        (times.called + 7, "injected", {**fault, "seconds": 0.007}),
        (times.proven, "active", {**fault, "active": True, "when": "proof"}),
        *(
            (at, "active", {**fault, "active": True, "when": "hold"})
            for at in range(times.proven + 1_000, times.revert_called, 1_000)
        ),
        (times.revert_called - 4, "active", {**fault, "active": True, "when": "before-revert"}),
        (times.revert_called - 2, "met", {**fault, "count": 1_804}),
        (times.revert_called, "revert-called", {**fault, "by": "runner"}),
        (times.reverted, "phase", {"name": "recovery"}),
    ]
    if outcome == "aborted":
        told.append((times.revert_called - 5, "abort", {"reason": "guard", "detail": ABORT}))
    if outcome == "dirty":
        told.append(
            (
                times.reverted + 5_000,
                "still-active",
                {**fault, "by": "runner", "error": "connections are still refused"},
            )
        )
    else:
        told.append((times.reverted, "reverted", {**fault, "by": "runner", "proven": True}))
    return told


def _gate(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    for objective in verdict["objectives"]:
        phase = objective["criteria"][0]["phases"]["baseline"]
        result.append({"name": objective["name"], **{key: phase[key] for key in ("result", "reason", "n", "k")}})
    return result
