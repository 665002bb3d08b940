"""Alerts as objectives: time to detect and to be quiet again, and everything that is no proof of either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gameday import model
from gameday.judge import judge, judge_gate
from gameday.judge.schema import verdict_schema
from gameday.model import AlertLook, Track
from tests.fakes.stories import BASELINE, END, PROVEN, REVERTED, ZERO, Story, experiment

STEP = 1_000
Spans = Sequence[tuple[int, int]]


def looks(firing: Spans = (), *, source: str = "prometheus", **changes: Any) -> list[AlertLook]:
    """A look each second, of a rule that is evaluated just before."""

    def state(at: int) -> str:
        return "firing" if any(begin <= at < end for begin, end in firing) else "inactive"

    rules = source == "prometheus"
    seen = [
        AlertLook(
            objective="paged",
            source=source,
            at_ms=at,
            every_ms=STEP,
            took_ms=5,
            state=state(at),
            evaluated_ms=at - 300 if rules else None,
            interval_ms=STEP if rules else 0,
        )
        for at in range(BASELINE - 1_000, END + 3_000, STEP)
    ]
    return [replace(look, **changes) for look in seen]


def record(firing: Spans = (), *, fed: Spans | None = ((-100_000, END + 3_000),)) -> model.Testimony:
    """What Prometheus has in its store: an evaluation each second, 300 ms before the whole one."""

    def every(spans: Spans) -> tuple[Track, ...]:
        times = [at for begin, end in spans for at in range(begin, end, STEP)]
        return (Track(samples=tuple((at, 1.0) for at in times)),) if times else ()

    parts = {"firing": every(firing), **({} if fed is None else {"fed": every(fed)})}
    return model.Testimony(
        name="paged",
        at_ms=END + 3_000,
        from_ms=-100_000,
        to_ms=END,
        parts=parts,
        facts={"interval_ms": STEP, "fed_step_ms": STEP},
    )


def story(firing: Spans = (), *, sources: Mapping[str, Any] | None = None, **objective: Any) -> Story:
    """A run of 40 s of a fault and 30 s after it, with an alert beside the load's objective."""
    asked = {"alert": "Burn", "fires": "within 30s", **objective}
    declared = {"prometheus": {"url": "http://127.0.0.1:9090"}} if sources is None else sources
    file = experiment(sources=declared)
    told = Story(file={**file, "objectives": {**file["objectives"], "paged": asked}})
    told.alerts = looks(firing)
    told.testimonies = [record(firing)]
    return told


def paged(told: Story) -> dict[str, Any]:
    document = judge(told.run())
    Draft202012Validator(verdict_schema()).validate(document)  # pyright: ignore[reportUnknownMemberType]
    found = next(row for row in document["objectives"] if row["name"] == "paged")
    assert found["criteria"] == []
    assert found["recovery"] is None
    return {**found["alert"], "times": document["times"], "whole": document}


def said(told: Story) -> tuple[str, str]:
    found = paged(told)
    return found["result"], found["reason"]


FIRED = PROVEN + 12_000
DURING = ((FIRED, REVERTED + 5_000),)


def test_an_alert_that_fires_in_time_and_ends_in_time_passes() -> None:
    found = paged(story(DURING, resolves="within 20s"))

    assert (found["result"], found["reason"]) == ("pass", "proven")
    assert found["fired_ms"] == 12_000
    assert found["resolved_ms"] == 5_000
    assert found["resolution_ms"] == STEP
    assert (found["name"], found["source"], found["before"], found["error"]) == ("Burn", "prometheus", False, None)
    assert (found["fires"], found["within_ms"], found["resolves_within_ms"]) == ("within", 30_000, 20_000)


def test_times_are_those_of_the_alert() -> None:
    found = paged(story(DURING, resolves="within 20s"))

    assert found["times"]["detect"] == {"ms": 12_000, "source": "alert Burn (prometheus)"}
    assert found["times"]["mitigate"] == {
        "ms": REVERTED - PROVEN + 5_000, "source": "alert Burn (prometheus) resolved",
    }  # fmt: skip
    assert found["times"]["recover"] == {"ms": 0, "source": "steady state of available"}


def test_the_sentence_says_when_it_fired() -> None:
    summary = paged(story(DURING, resolves="within 20s"))["whole"]["summary"]

    assert "; alert Burn fired after 12 s, and was quiet 5 s after the fault: all 2" in summary


def test_a_silent_alert_fails() -> None:
    assert said(story()) == ("fail", "broken")


def test_a_late_alert_fails_and_says_how_late() -> None:
    found = paged(story(((PROVEN + 34_000, REVERTED),)))

    assert (found["result"], found["fired_ms"]) == ("fail", 34_000)


def test_an_alert_that_does_not_end_fails() -> None:
    found = paged(story(((FIRED, END + 10_000),), resolves="within 20s"))

    assert (found["result"], found["reason"], found["resolved_ms"]) == ("fail", "broken", None)


def test_an_alert_that_ends_late_fails() -> None:
    found = paged(story(((FIRED, REVERTED + 22_000),), resolves="within 20s"))

    assert (found["result"], found["resolved_ms"]) == ("fail", 22_000)


def test_an_alert_that_fires_again_after_the_revert_ends_with_its_last_time() -> None:
    spans = (*DURING, (REVERTED + 15_000, REVERTED + 25_000))

    assert said(story(spans, resolves="within 20s")) == ("fail", "broken")


def test_an_alert_that_is_quiet_before_the_revert_resolved_at_once() -> None:
    found = paged(story(((FIRED, REVERTED - 10_000),), resolves="within 20s"))

    assert (found["result"], found["resolved_ms"]) == ("pass", 0)


def test_an_end_that_is_not_asked_for_is_told_and_not_judged() -> None:
    found = paged(story(((FIRED, END + 10_000),)))

    assert (found["result"], found["resolved_ms"], found["resolves_within_ms"]) == ("pass", None, None)


@pytest.mark.parametrize(
    "span",
    [(BASELINE + 2_000, BASELINE + 5_000), (ZERO - 1_500, ZERO - 400), (BASELINE - 900, END)],
    ids=["in the baseline", "between baseline and injection", "all the time"],
)
@pytest.mark.parametrize("fires", ["within 30s", "never"])
def test_an_alert_that_fires_before_the_fault_proves_nothing(span: tuple[int, int], fires: str) -> None:
    found = paged(story((span, *DURING), fires=fires))

    assert (found["result"], found["reason"]) == ("inconclusive", "alert-before")
    assert (found["before"], found["fired_ms"], found["resolved_ms"]) == (True, None, None)


def test_an_alert_of_the_warm_up_that_has_ended_is_forgotten() -> None:
    assert said(story(((BASELINE - 3_000, BASELINE - 1_500), *DURING))) == ("pass", "proven")


def test_an_alert_that_fires_in_the_onset_and_lasts_counts_from_the_proof() -> None:
    assert paged(story(((PROVEN - 300, REVERTED),)))["fired_ms"] == 0


def test_an_alert_that_must_not_fire_and_does_not_passes() -> None:
    found = paged(story(fires="never"))

    assert (found["result"], found["reason"], found["fires"], found["within_ms"]) == ("pass", "proven", "never", None)
    assert "alert Burn stayed silent" in found["whole"]["summary"]


@pytest.mark.parametrize(
    "span",
    [(PROVEN - 400, PROVEN - 100), (FIRED, FIRED + 1_000), (END - 5_000, END - 2_000)],
    ids=["in the onset", "while it is on", "after the revert"],
)
def test_an_alert_that_must_not_fire_and_does_fails(span: tuple[int, int]) -> None:
    assert said(story((span,), fires="never")) == ("fail", "broken")


Spoil = Callable[[Story], None]


def no_looks(told: Story) -> None:
    told.alerts = []


def source_down(told: Story) -> None:
    told.alerts = [
        look if look.at_ms < PROVEN else replace(look, state="", error="connection refused") for look in told.alerts
    ]


def source_silent(told: Story) -> None:
    told.alerts = [look for look in told.alerts if look.at_ms < PROVEN]


def rule_removed(told: Story) -> None:
    told.alerts = [
        look if look.at_ms < PROVEN else replace(look, state="", error="no alerting rule 'Burn'", wrong=True)
        for look in told.alerts
    ]


def rule_fails(told: Story) -> None:
    told.alerts = [
        look if look.at_ms < PROVEN else replace(look, error="vector cannot contain…", wrong=True)
        for look in told.alerts
    ]


def rule_stale(told: Story) -> None:
    told.alerts = [replace(look, evaluated_ms=min(look.evaluated_ms or 0, PROVEN)) for look in told.alerts]


def nothing_fed(told: Story) -> None:
    told.testimonies = [record(fed=())]


WAYS: list[tuple[Spoil, str]] = [
    (no_looks, "no-data"),
    (source_down, "no-data"),
    (source_silent, "no-data"),
    (rule_removed, "query-error"),
    (rule_fails, "query-error"),
    (rule_stale, "stale"),
    (nothing_fed, "no-data"),
]


@pytest.mark.parametrize("fires", ["within 30s", "never"])
@pytest.mark.parametrize(("spoil", "reason"), WAYS, ids=[spoil.__name__ for spoil, _ in WAYS])
def test_silence_without_evidence_is_neither_a_pass_nor_a_fail(spoil: Spoil, reason: str, fires: str) -> None:
    told = story(fires=fires)
    spoil(told)

    assert said(told) == ("inconclusive", reason)


def test_an_alert_that_must_not_fire_needs_to_know_that_its_rule_was_fed() -> None:
    told = story(fires="never")
    told.testimonies = [record(fed=((-100_000, PROVEN + 5_000),))]
    assert said(told) == ("inconclusive", "no-data")

    told.testimonies = []
    assert said(told) == ("inconclusive", "no-data")


def test_a_rule_that_lost_what_it_looks_at_with_the_fault_has_failed_to_detect_it() -> None:
    told = story()
    told.testimonies = [record(fed=((-100_000, PROVEN),))]

    assert said(told) == ("fail", "broken")


def test_an_alert_that_fires_is_evidence_by_itself_but_not_that_it_was_silent_before() -> None:
    told = story(DURING)
    source_silent(told)
    assert said(told) == ("pass", "proven")

    told.alerts = [look for look in told.alerts if look.at_ms >= ZERO]
    assert said(told) == ("inconclusive", "no-data")


def test_an_end_without_evidence_is_not_known() -> None:
    told = story(DURING, resolves="within 20s")
    told.alerts = [look for look in told.alerts if look.at_ms < REVERTED]
    found = paged(told)

    assert (found["result"], found["reason"], found["resolved_ms"]) == ("inconclusive", "no-data", None)


def test_without_a_record_the_looks_say_when_it_fired() -> None:
    told = story(DURING, resolves="within 20s")
    told.testimonies = [replace(record(), parts={}, error="connection refused")]
    found = paged(told)

    assert (found["result"], found["error"]) == ("pass", "connection refused")
    assert 0 <= found["fired_ms"] - 12_000 <= STEP
    assert 0 <= found["resolved_ms"] - 5_000 <= STEP


def test_a_fault_that_is_shorter_than_the_time_it_is_given_cannot_break_it() -> None:
    assert said(story(fires="within 60s")) == ("inconclusive", "too-short")
    assert said(story(((REVERTED + 10_000, END),), fires="within 60s")) == ("pass", "proven")
    assert said(story(((REVERTED + 25_000, END),), fires="within 60s")) == ("inconclusive", "too-short")


def test_an_abort_leaves_what_is_proven() -> None:
    for fires, firing, expected in [
        ("within 5s", (), "fail"),
        ("within 30s", (), "inconclusive"),
        ("within 30s", DURING, "pass"),
        ("never", (), "inconclusive"),
        ("never", DURING, "fail"),
    ]:
        told = story(firing, fires=fires).without("phase", name="recovery")
        told.events = [
            (at - 25_000 if REVERTED - 500 < at <= REVERTED else at, kind, data) for at, kind, data in told.events
        ]
        told.add(REVERTED - 26_000, "abort", reason="guard", detail="enough")

        assert said(told)[0] == expected, (fires, firing)


def test_a_generator_that_is_not_healthy_takes_silence_as_evidence_away() -> None:
    for fires, firing, expected in [
        ("within 30s", (), ("inconclusive", "load-generator")),
        ("never", (), ("inconclusive", "load-generator")),
        ("within 30s", DURING, ("pass", "proven")),
        ("never", DURING, ("fail", "broken")),
    ]:
        told = story(firing, fires=fires)
        told.ticks = [replace(tick, late=tick.started) for tick in told.ticks]

        assert said(told) == expected, (fires, firing)


# --- Alertmanager: it knows what it was sent, and nothing else -------------------------------------------------------

ROUTER = {"alertmanager": {"url": "http://127.0.0.1:9093"}}
BOTH = {**ROUTER, "prometheus": {"url": "http://127.0.0.1:9090"}}


def routed(firing: Spans = (), *, sources: Mapping[str, Any] = ROUTER, **objective: Any) -> Story:
    told = story(sources=sources, source="alertmanager", **objective)
    told.alerts = looks(firing, source="alertmanager")
    told.alerts = [replace(look, since_ms=firing[0][0] if look.state == "firing" else None) for look in told.alerts]
    told.testimonies = []
    if "prometheus" in sources:
        told.alerts = [*told.alerts, *looks()]
        told.testimonies = [record()]
    return told


def test_an_alertmanager_says_when_it_was_told() -> None:
    found = paged(routed(DURING, resolves="within 20s"))

    assert (found["result"], found["source"]) == ("pass", "alertmanager")
    assert found["fired_ms"] == 12_000
    assert 0 <= found["resolved_ms"] - 5_000 <= STEP


def test_a_beginning_that_the_looks_rule_out_is_not_believed() -> None:
    told = routed(DURING)
    told.alerts = [replace(look, since_ms=look.since_ms and look.since_ms - 60_000) for look in told.alerts]

    assert 11_000 <= paged(told)["fired_ms"] <= 12_000


def test_a_silent_alertmanager_alone_proves_nothing() -> None:
    assert said(routed()) == ("inconclusive", "no-data")


def test_beside_a_prometheus_that_evaluates_the_rule_its_silence_counts() -> None:
    assert said(routed(sources=BOTH)) == ("fail", "broken")
    assert said(routed(sources=BOTH, fires="never")) == ("pass", "proven")


def test_an_alert_that_fires_in_prometheus_and_reaches_no_alertmanager_pages_nobody() -> None:
    told = routed(sources=BOTH)
    told.alerts = [*looks(source="alertmanager"), *looks(DURING)]
    told.testimonies = [record(DURING)]

    assert said(told) == ("fail", "broken")
    told.file["objectives"]["paged"] = {"alert": "Burn", "fires": "never", "source": "alertmanager"}
    assert said(told) == ("fail", "broken")


def test_an_alert_that_is_silenced_pages_nobody() -> None:
    told = routed(DURING, sources=BOTH)
    told.alerts = [
        replace(look, state="suppressed" if look.state == "firing" else look.state, since_ms=None)
        for look in told.alerts
    ]

    assert said(told) == ("fail", "broken")


# --- the gate --------------------------------------------------------------------------------------------------------


def test_the_gate_opens_when_the_alert_is_silent_and_somebody_looked() -> None:
    decision = judge_gate(story().run())

    assert (decision.passed, str(decision.reason)) == (True, "proven")
    assert decision.objectives[1]["alert"] == "Burn"
    assert decision.objectives[1]["n"] == 20


def test_the_gate_stays_shut_when_the_alert_fires_already() -> None:
    decision = judge_gate(story(((BASELINE - 900, END),)).run())

    assert (decision.passed, str(decision.reason)) == (False, "alert-before")
    assert decision.objectives[1]["reason"] == "alert-before"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "", "error": "connection refused"}, "no-data"),
        ({"state": "", "error": "no alerting rule 'Burn'", "wrong": True}, "query-error"),
        ({"evaluated_ms": 1}, "stale"),
    ],
)
def test_the_gate_stays_shut_when_nobody_can_tell(changes: dict[str, Any], reason: str) -> None:
    told = story()
    told.alerts = looks(**changes)
    decision = judge_gate(told.run())

    assert (decision.passed, str(decision.reason)) == (False, "baseline")
    assert decision.objectives[1]["reason"] == reason


def test_a_run_that_the_gate_stopped_says_why() -> None:
    told = story(((BASELINE - 900, END),)).without("gate")
    told.add(25_500, "gate", passed=False, reason="alert-before", objectives=[])
    document = paged(told)["whole"]

    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["alert-before"])
    assert any("fired before the fault" in finding["saw"] for finding in document["findings"])


# --- properties ------------------------------------------------------------------------------------------------------

SPAN = st.tuples(st.integers(BASELINE, END), st.integers(1_000, 40_000)).map(lambda pair: (pair[0], sum(pair)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(SPAN, max_size=3),
    st.lists(SPAN, max_size=3),
    st.sampled_from(["within 5s", "within 30s", "within 60s", "never"]),
)
def test_less_evidence_never_makes_a_pass(
    firing: list[tuple[int, int]], holes: list[tuple[int, int]], fires: str
) -> None:
    whole = story(tuple(firing), fires=fires)
    holed = story(tuple(firing), fires=fires)
    holed.alerts = [look for look in holed.alerts if not any(begin <= look.at_ms < end for begin, end in holes)]

    if said(holed)[0] == "pass":
        assert said(whole)[0] == "pass"


@settings(max_examples=25, deadline=None)
@given(st.lists(SPAN, max_size=3), SPAN)
def test_more_firing_never_makes_never_better(firing: list[tuple[int, int]], more: tuple[int, int]) -> None:
    if said(story(tuple(firing), fires="never"))[0] != "pass":
        assert said(story((*firing, more), fires="never"))[0] != "pass"
