"""Alerts without evidence: silence that nobody saw, ends that nobody looked for, and what an abort or a bad generator leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.alert_stories import DURING, STEP, alert_story, paged, record, said
from tests.fakes.stories import BASELINE, END, PROVEN, REVERTED, ZERO, Story

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
    told = alert_story(fires=fires)
    spoil(told)

    assert said(told) == ("inconclusive", reason)


def test_an_alert_that_must_not_fire_needs_to_know_that_its_rule_was_fed() -> None:
    told = alert_story(fires="never")
    told.testimonies = [record(fed=((-100_000, PROVEN + 5_000),))]
    assert said(told) == ("inconclusive", "no-data")

    told.testimonies = []
    assert said(told) == ("inconclusive", "no-data")


def test_a_rule_that_lost_what_it_looks_at_with_the_fault_has_failed_to_detect_it() -> None:
    told = alert_story()
    told.testimonies = [record(fed=((-100_000, PROVEN),))]

    assert said(told) == ("fail", "broken")


def test_an_alert_that_fires_is_evidence_by_itself_but_not_that_it_was_silent_before() -> None:
    told = alert_story(DURING)
    source_silent(told)
    assert said(told) == ("pass", "proven")

    told.alerts = [look for look in told.alerts if look.at_ms >= ZERO]
    assert said(told) == ("inconclusive", "no-data")


def test_an_end_without_evidence_is_not_known() -> None:
    told = alert_story(DURING, resolves="within 20s")
    told.alerts = [look for look in told.alerts if look.at_ms < REVERTED]
    found = paged(told)

    assert (found["result"], found["reason"], found["resolved_ms"]) == ("inconclusive", "no-data", None)


def test_without_a_record_the_looks_say_when_it_fired() -> None:
    told = alert_story(DURING, resolves="within 20s")
    told.testimonies = [replace(record(), parts={}, error="connection refused")]
    found = paged(told)

    assert (found["result"], found["error"]) == ("pass", "connection refused")
    assert 0 <= found["fired_ms"] - 12_000 <= STEP
    assert 0 <= found["resolved_ms"] - 5_000 <= STEP


def test_an_abort_leaves_what_is_proven() -> None:
    for fires, firing, expected in [
        ("within 5s", (), "fail"),
        ("within 30s", (), "inconclusive"),
        ("within 30s", DURING, "pass"),
        ("never", (), "inconclusive"),
        ("never", DURING, "fail"),
    ]:
        told = alert_story(firing, fires=fires).without("phase", name="recovery")
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
        told = alert_story(firing, fires=fires)
        told.ticks = [replace(tick, late=tick.started) for tick in told.ticks]

        assert said(told) == expected, (fires, firing)


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
    whole = alert_story(tuple(firing), fires=fires)
    holed = alert_story(tuple(firing), fires=fires)
    holed.alerts = [look for look in holed.alerts if not any(begin <= look.at_ms < end for begin, end in holes)]

    if said(holed)[0] == "pass":
        assert said(whole)[0] == "pass"


@settings(max_examples=25, deadline=None)
@given(st.lists(SPAN, max_size=3), SPAN)
def test_more_firing_never_makes_never_better(firing: list[tuple[int, int]], more: tuple[int, int]) -> None:
    if said(alert_story(tuple(firing), fires="never"))[0] != "pass":
        assert said(alert_story((*firing, more), fires="never"))[0] != "pass"
