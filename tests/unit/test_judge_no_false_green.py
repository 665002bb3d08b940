"""No false green: every way to end without proof ends otherwise, and nothing that is lost makes a run look better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.model import Verdict
from tests.fakes.judged import judged, outcome
from tests.fakes.stories import (
    END,
    GATE,
    REVERTED,
    ZERO,
    Story,
    between,
    drop_events,
    experiment,
    fault_life,
    frame,
    good,
    rows,
    ticks,
)

FAULT = "payments-down"


NOT_PASS: dict[str, tuple[Callable[[], Story], str, list[str]]] = {
    "broken in mid-fault and good at the end": (
        lambda: Story(rows=rows(between(30_000, 45_000, 2))),
        "fail",
        ["broken"],
    ),
    "steady state not reached again": (lambda: Story(rows=rows(between(REVERTED, END, 1))), "fail", ["broken"]),
    "steady state reached too late": (lambda: Story(rows=rows(between(REVERTED, 82_500, 1))), "fail", ["broken"]),
    "broken while being injected": (
        lambda: Story(events=[*frame(), *fault_life(proven=36_000)], rows=rows(between(ZERO, 36_000, 4))),
        "fail",
        ["broken"],
    ),
    "hardly within the budget": (
        lambda: Story(rows=rows(lambda slot: int(slot % 4 == 0))),
        "inconclusive",
        ["near-limit"],
    ),
    "gate shut": (
        lambda: Story(events=frame()).without("gate").add(GATE + 500, "gate", passed=False, objectives=[]),
        "inconclusive",
        ["baseline"],
    ),
    "gate shut by the generator": (
        lambda: Story(events=frame()).without("gate").add(GATE + 500, "gate", passed=False, reason="load-generator"),
        "inconclusive",
        ["load-generator"],
    ),
    "gate not recorded": (lambda: Story().without("gate"), "inconclusive", ["baseline"]),
    "a process not ready": (
        lambda: Story(events=[(0, "opened", {})], stopped=False, said_bye=False, rows=[]).add(
            9, "process-not-ready", name="shop", error="no"
        ),
        "inconclusive",
        ["not-ready"],
    ),
    "refused": (
        lambda: Story(events=[(0, "opened", {})], stopped=False, rows=[]).add(
            1, "refused", reason="too-few", detail="59 needed"
        ),
        "inconclusive",
        ["too-few"],
    ),
    "the run itself failed": (
        lambda: Story(events=[(0, "opened", {})], stopped=False, rows=[]).add(
            1, "action-failed", fault="", action="run", error="OSError"
        ),
        "inconclusive",
        ["action-failed"],
    ),
    "inject raised": (
        lambda: (
            Story()
            .without("injected", "active", "met")
            .add(ZERO + 9, "action-failed", fault=FAULT, action="inject", error="x")
        ),
        "inconclusive",
        ["no-data", "action-failed"],
    ),
    "never active": (
        lambda: Story().without("active").add(ZERO + 90, "unproven", fault=FAULT, why="never"),
        "inconclusive",
        ["no-data", "fault-unproven"],
    ),
    "gone early": (
        lambda: Story().without("active", when="hold").add(40_000, "active", fault=FAULT, active=False, when="hold"),
        "inconclusive",
        ["fault-unproven"],
    ),
    "not measured again before its revert": (
        lambda: Story().without("active", when="before-revert"),
        "inconclusive",
        ["fault-unproven"],
    ),
    "met by no traffic": (
        lambda: Story().without("met").add(66_200, "met", fault=FAULT, count=0),
        "inconclusive",
        ["fault-unproven"],
    ),
    "no check": (
        lambda: (
            Story()
            .without("active", "planned", "reverted")
            .add(4_000, "planned", fault=FAULT, targets=[], reversible=True, provable=False)
            .add(REVERTED, "reverted", fault=FAULT, by="runner", proven=None, error="")
        ),
        "inconclusive",
        ["fault-unproven"],
    ),
    "revert raised, but measured as gone": (
        lambda: (
            Story()
            .without("reverted")
            .add(REVERTED, "reverted", fault=FAULT, by="runner", proven=True, error="refused")
        ),
        "inconclusive",
        ["action-failed"],
    ),
    "revert failed at first": (
        lambda: Story().add(66_300, "revert-failed", fault=FAULT, by="runner", error=""),
        "inconclusive",
        ["action-failed"],
    ),
    "revert of a provable fault only reported": (
        lambda: Story().without("reverted").add(REVERTED, "reverted", fault=FAULT, by="runner", proven=None, error=""),
        "inconclusive",
        ["fault-unproven"],
    ),
    "never came to its fault": (
        lambda: Story(events=frame()),
        "inconclusive",
        ["too-short", "no-data", "action-failed"],
    ),
    "still active": (
        lambda: (
            Story(undone=False)
            .without("reverted")
            .add(REVERTED, "still-active", fault=FAULT, by="runner", error="still on")
        ),
        "dirty",
        ["residue"],
    ),
    "revert failed for good": (
        lambda: (
            Story(undone=False)
            .without("reverted")
            .add(REVERTED, "revert-failed", fault=FAULT, by="runner", error="hung")
        ),
        "dirty",
        ["residue"],
    ),
    "measured as on after it was reverted": (
        lambda: Story().add(70_000, "still-active", fault=FAULT, by="recover", error=""),
        "dirty",
        ["residue"],
    ),
    "armed and never reverted": (lambda: Story().without("reverted"), "dirty", ["residue"]),
    "closed with something left": (lambda: Story(undone=False), "dirty", ["residue"]),
    "runner lost while the fault was on": (lambda: Story().until(40_000), "dirty", ["residue"]),
    "runner lost, the watchdog reverted": (
        lambda: (
            Story()
            .until(40_000)
            .add(40_200, "taken-over", by="watchdog")
            .add(40_300, "reverted", fault=FAULT, by="watchdog", proven=True, error="")
        ),
        "aborted",
        ["runner-lost"],
    ),
    "runner lost before its last record": (lambda: Story(closed=False), "aborted", ["runner-lost"]),
    "a dirty run that recover undid": (
        lambda: (
            Story(closed=False)
            .without("reverted")
            .add(97_000, "closed", undone=False)
            .add(99_000, "reverted", fault=FAULT, by="recover", proven=True, error="")
        ),
        "aborted",
        ["residue"],
    ),
    "stopped by a signal": (
        lambda: Story().add(40_000, "abort", reason="signal", detail="SIGINT"),
        "aborted",
        ["signal"],
    ),
    "stopped by a guard": (lambda: Story().add(40_000, "abort", reason="guard", detail="rule"), "aborted", ["guard"]),
    "the load child was killed": (
        lambda: (
            Story(said_bye=False)
            .add(40_000, "load-lost", error="killed")
            .add(40_001, "abort", reason="load-generator", detail="killed")
        ),
        "aborted",
        ["load-generator"],
    ),
    "the load was lost and nobody stopped the run": (
        lambda: Story().add(40_000, "load-lost", error="killed"),
        "aborted",
        ["load-generator"],
    ),
    "watchdog lost": (lambda: Story().add(40_000, "watchdog-lost", error="gone"), "aborted", ["watchdog-lost"]),
    "no bye": (lambda: Story(said_bye=False), "inconclusive", ["load-generator"]),
    "no end of the load": (lambda: Story(stopped=False), "inconclusive", ["load-generator"]),
    "no samples": (lambda: Story(rows=[], ticks=[]), "inconclusive", ["load-generator"]),
    "no ticks": (lambda: Story(ticks=[]), "inconclusive", ["load-generator"]),
    "a starved generator": (lambda: Story(ticks=ticks(cpu=0.95)), "inconclusive", ["load-generator"]),
    "late arrivals": (lambda: Story(ticks=ticks(late=2)), "inconclusive", ["load-generator"]),
    "a silent generator": (
        lambda: Story(ticks=[t for t in ticks() if not 40_000 < t.at_ms < 44_000]),
        "inconclusive",
        ["load-generator"],
    ),
    "generator errors": (
        lambda: Story(rows=rows(lambda s: int(s == 500), kind="generator")),
        "inconclusive",
        ["load-generator"],
    ),
    "a starved generator beside a broken objective": (
        lambda: Story(rows=rows(between(30_000, 60_000, 5)), ticks=ticks(cpu=0.95)),
        "inconclusive",
        ["load-generator"],
    ),
    "less load than planned": (
        lambda: Story(rows=[r for r in rows(good) if r.slot % 10]),
        "inconclusive",
        ["load-generator"],
    ),
    "no recovery phase": (lambda: Story().without("phase", name="end"), "inconclusive", ["too-short"]),
    "too few requests": (
        lambda: Story(
            file=experiment(objectives={"available": {"expect": "errors < 0.1%", "recover": {"hold": "20s"}}})
        ),
        "inconclusive",
        ["too-few"],
    ),
    "an endpoint that had no request": (
        lambda: Story(
            file=experiment(objectives={"available": {"expect": "errors < 5%", "where": {"endpoint": "checkou"}}})
        ),
        "inconclusive",
        ["no-data"],
    ),
}


@pytest.mark.parametrize("name", NOT_PASS)
def test_no_false_green(name: str) -> None:
    make, verdict, reasons = NOT_PASS[name]
    assert outcome(make()) == (verdict, reasons)


def test_the_reasons_do_not_depend_on_the_order_of_objectives_or_faults() -> None:
    objectives: dict[str, Any] = {
        "a": {"expect": "errors < 5%"},
        "b": {"expect": "errors < 0.1%"},  # its default hold is 60 s, and the recovery phase 30 s
        "c": {"expect": "p50 < 1s", "where": {"endpoint": "nobody"}},
    }
    faults: list[Any] = [
        *experiment()["faults"],
        {"name": "second", "do": "command", "with": {}, "at": "0s", "for": "1s"},
    ]
    story = Story(file=experiment(objectives=objectives, faults=faults))
    turned = Story(file=experiment(objectives=dict(reversed(objectives.items())), faults=list(reversed(faults))))
    assert outcome(story) == outcome(turned) == ("inconclusive", ["too-few", "too-short", "no-data", "action-failed"])


def test_a_reason_that_may_be_accepted_never_hides_another() -> None:
    objectives = {"available": {"expect": "errors < 5%\nthroughput > 10%", "during": "errors < 5%\np95 < 1s"}}
    story = Story(file=experiment(objectives=objectives), rows=rows(lambda slot: int(slot % 4 == 0)))
    assert outcome(story.without("phase", name="end")) == ("inconclusive", ["near-limit", "too-short"])


STORIES = st.sampled_from([make for make, _, _ in NOT_PASS.values()])


@settings(max_examples=120, deadline=None)
@given(make=STORIES, data=st.data())
def test_losing_records_or_samples_never_makes_a_run_pass(make: Callable[[], Story], data: st.DataObject) -> None:
    run = make().run()
    gone = data.draw(st.sets(st.integers(0, max(len(run.events) - 1, 0))))
    kept = (
        tuple(row for row in run.load.rows if row.slot % data.draw(st.integers(2, 9)) != 1)
        if data.draw(st.booleans())
        else run.load.rows
    )
    worse = replace(drop_events(run, gone), load=replace(run.load, rows=kept))
    assert judged(worse)["verdict"] != "pass"


@settings(max_examples=80, deadline=None)
@given(gone=st.sets(st.integers(0, 23), min_size=1))
def test_a_passing_run_that_lost_any_record_does_not_pass(gone: set[int]) -> None:
    run = Story().run()
    assert len(run.events) > 19
    lost = {seq for seq in gone if seq < len(run.events)}
    if lost:
        assert judged(drop_events(run, lost))["verdict"] != "pass"


@settings(max_examples=60, deadline=None)
@given(bad=st.dictionaries(st.integers(260, 960), st.integers(1, 5), max_size=80), more=st.integers(260, 960))
def test_more_bad_requests_never_make_a_better_verdict(bad: dict[int, int], more: int) -> None:
    def verdict(counts: dict[int, int]) -> Verdict:
        return Verdict.from_word(judged(Story(rows=rows(lambda slot: counts.get(slot, 0))))["verdict"])

    assert verdict({**bad, more: min(5, bad.get(more, 0) + 1)}) >= verdict(bad)
