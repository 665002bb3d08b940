"""A game day in memory, in the exact shape of docs/game-days.md: two experiments, one blind; people who noticed, noted and decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gameday.model import Event, GameDay, Run
from tests.fakes.sample_facts import HEAD, NAME, WALL, Outcome
from tests.fakes.sample_run import sample_run

ANA = {"by": "ana@example.com", "role": "owner"}
DEE = {"by": "dee@example.com", "role": "responder"}
FIRST, SECOND = f"runs/{NAME}", f"runs/{NAME}-2"
LATER = 600.0
"""Seconds between the two runs."""


def sample_day(*, first: Outcome = "fail", over: bool = True, debrief: bool = True, **item: Any) -> GameDay:
    """Build a day; ``item`` changes the entry of its manual step in verdict.json."""
    runs = {FIRST: _run(first, FIRST, 0.0), SECOND: _run("pass", SECOND, LATER)}
    return GameDay(
        name="day-20260921T141200Z-brown-out-1a2b",
        day={
            "schema": "gameday/day/1",
            "file": {
                "title": "Payments brown-out",
                "goal": "On-call notices within two minutes.",
                "environment": "staging",
                "roles": {"owner": ["ana@example.com"], "responders": ["dee@example.com"]},
            },
        },
        events=tuple(_events(over=over, debrief=debrief)),
        head=HEAD,
        closed=over,
        verdict=_verdict(runs, item) if over else None,
        runs=runs,
    )


def _run(outcome: Outcome, path: str, later: float) -> Run:
    run = sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12, objectives=2)
    verdict: dict[str, Any] = {**(run.verdict or {}), "started_wall": WALL + later}
    findings: list[dict[str, str]] = verdict["findings"]
    remarks = {raw["fingerprint"]: {"owner": "ben", "due": "2026-10-01", "ticket": "OPS-7"} for raw in findings}
    return replace(run, name=path.removeprefix("runs/"), verdict=verdict, remarks=remarks)


def _verdict(runs: Mapping[str, Run], changes: dict[str, Any]) -> dict[str, Any]:
    evidence = [
        {"kind": "link", "url": "https://example.com/graph"},
        {"kind": "file", "name": "board.png", "file": "evidence/board.png", "bytes": 3, "sha256": "0" * 64},
    ]
    step = {
        "kind": "manual",
        "title": "Fail over",
        "blind": False,
        "outcome": "done",
        **DEE,
        "evidence": evidence,
        **changes,
    }
    return {
        "schema": "gameday/day-verdict/1",
        "title": "Payments brown-out",
        "verdict": "fail",
        "reasons": [{"reason": "broken", "section": "agenda", "index": 0, "says": "payments-down.yaml: fail (broken)"}],
        "summary": "payments-down.yaml: fail (broken)",
        "finished": True,
        "started_wall": WALL - 60,
        "ended_wall": WALL + 1_200,
        "prerequisites": [
            {
                "index": 0,
                "kind": "check",
                "title": "Dashboards open",
                "outcome": "met",
                **ANA,
                "why": "",
                "evidence": [],
                "runs": [],
            }
        ],
        "items": [
            _item(0, "payments-down.yaml", FIRST, runs, blind=True),
            {"index": 1, "why": "", "runs": [], "started_wall": WALL + 100, "ended_wall": WALL + 160, **step},
            _item(2, "payments-slow.yaml", SECOND, runs, blind=False),
        ],
    }


def _item(index: int, title: str, path: str, runs: Mapping[str, Run], *, blind: bool) -> dict[str, Any]:
    word = str((runs[path].verdict or {})["verdict"])
    return {
        "index": index,
        "kind": "experiment",
        "title": title,
        "blind": blind,
        "outcome": word,
        "by": "",
        "role": "",
        "why": "",
        "evidence": [],
        "runs": [{"run": path, "verdict": word, "reasons": []}],
        "started_wall": WALL + LATER * bool(index),
        "ended_wall": WALL + LATER * bool(index) + 30,
    }


def _events(*, over: bool, debrief: bool) -> list[Event]:
    told: list[tuple[float, str, dict[str, Any]]] = [
        (-60, "day-opened", {"title": "Payments brown-out", **ANA}),
        (-50, "prerequisite", {"index": 0, "kind": "check", "title": "Dashboards open", "outcome": "met", **ANA}),
        (-1, "item-started", {"index": 0, "kind": "experiment", "title": "payments-down.yaml", "blind": True}),
        (0, "run-started", {"section": "agenda", "index": 0, "run": FIRST}),
        (90, "mark", {"mark": "noticed", "text": "the board is red", **DEE, "at": WALL + 42}),
        (95, "mark", {"mark": "mitigated", "text": "", **DEE, "at": WALL + 80}),
        (96, "note", {"text": "action: page on the queue, not on errors", **DEE, "at": WALL + 96}),
        (
            97,
            "item-ended",
            {"index": 0, "kind": "experiment", "title": "payments-down.yaml", "blind": True, "outcome": "fail"},
        ),
        (170, "decision", {"index": 1, "decision": "go", **ANA, "why": "steady"}),
        (LATER, "run-started", {"section": "agenda", "index": 2, "run": SECOND}),
    ]
    if debrief:
        told.append(
            (1_100, "item-started", {"index": 3, "kind": "debrief", "title": "What surprised us?", "blind": False})
        )
        told.append((1_150, "note", {"text": "Nobody knew the runbook.", **ANA, "at": WALL + 1_150}))
    if over:
        told.append((1_200, "closed", {"verdict": "fail", "reasons": ["broken"]}))
    return [
        Event(seq=seq, kind=kind, at_ms=round((at + 60) * 1000), wall=WALL + at, data=data)
        for seq, (at, kind, data) in enumerate(told)
    ]
