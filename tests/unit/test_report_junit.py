"""JUnit: valid XML whatever the text, and never green unless the verdict is pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.model import Run
from gameday.spi import Renderer
from gameday_reports.junit import JUnitReport
from tests.fakes.sample_facts import DIGEST, HEAD, NAME, OUTCOMES, Outcome
from tests.fakes.sample_run import sample_run
from tests.fakes.showcase import showcase


def small(outcome: Outcome) -> Run:
    return sample_run(outcome, baseline_s=6, fault_s=6, recovery_s=14)


def suite(run: Run) -> Element:
    found = fromstring(JUnitReport().render(run)).find("testsuite")
    assert found is not None
    return found


def status(case: Element) -> str:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


def statuses(run: Run) -> dict[str, str]:
    return {case.get("name", ""): status(case) for case in suite(run).iter("testcase")}


def test_it_is_a_renderer() -> None:
    report = JUnitReport()
    assert isinstance(report, Renderer)
    assert (report.name, report.filename) == ("junit", "junit.xml")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_only_a_pass_is_green(outcome: Outcome) -> None:
    run = small(outcome)
    found = suite(run)
    red = int(found.get("failures", "0")) + int(found.get("errors", "0"))
    assert (red == 0) == (outcome == "pass")
    assert statuses(run)["verdict"] == {"pass": "passed", "fail": "failure"}.get(outcome, "error")
    cases = list(found.iter("testcase"))
    assert int(found.get("tests", "")) == len(cases)
    for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(found.get(count, "")) == sum(status(case) == kind for case in cases)
        assert fromstring(JUnitReport().render(run)).get(count) == found.get(count)


def test_each_objective_proof_revert_and_guard_has_its_case() -> None:
    assert statuses(small("fail")) == {
        "objective checkout-available": "failure",
        "objective checkout-fast": "failure",
        "objective browse-unharmed": "passed",
        "fault payments-down is proven on": "passed",
        "fault payments-down is proven gone": "passed",
        "guard errors lose 1.5s of traffic beyond 50%": "passed",
        "verdict": "failure",
    }
    assert statuses(small("dirty"))["fault payments-down is proven gone"] == "error"
    assert statuses(small("aborted"))["guard errors lose 1.5s of traffic beyond 50%"] == "failure"
    nothing = statuses(small("inconclusive"))
    assert nothing["objective checkout-fast"] == "skipped"
    assert nothing["fault payments-down is proven on"] == "skipped"
    assert nothing["guard errors lose 1.5s of traffic beyond 50%"] == "skipped"


def bent(run: Run, what: str, **changes: Any) -> Run:
    assert run.verdict is not None
    return replace(run, verdict={**run.verdict, what: [{**run.verdict[what][0], **changes}, *run.verdict[what][1:]]})


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("near-limit", "skipped"),
        ("too-few", "skipped"),
        ("baseline", "skipped"),
        ("load-generator", "error"),
        ("query-error", "error"),
        ("no-data", "error"),
    ],
)
def test_broken_measurement_is_an_error_and_too_little_of_it_is_skipped(reason: str, expected: str) -> None:
    run = bent(small("pass"), "objectives", verdict="inconclusive", reason=reason)
    assert statuses(run)["objective checkout-available"] == expected


@pytest.mark.parametrize(
    ("undo", "expected"),
    [
        ("proven", "passed"),
        ("reported", "skipped"),
        ("not-needed", "skipped"),
        ("unproven", "error"),
        ("failed", "error"),
        ("pending", "error"),
        ("", "error"),
    ],
)
def test_an_undo_is_green_only_when_it_is_proven(undo: str, expected: str) -> None:
    assert statuses(bent(small("pass"), "faults", undo=undo))["fault payments-down is proven gone"] == expected


@pytest.mark.parametrize(
    ("proof", "expected"), [("proven", "passed"), ("no-check", "skipped"), ("unproven", "error"), ("?", "error")]
)
def test_a_proof_is_green_only_when_it_is_proven(proof: str, expected: str) -> None:
    assert statuses(bent(small("pass"), "faults", proof=proof))["fault payments-down is proven on"] == expected


def test_messages_hold_the_numbers_and_the_place() -> None:
    run = small("fail")
    assert run.verdict is not None
    case = next(case for case in suite(run).iter("testcase") if case.get("name") == "objective checkout-fast")
    failure = case.find("failure")
    assert failure is not None
    phase = run.verdict["objectives"][1]["criteria"][0]["phases"]["fault"]
    assert f"fault (p95 < 1s): {phase['k']:,} of {phase['n']:,} bad" in failure.get("message", "")
    assert "recovery not reached" in failure.get("message", "")
    assert (case.get("file"), case.get("line")) == ("experiments/dependency/payments-outage.yaml", "32")


def test_an_alert_is_told_with_its_times() -> None:
    run = showcase("fail")
    case = next(case for case in suite(run).iter("testcase") if case.get("name") == "objective on-call-is-paged")
    assert (
        case.findtext("system-out") == "Kept, proven; alert CheckoutBurnRate fired after 22 s; it resolved after 31 s"
    )


def test_properties_say_where_it_came_from() -> None:
    found = {item.get("name"): item.get("value") for item in suite(small("fail")).iter("property")}
    assert found == {
        "run": NAME,
        "verdict": "fail",
        "reasons": "broken",
        "seed": "1",
        "digest": DIGEST,
        "journal_head": HEAD,
    }


def test_dirty_names_the_command() -> None:
    case = next(case for case in suite(small("dirty")).iter("testcase") if case.get("name") == "verdict")
    assert f"Run: gameday recover {NAME}" in case[0].get("message", "")


def hostile(run: Run, text: str) -> Run:
    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            kept = ("verdict", "undo", "proof")
            items = cast("dict[str, Any]", value).items()
            return {key: item if key in kept else spoil(item) for key, item in items}
        if isinstance(value, list):
            return [spoil(item) for item in cast("Sequence[Any]", value)]
        return text if isinstance(value, str) else value

    spoilt = spoil(run.verdict)
    experiment = {**run.experiment, "abort": [text]}
    return replace(run, name=text, head=text, verdict=spoilt, experiment=experiment, plan={"source": text})


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=30))
def test_any_text_is_valid_xml_and_stays_red(text: str) -> None:
    raw = JUnitReport().render(hostile(small("dirty"), text))
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", raw)
    assert int(fromstring(raw).get("errors", "0")) >= 2


@pytest.mark.parametrize("text", ["\x00\ud800\ufffe]]>", "</testsuite>", '" failures="0', "A" * 10_000, "&#0;\n\t"])
def test_hostile_text_changes_no_structure(text: str) -> None:
    plain, spoilt = small("dirty"), hostile(small("dirty"), text)
    assert [status(case) for case in suite(plain).iter("testcase")] == [
        status(case) for case in suite(spoilt).iter("testcase")
    ]
    assert len(JUnitReport().render(spoilt)) < 30_000


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_rendering_twice_gives_the_same_bytes(outcome: Outcome) -> None:
    assert JUnitReport().render(small(outcome)) == JUnitReport().render(small(outcome))


def test_a_run_without_anything_is_red() -> None:
    empty = Run(name="r", experiment={}, plan={}, events=(), head="", closed=False, verdict={})
    assert statuses(empty) == {"verdict": "error"}
    with pytest.raises(ValueError, match="not been judged"):
        JUnitReport().render(replace(empty, verdict=None))
