"""Alerts as objectives: time to detect and to be quiet again, and those that must never fire."""

from __future__ import annotations

import pytest

from tests.fakes.alert_stories import DURING, FIRED, STEP, alert_story, paged, said
from tests.fakes.stories import BASELINE, END, PROVEN, REVERTED, ZERO


def test_an_alert_that_fires_in_time_and_ends_in_time_passes() -> None:
    found = paged(alert_story(DURING, resolves="within 20s"))

    assert (found["result"], found["reason"]) == ("pass", "proven")
    assert found["fired_ms"] == 12_000
    assert found["resolved_ms"] == 5_000
    assert found["resolution_ms"] == STEP
    assert (found["name"], found["source"], found["before"], found["error"]) == ("Burn", "prometheus", False, None)
    assert (found["fires"], found["within_ms"], found["resolves_within_ms"]) == ("within", 30_000, 20_000)


def test_times_are_those_of_the_alert() -> None:
    found = paged(alert_story(DURING, resolves="within 20s"))

    assert found["times"]["detect"] == {"ms": 12_000, "source": "alert Burn (prometheus)"}
    assert found["times"]["mitigate"] == {
        "ms": REVERTED - PROVEN + 5_000, "source": "alert Burn (prometheus) resolved",
    }  # fmt: skip
    assert found["times"]["recover"] == {"ms": 0, "source": "steady state of available"}


def test_the_sentence_says_when_it_fired() -> None:
    summary = paged(alert_story(DURING, resolves="within 20s"))["whole"]["summary"]

    assert "; alert Burn fired after 12 s, and was quiet 5 s after the fault: all 2" in summary


def test_a_silent_alert_fails() -> None:
    assert said(alert_story()) == ("fail", "broken")


def test_a_late_alert_fails_and_says_how_late() -> None:
    found = paged(alert_story(((PROVEN + 34_000, REVERTED),)))

    assert (found["result"], found["fired_ms"]) == ("fail", 34_000)


def test_an_alert_that_does_not_end_fails() -> None:
    found = paged(alert_story(((FIRED, END + 10_000),), resolves="within 20s"))

    assert (found["result"], found["reason"], found["resolved_ms"]) == ("fail", "broken", None)


def test_an_alert_that_ends_late_fails() -> None:
    found = paged(alert_story(((FIRED, REVERTED + 22_000),), resolves="within 20s"))

    assert (found["result"], found["resolved_ms"]) == ("fail", 22_000)


def test_an_alert_that_fires_again_after_the_revert_ends_with_its_last_time() -> None:
    spans = (*DURING, (REVERTED + 15_000, REVERTED + 25_000))

    assert said(alert_story(spans, resolves="within 20s")) == ("fail", "broken")


def test_an_alert_that_is_quiet_before_the_revert_resolved_at_once() -> None:
    found = paged(alert_story(((FIRED, REVERTED - 10_000),), resolves="within 20s"))

    assert (found["result"], found["resolved_ms"]) == ("pass", 0)


def test_an_end_that_is_not_asked_for_is_told_and_not_judged() -> None:
    found = paged(alert_story(((FIRED, END + 10_000),)))

    assert (found["result"], found["resolved_ms"], found["resolves_within_ms"]) == ("pass", None, None)


@pytest.mark.parametrize(
    "span",
    [(BASELINE + 2_000, BASELINE + 5_000), (ZERO - 1_500, ZERO - 400), (BASELINE - 900, END)],
    ids=["in the baseline", "between baseline and injection", "all the time"],
)
@pytest.mark.parametrize("fires", ["within 30s", "never"])
def test_an_alert_that_fires_before_the_fault_proves_nothing(span: tuple[int, int], fires: str) -> None:
    found = paged(alert_story((span, *DURING), fires=fires))

    assert (found["result"], found["reason"]) == ("inconclusive", "alert-before")
    assert (found["before"], found["fired_ms"], found["resolved_ms"]) == (True, None, None)


def test_an_alert_of_the_warm_up_that_has_ended_is_forgotten() -> None:
    assert said(alert_story(((BASELINE - 3_000, BASELINE - 1_500), *DURING))) == ("pass", "proven")


def test_an_alert_that_fires_in_the_onset_and_lasts_counts_from_the_proof() -> None:
    assert paged(alert_story(((PROVEN - 300, REVERTED),)))["fired_ms"] == 0


def test_an_alert_that_must_not_fire_and_does_not_passes() -> None:
    found = paged(alert_story(fires="never"))

    assert (found["result"], found["reason"], found["fires"], found["within_ms"]) == ("pass", "proven", "never", None)
    assert "alert Burn stayed silent" in found["whole"]["summary"]


@pytest.mark.parametrize(
    "span",
    [(PROVEN - 400, PROVEN - 100), (FIRED, FIRED + 1_000), (END - 5_000, END - 2_000)],
    ids=["in the onset", "while it is on", "after the revert"],
)
def test_an_alert_that_must_not_fire_and_does_fails(span: tuple[int, int]) -> None:
    assert said(alert_story((span,), fires="never")) == ("fail", "broken")


def test_a_fault_that_is_shorter_than_the_time_it_is_given_cannot_break_it() -> None:
    assert said(alert_story(fires="within 60s")) == ("inconclusive", "too-short")
    assert said(alert_story(((REVERTED + 10_000, END),), fires="within 60s")) == ("pass", "proven")
    assert said(alert_story(((REVERTED + 25_000, END),), fires="within 60s")) == ("inconclusive", "too-short")
