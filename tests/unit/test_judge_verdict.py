"""No false green: every way to end without proof ends otherwise, and nothing that is lost makes a run look better."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gameday.judge import judge, to_bytes, verdict_schema
from gameday.model import LoadRow, Run, Verdict
from tests.fakes.stories import (
    END,
    GATE,
    PROVEN,
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

SCHEMA: Any = Draft202012Validator(verdict_schema())
FAULT = "payments-down"


def judged(story: Story | Run) -> dict[str, Any]:
    """Judge, and hold the document to its schema and to what every verdict must satisfy."""
    document = judge(story.run() if isinstance(story, Story) else story)
    stored: dict[str, Any] = json.loads(to_bytes(document))
    assert SCHEMA.is_valid(stored), next(iter(SCHEMA.iter_errors(stored)))
    assert document["exit_code"] == Verdict.from_word(document["verdict"]).exit_code
    assert document["summary"]
    assert bool(document["residue"]) <= (document["verdict"] == "dirty")
    return stored


def outcome(story: Story | Run) -> tuple[str, list[str]]:
    document = judged(story)
    return document["verdict"], document["reasons"]


def test_a_whole_run_that_proves_everything_passes() -> None:
    document = judged(Story())
    assert (document["verdict"], document["reasons"], document["exit_code"]) == ("pass", ["proven"], 0)
    assert document["findings"] == []
    assert document["summary"].startswith("While payments-down was on, none of 2,000 requests failed; 5% allowed")


def kill_story() -> Story:
    """An irreversible fault: a kill, its deed proven, its effect observed."""
    kill: dict[str, Any] = {
        "name": "one-killed",
        "do": "process.kill",
        "with": {},
        "at": "0s",
        "irreversible": "allow",
        "observe": "40s",
    }
    story = Story(file=experiment(faults=[kill]), events=frame())
    story.add(4_000, "planned", fault="one-killed", targets=["payments"], reversible=False, provable=True)
    story.add(ZERO - 100, "armed", fault="one-killed", plan={"targets": ["payments"]})
    story.add(ZERO, "inject-called", fault="one-killed").add(ZERO + 10, "injected", fault="one-killed")
    story.add(ZERO + 40, "active", fault="one-killed", active=True, when="proof")
    return story.add(ZERO + 50, "deed", fault="one-killed").add(REVERTED, "observed", fault="one-killed")


def test_a_kill_that_the_system_survives_passes() -> None:
    document = judged(kill_story())
    assert document["verdict"] == "pass"
    fault = document["faults"][0]
    assert (fault["proof"], fault["undo"], fault["reverted_ms"], fault["proven_ms"]) == (
        "proven",
        "not-needed",
        None,
        ZERO + 50,
    )
    assert document["objectives"][0]["recovery"]["from_ms"] == ZERO + 50


def rounds_story(*after: str) -> Story:
    """A kill in two rounds, the second at 5 s; ``after`` says what else was written about it."""
    story = kill_story()
    story.file["faults"][0].update(every="5s", times=2)
    story.add(ZERO + 5_000, "round", fault="one-killed", round=2, plan={"targets": ["payments again"]})
    story.add(ZERO + 5_050, "deed", fault="one-killed")
    for why in after:
        story.add(ZERO + 6_000, "unproven", fault="one-killed", why=why)
    return story


def test_rounds_are_recovered_from_after_the_last_and_all_their_targets_are_told() -> None:
    document = judged(rounds_story())
    assert document["verdict"] == "pass"
    assert document["faults"][0]["targets"] == ["payments", "payments again"]
    assert document["objectives"][0]["recovery"]["from_ms"] == ZERO + 5_050
    skipped = judged(rounds_story("rounds"))
    assert (skipped["verdict"], skipped["reasons"]) == ("inconclusive", ["fault-unproven"])


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


def test_the_onset_is_too_short_for_a_share_of_late_arrivals_of_its_own() -> None:
    """Two of the fifty arrivals of one second left late: of the whole fault phase, they are few; a burst there is not."""

    def late_at(seconds: range, late: int) -> Story:
        return Story(ticks=[replace(t, late=late) if t.at_ms // 1_000 in seconds else t for t in ticks()])

    onset = range(ZERO // 1_000, ZERO // 1_000 + 1)
    assert outcome(late_at(onset, 2)) == ("pass", ["proven"])
    assert judged(late_at(onset, 2))["load"]["late_share"] > 0
    assert outcome(late_at(onset, 50)) == ("inconclusive", ["load-generator"])


def test_an_onset_that_nothing_followed_is_held_against_its_own_ticks() -> None:
    story = Story(ticks=ticks(late=2)).without("active", active=True)
    assert any(text.startswith("onset: ") for text in judged(story)["load"]["problems"])


def test_a_reason_that_may_be_accepted_never_hides_another() -> None:
    objectives = {"available": {"expect": "errors < 5%\nthroughput > 10%", "during": "errors < 5%\np95 < 1s"}}
    story = Story(file=experiment(objectives=objectives), rows=rows(lambda slot: int(slot % 4 == 0)))
    assert outcome(story.without("phase", name="end")) == ("inconclusive", ["near-limit", "too-short"])


def test_an_aborted_run_lists_what_was_already_proven_broken() -> None:
    story = Story(rows=rows(between(ZERO, REVERTED, 5))).add(40_000, "abort", reason="guard", detail="errors lose")
    document = judged(story.without("phase", name="recovery").add(60_000, "phase", name="recovery"))
    assert (document["verdict"], document["aborted_by"], document["objectives_broken"]) == (
        "aborted",
        "guard",
        ["available"],
    )
    assert document["abort"] == {"reason": "guard", "detail": "errors lose", "at_ms": 40_000}
    assert [finding["severity"] for finding in document["findings"]] == ["medium", "medium"]
    assert document["summary"] == (
        "The run was stopped by an abort rule: errors lose. Already proven broken: available. Every fault is proven undone."
    )


def test_an_abort_soon_after_the_start_proves_nothing_broken_yet() -> None:
    """1.7 s of outage is within a budget of 5 % of 40 s: had it ended there, the phase would have kept it."""
    story = Story(rows=rows(between(ZERO, 27_700, 5)))
    document = judged(story.add(27_700, "abort", reason="guard", detail="errors lose"))
    assert (document["verdict"], document["objectives_broken"]) == ("aborted", [])
    assert document["objectives"][0]["reason"] == "too-short"


def test_an_abort_in_recovery_leaves_the_fault_phase_judged() -> None:
    story = Story(rows=rows(between(30_000, 45_000, 2))).add(80_000, "abort", reason="signal", detail="SIGTERM")
    document = judged(story)
    assert (document["verdict"], document["objectives_broken"]) == ("aborted", ["available"])


def test_dirty_is_louder_than_an_abort_and_a_broken_objective() -> None:
    story = (
        Story(rows=rows(between(30_000, 60_000, 5)))
        .without("reverted")
        .add(40_000, "abort", reason="person", detail="")
    )
    document = judged(story)
    assert (document["verdict"], document["reasons"], document["aborted_by"]) == ("dirty", ["residue"], "person")
    assert document["residue"] == [
        {"fault": FAULT, "targets": ["proxy payments"], "command": f"gameday recover {document['run']}"}
    ]


def test_one_pass_and_one_failure_is_a_failure() -> None:
    objectives = {"available": {"expect": "errors < 5%"}, "fast": {"expect": "p95 < 300ms", "during": "p95 < 1s"}}
    slow = [
        LoadRow(
            slot=r.slot,
            endpoint="checkout",
            kind="ok",
            count=r.count,
            slower={300_000: 2, 1_000_000: 2} if 400 <= r.slot < 600 else {},
        )
        for r in rows(good)
    ]
    document = judged(Story(file=experiment(objectives=objectives), rows=slow))
    assert {o["name"]: o["verdict"] for o in document["objectives"]} == {"available": "pass", "fast": "fail"}
    assert document["findings"][0]["title"] == (
        "payments-down: the system failed or was slower than 1s for 20% of requests (1 in 5.1), 5% allowed"
    )


def test_during_may_allow_what_steady_state_does_not() -> None:
    objectives = {
        "available": {"expect": "errors < 1%", "during": "errors < 30%", "recover": {"within": "15s", "hold": "10s"}}
    }
    story = Story(file=experiment(objectives=objectives), rows=rows(between(PROVEN, REVERTED, 1)))
    document = judged(story)
    assert document["verdict"] == "pass"
    assert document["objectives"][0]["budget"]["burn_rate"] == pytest.approx(400 / 2_025 / 0.01, abs=1e-4)
    assert "20% of requests (1 in 5) failed; 30% allowed" in document["summary"]


def test_two_overlapping_faults_are_both_judged() -> None:
    second: dict[str, Any] = {"name": "second", "do": "proxy.latency", "with": {}, "at": "5s", "for": "10s"}
    file = experiment(faults=[*experiment()["faults"], second])
    events = [*frame(), *fault_life(), *fault_life("second", 31_000, 31_200, 41_500)]
    assert judged(Story(file=file, events=events))["verdict"] == "pass"
    left = [told for told in events if not (told[1] == "reverted" and told[2]["fault"] == "second")]
    document = judged(Story(file=file, events=left))
    assert (document["verdict"], [row["fault"] for row in document["residue"]]) == ("dirty", ["second"])


def test_a_kill_without_its_deed_or_its_observation_is_not_proven() -> None:
    assert outcome(kill_story().without("deed"))[0] == "inconclusive"
    assert outcome(kill_story().without("observed"))[0] == "inconclusive"


def test_a_runner_lost_after_a_kill_leaves_nothing_to_recover() -> None:
    assert outcome(kill_story().until(40_000)) == ("aborted", ["runner-lost"])


@pytest.mark.parametrize(
    "cut", [0, 4_000, ZERO - 200, ZERO - 100, ZERO, PROVEN, 40_000, REVERTED - 1, REVERTED, 80_000, END]
)
def test_a_journal_cut_anywhere_is_aborted_or_dirty_while_the_fault_is_open(cut: int) -> None:
    verdict = judged(Story().until(cut))["verdict"]
    assert verdict == ("dirty" if ZERO - 100 <= cut < REVERTED else "aborted")


def test_the_same_run_gives_the_same_bytes() -> None:
    assert to_bytes(judge(Story().run())) == to_bytes(judge(Story().run()))


def test_bytes_are_canonical_and_never_hold_what_json_cannot() -> None:
    assert to_bytes({"b": -0.0, "a": [0.1 + 0.2, "é\ud800"]}) == (
        b'{\n  "a": [\n    0.3,\n    "\\u00e9\\ud800"\n  ],\n  "b": 0.0\n}\n'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_bytes({"a": float("nan")})


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
