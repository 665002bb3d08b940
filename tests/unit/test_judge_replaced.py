"""What became of what a fault took away: only what was seen to come back has come back, and nothing else passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gameday.judge import judge, to_bytes, verdict_schema
from gameday.model import Plan
from gameday.spi import Recovery
from tests.fakes.loss_stories import DEED, KILLED, killed, seen
from tests.fakes.stories import END, PROVEN, Story, fault_life, frame

SCHEMA: Any = Draft202012Validator(verdict_schema())


def judged(story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the verdict, which fits its schema, and the fault in it."""
    document: dict[str, Any] = json.loads(to_bytes(judge(story.run())))
    assert SCHEMA.is_valid(document), next(iter(SCHEMA.iter_errors(document)))
    return document, document["faults"][0]


def test_what_came_back_passes_with_its_numbers() -> None:
    document, fault = judged(seen(seen(killed(), 2_000, 1, detail="web-9 is not ready"), 6_200, 3))
    assert (document["verdict"], document["findings"]) == ("pass", [])
    assert fault["recovered"] == {
        "result": "recovered", "lost": 3, "wanted": 3, "back": 3, "at_ms": DEED + 6_200, "after_ms": 6_200,
        "detail": "3 of 3 were replaced and ready 6.2 s after the loss was proven",
    }  # fmt: skip
    assert fault["detail"].endswith("3 of 3 were replaced and ready 6.2 s after the loss was proven")


def test_what_did_not_come_back_is_no_pass() -> None:
    late: dict[str, Any] = {"detail": "web-9 is not ready", "end": True}
    document, fault = judged(seen(seen(killed(), 2_000, 1), END - DEED, 1, **late))
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["not-recovered"])
    assert (fault["reason"], fault["recovered"]["result"]) == ("not-recovered", "not-recovered")
    assert (fault["recovered"]["at_ms"], fault["recovered"]["after_ms"]) == (None, None)
    said = "2 of 3 had no ready successor when the run ended, 70.5 s after: web-9 is not ready"
    assert fault["recovered"]["detail"] == said
    (finding,) = document["findings"]
    assert (finding["rule"], finding["severity"], finding["faults"]) == ("not-replaced", "medium", [KILLED])
    assert said in finding["saw"]
    assert "was not replaced before the run was over" in document["summary"]


NOT_KNOWN: list[tuple[list[tuple[int, int, dict[str, Any]]], str]] = [
    ([], "nobody looked"),
    ([(1_000, 0, {"error": "no answer from the API server"})], "no answer from the API server"),
    ([(1_000, 2, {}), (9_000, 0, {"error": "it hung", "end": True})], "it hung"),
]


@pytest.mark.parametrize(("looks", "words"), NOT_KNOWN)
def test_what_is_not_known_is_no_pass(looks: list[tuple[int, int, dict[str, Any]]], words: str) -> None:
    story = killed()
    for after_ms, back, more in looks:
        seen(story, after_ms, back, **more)
    document, fault = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["not-recovered"])
    assert fault["recovered"]["result"] == "unknown"
    assert fault["recovered"]["detail"] == f"it is not known whether all 3 were replaced: {words}"
    assert document["findings"][0]["severity"] == "low"


def test_what_the_file_does_not_expect_is_told_and_not_judged() -> None:
    document, fault = judged(seen(killed(recovery="not-expected"), 2_000, 1, end=True))
    assert document["verdict"] == "pass"
    assert (fault["recovered"]["result"], fault["recovered"]["back"]) == ("not-expected", 1)
    assert fault["recovered"]["detail"].endswith("; the file does not expect it to")


def test_what_nothing_starts_again_as_planned_is_not_expected() -> None:
    document, fault = judged(killed(replaced=0))
    assert (document["verdict"], fault["recovered"]["result"]) == ("pass", "not-expected")
    assert fault["recovered"]["detail"] == "nothing starts it again, as its plan said"


def test_a_run_that_nobody_asked_is_judged_as_before() -> None:
    document, fault = judged(killed(replaced=None))
    assert document["verdict"] == "pass"
    assert "recovered" not in fault
    assert fault["detail"] == "it was proven done; there is nothing to revert"


def test_fewer_that_are_wanted_are_said() -> None:
    scaled = seen(killed(), 1_000, 1, wanted=3)
    document, fault = judged(seen(seen(scaled, 3_000, 1, wanted=1), 40_000, 1, wanted=1, end=True))
    assert (document["verdict"], fault["recovered"]["result"]) == ("pass", "recovered")
    assert (fault["recovered"]["wanted"], fault["recovered"]["after_ms"]) == (1, 3_000)
    assert "(only 1 of them were wanted still)" in fault["recovered"]["detail"]
    document, fault = judged(seen(scaled, 41_000, 0, wanted=2, end=True))
    assert (document["verdict"], fault["recovered"]["result"]) == ("inconclusive", "not-recovered")


def test_every_round_must_be_made_good() -> None:
    story = seen(seen(killed(rounds=3), 1_500, 3), 900, 3, number=2)
    document, fault = judged(story)
    assert (document["reasons"], fault["recovered"]["result"]) == (["not-recovered"], "unknown")
    document, fault = judged(seen(story, 4_000, 3, number=3))
    assert document["verdict"] == "pass"
    found = fault["recovered"]
    assert (found["lost"], found["back"], found["after_ms"], found["at_ms"]) == (9, 9, 4_000, DEED + 14_000)


def test_pods_of_a_drained_node_must_be_back_too() -> None:
    def drained(*, back: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        story = Story(events=[*frame(), *fault_life()])
        story.events = [
            (at, kind, {**data, "replaced": 2} if kind == "planned" else data) for at, kind, data in story.events
        ]
        told = {"lost": 2, "wanted": 2, "back": 2 * back, "detail": "", "recovered": back, "end": not back}
        story.add(PROVEN + 3_000, "recovery", fault="payments-down", round=1, after_ms=3_000, **told)
        return judged(story)

    document, fault = drained(back=True)
    assert (document["verdict"], fault["recovered"]["after_ms"]) == ("pass", 3_000)
    document, fault = drained(back=False)
    assert (document["reasons"], fault["undo"]) == (["not-recovered"], "proven")


def test_something_worse_is_said_first() -> None:
    document, fault = judged(killed().without("observed"))
    assert (document["reasons"], fault["reason"]) == (["too-short"], "too-short")
    assert fault["recovered"]["result"] == "unknown"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 3), st.booleans()), max_size=8),
    st.integers(0, 7),
)
def test_a_pass_needs_a_last_look_that_saw_them_back(looks: list[tuple[int, int, bool]], lose: int) -> None:
    """Whatever was seen, and whichever record is lost: only the last look counts, and only when it saw all that are wanted."""
    story, told = killed(), sorted(looks)
    for place, (after_ms, back, failed) in enumerate(told):
        if place != lose:
            more: dict[str, Any] = {"error": "it hung", "recovered": False} if failed else {}
            seen(story, after_ms, 0 if failed else back, **more)
    kept = [look for place, look in enumerate(told) if place != lose]
    good = bool(kept) and kept[-1][1] == 3 and not kept[-1][2]
    assert (judged(story)[0]["verdict"] == "pass") is good


@given(st.integers(-1, 5), st.integers(-1, 5), st.integers(-1, 5))
def test_a_recovery_that_cannot_be_is_refused(lost: int, wanted: int, back: int) -> None:
    if 0 <= back <= wanted <= lost:
        made = Recovery(lost=lost, wanted=wanted, back=back)
        assert Recovery.from_json(json.loads(json.dumps(made.to_json()))) == made
        assert made.done >= made.whole
    else:
        with pytest.raises(ValueError, match="cannot be"):
            Recovery(lost=lost, wanted=wanted, back=back)


def test_plans_without_it_are_written_as_before() -> None:
    plan = Plan(driver="d", targets=("t",))
    assert plan.to_json() == {"driver": "d", "targets": ["t"], "undo": {}, "holds": []}
    known = Plan(driver="d", targets=("t",), ready=3, replaced=0)
    assert Plan.from_json(known.to_json()) == known
