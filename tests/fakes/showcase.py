"""Runs with everything a report can show, one for each verdict: two faults, an alert, a gauge, notes, people's remarks, an earlier run.

``docs/samples`` are these, rendered: ``python -m tests.fakes.showcase FOLDER`` (or ``make samples``) writes them.
"""

from __future__ import annotations

import copy
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gameday.model import Event, GaugeSample, Json, Run
from gameday.runner.priorseries import series_of, time_zero
from tests.fakes.sample_facts import OUTCOMES, WALL, Outcome
from tests.fakes.sample_run import sample_run

EARLIER = "20260914-141011-checkout-survives-a-payments-outage-2c81"
_SECOND: dict[str, Any] = {
    "name": "cache-slow", "do": "proxy.latency", "with": {"proxy": "cache", "latency": "40ms"}, "at": "20s", "for": "25s"
}  # fmt: skip
_NO_BUDGET = dict.fromkeys(("bad", "total", "used", "burn_rate", "outage_ms", "slo"))
_QUEUE = {"expect": "max(queue) < 500", "during": "max(queue) < 4000"}


def showcase(outcome: Outcome) -> Run:
    """Build the run that ended like this."""
    run = sample_run(outcome)
    verdict: dict[str, Any] = copy.deepcopy(dict(run.verdict or {}))
    fault = next(iter(verdict["faults"]))
    events = list(run.events)
    if outcome in ("pass", "fail"):
        verdict["faults"].append(_cache(fault))
        events += _life(verdict["faults"][1])
    queue = _queue(run, verdict)
    verdict["objectives"] += [_backlog(verdict, queue), _alert(outcome, verdict)]
    verdict["times"] = _times(verdict)
    verdict["findings"] += [_info(outcome)] if outcome in ("pass", "fail") else []
    events += _notes(outcome, verdict)
    return replace(
        run,
        verdict=json.loads(json.dumps(verdict)),
        events=_numbered(events),
        gauges=queue,
        experiment=_experiment(run),
        previous=_previous(outcome),
        remarks=_remarks(verdict) if outcome in ("fail", "aborted") else {},
    )


def _experiment(run: Run) -> dict[str, Any]:
    found = copy.deepcopy(dict(run.experiment))
    found["slis"] = {"queue": {"prometheus": "payments_queue_depth", "every": "1s"}}
    found["objectives"]["backlog-bounded"] = _QUEUE
    found["objectives"]["on-call-is-paged"] = {
        "alert": "CheckoutBurnRate",
        "fires": "within 30s",
        "resolves": "within 2m",
    }
    found["faults"].append(_SECOND)
    return found


def _cache(first: dict[str, Any]) -> dict[str, Any]:
    zero = first["called_ms"] + 20_000
    end = zero + 25_000
    return {
        **first, "name": "cache-slow", "driver": "proxy.latency", "targets": ["proxy cache (127.0.0.1:9103 → 127.0.0.1:9003)"],
        "planned_targets": ["proxy cache (127.0.0.1:9103 → 127.0.0.1:9003)"],
        "planned_ms": {"at": 20_000, "for": 25_000}, "armed_ms": zero - 110, "called_ms": zero, "proven_ms": zero + 46,
        "revert_called_ms": end, "reverted_ms": end + 58, "met": 512, "detail": "Connections took 40 ms longer until the revert.",
    }  # fmt: skip


def _life(fault: dict[str, Any]) -> list[Event]:
    name: dict[str, Any] = {"fault": fault["name"]}
    told: list[tuple[int, str, dict[str, Any]]] = [
        (fault["armed_ms"], "armed", {**name, "plan": {}}),
        (fault["called_ms"], "inject-called", name),
        (fault["called_ms"] + 9, "injected", {**name, "seconds": 0.009}),
        (fault["proven_ms"], "active", {**name, "active": True, "when": "proof"}),
        (fault["revert_called_ms"] - 3, "active", {**name, "active": True, "when": "before-revert"}),
        (fault["revert_called_ms"], "revert-called", {**name, "by": "runner"}),
        (fault["reverted_ms"], "reverted", {**name, "by": "runner", "proven": True}),
    ]
    return [_event(*item) for item in told]


def _event(at_ms: int, kind: str, data: Json) -> Event:
    return Event(seq=0, kind=kind, at_ms=at_ms, wall=WALL + at_ms / 1000, data=data)


def _numbered(events: list[Event]) -> tuple[Event, ...]:
    ordered = sorted(events, key=lambda event: event.at_ms)
    return tuple(replace(event, seq=seq) for seq, event in enumerate(ordered))


def _window(verdict: Json, name: str) -> tuple[int, int] | None:
    return next(((w["from_ms"], w["to_ms"]) for w in verdict["windows"] if w["name"] == name), None)


def _queue(run: Run, verdict: Json) -> tuple[GaugeSample, ...]:
    """Payments that wait: the queue grows while the fault is on and drains after it; three readings fail."""
    span, end = _window(verdict, "fault"), max(row.slot for row in run.load.rows) * 100
    begin, off = span or (end, end)
    found: list[GaugeSample] = []
    for at_ms in range(3_200, end, 1_000):
        grown = min(max(0, at_ms - begin), off - begin) * 0.03
        left = grown * math.exp(-max(0, at_ms - off) / 9_000)
        lost = begin + 31_000 <= at_ms < begin + 34_000
        value = None if lost else float(round(12 + 6 * math.sin(at_ms / 7_000) + left))
        found.append(GaugeSample(sli="queue", at_ms=at_ms, value=value, error="timed out" if lost else "", took_ms=4))
    return tuple(found)


def _reading(verdict: Json, queue: tuple[GaugeSample, ...], phase: str, criterion: str, limit: float) -> dict[str, Any]:
    begin, end = _window(verdict, phase) or (0, 0)
    inside = [sample for sample in queue if begin <= sample.at_ms and sample.end_ms <= end]
    values = [sample.value for sample in inside if sample.value is not None]
    greatest = max(values, default=None)
    word = "inconclusive" if greatest is None else "pass" if greatest < limit else "fail"
    return {
        "criterion": criterion, "sli": "queue", "value": greatest, "limit": limit,
        "coverage": len(values) / len(inside) if inside else None,
        "readings": len(values), "due": len(inside), "error": "timed out" if len(values) < len(inside) else None, "result": word,
        "reason": {"pass": "proven", "fail": "broken", "inconclusive": "no-data"}[word],
    }  # fmt: skip


def _backlog(verdict: Json, queue: tuple[GaugeSample, ...]) -> dict[str, Any]:
    phases = {"baseline": _reading(verdict, queue, "baseline", _QUEUE["expect"], 500.0)}
    injected = _window(verdict, "fault") is not None
    if injected:
        phases["fault"] = _reading(verdict, queue, "fault", _QUEUE["during"], 4_000.0)
    first = verdict["objectives"][0]
    recovery = {**first["recovery"], "within_ms": 40_000, "bad_seconds": 0, "relapses": 0}
    if injected:
        recovery |= {"seconds": 12.0, "result": "pass", "reason": "proven"}
    return {
        "name": "backlog-bounded", "verdict": "pass" if injected else "inconclusive", "reason": "proven" if injected else "baseline",
        "line": 38, "endpoints": [], "criteria": [{**_QUEUE, "phases": phases, "baseline": None}], "recovery": recovery, "alert": None,
        "budget": _NO_BUDGET, "warnings": [],
    }  # fmt: skip


def _alert(outcome: Outcome, verdict: Json) -> dict[str, Any]:
    fired = {"pass": 14_000, "fail": 22_000}.get(outcome)
    word, reason = {
        "pass": ("pass", "proven"), "fail": ("pass", "proven"), "inconclusive": ("inconclusive", "baseline"),
    }.get(outcome, ("inconclusive", "too-short"))  # fmt: skip
    alert = {
        "name": "CheckoutBurnRate", "source": "prometheus", "fires": "within", "within_ms": 30_000, "resolves_within_ms": 120_000,
        "fired_ms": fired, "resolved_ms": None if fired is None else 31_000, "before": False, "resolution_ms": 5_000, "error": None,
        "result": word, "reason": reason,
    }  # fmt: skip
    return {
        "name": "on-call-is-paged", "verdict": word, "reason": reason, "line": 41, "endpoints": [], "criteria": [], "recovery": None,
        "alert": alert, "budget": _NO_BUDGET, "warnings": [],
    }  # fmt: skip


def _times(verdict: Json) -> dict[str, Any]:
    alert, source = verdict["objectives"][-1]["alert"], "alert CheckoutBurnRate (prometheus)"
    span, reverted = _window(verdict, "fault"), verdict["faults"][0]["reverted_ms"]
    detect = {"ms": alert["fired_ms"], "source": source}
    if alert["fired_ms"] is None or span is None or reverted is None:
        return {**verdict["times"], "detect": detect}
    mitigated: int = reverted - span[0] + alert["resolved_ms"]
    return {**verdict["times"], "detect": detect, "mitigate": {"ms": mitigated, "source": f"{source} resolved"}}


def _info(outcome: Outcome) -> dict[str, Any]:
    """Good news is a finding, too."""
    fired = "14 s" if outcome == "pass" else "22 s"
    return {
        "id": "F1" if outcome == "pass" else "F3",
        "fingerprint": "4c1e9ab0/on-call-is-paged", "severity": "info", "rule": "alert", "phase": "fault",
        "title": f"On-call was paged {fired} after the fault was on: CheckoutBurnRate works", "objective": "on-call-is-paged",
        "saw": f"CheckoutBurnRate fired {fired} after the proven injection, and resolved 31 s after the last revert.",
        "matters": "on-call-is-paged asks for an alert within 30 s.", "next": "Nothing to do.", "faults": ["payments-down"],
    }  # fmt: skip


def _notes(outcome: Outcome, verdict: Json) -> list[Event]:
    span = _window(verdict, "fault")
    if span is None:
        return []
    said = [(span[0] + 3_000, "Support sees the first complaint in the chat.")]
    if outcome == "fail":
        said.append((span[0] + 41_000, "The team lead restarts nothing: the runbook asks to wait for the breaker."))
    return [_event(at_ms, "note", {"text": words}) for at_ms, words in said]


def _previous(outcome: Outcome) -> dict[str, Any] | None:
    """An aborted run is the first of its kind, and a dirty one was changed since; the others can be compared."""
    if outcome == "aborted":
        return None
    run = sample_run("fail" if outcome == "pass" else "pass")
    zero = time_zero(run)
    if run.verdict is None or zero is None:
        return None
    step, series = series_of(run, zero)
    changed = ["load.rate: 80/s before, 100/s now"] if outcome == "dirty" else []
    verdict: dict[str, Any] = {**run.verdict, "run": EARLIER, "started_wall": WALL - 7 * 86_400 - 189}
    return {
        "schema": "gameday/previous/1", "run": EARLIER, "digest": verdict["digest"], "comparable": not changed, "why": changed,
        "verdict": verdict, "zero_ms": zero, "step_seconds": step, "series": series,
        "earlier": [{"run": EARLIER, "verdict": verdict["verdict"], "started_wall": verdict["started_wall"], "digest": verdict["digest"],
                     "findings": [finding["fingerprint"] for finding in verdict["findings"]]}],
    }  # fmt: skip


def _remarks(verdict: Json) -> dict[str, dict[str, str]]:
    first = next((found["fingerprint"] for found in verdict["findings"] if found["severity"] == "high"), "")
    return {
        first: {
            "action": "Set a deadline of 300 ms and one retry with jitter on the payments client", "kind": "prevent",
            "owner": "team-checkout", "due": "2026-10-05", "ticket": "CHK-1482",
            "cause": "The payments client has no time limit of its own; it waits for the pool's 5 s.",
        },
        "4c1e9ab0/on-call-is-silent": {"action": "Lower the burn-rate window of CheckoutBurnRate", "kind": "detect", "owner": "team-sre"},
    }  # fmt: skip


def main(folder: str) -> None:
    """Write a report for each verdict."""
    from gameday_reports.html import HtmlReport  # noqa: PLC0415 - only this needs it

    for outcome in OUTCOMES:
        Path(folder, f"{outcome}.html").write_bytes(HtmlReport().render(showcase(outcome)))


if __name__ == "__main__":
    main(sys.argv[1])
