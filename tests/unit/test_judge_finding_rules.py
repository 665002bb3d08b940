"""Each rule of findings, on a verdict document that is bent in the one place which that rule looks at."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gameday.judge import judge
from gameday.judge.findings import RULES, find_all
from gameday.judge.findings.margin import margin
from tests.fakes.stories import END, REVERTED, Story, between, fault_life, frame, rows
from tests.harness import ROOT


@pytest.fixture(scope="module")
def passed() -> dict[str, Any]:
    """A verdict document without findings."""
    document = judge(Story().run())
    assert document["findings"] == []
    return document


def found(document: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    """The findings when the one objective has these members as well."""
    bent = copy.deepcopy(document)
    for name, value in change.items():
        bent["objectives"][0][name] = value
    return find_all(bent)


def alert(**change: Any) -> dict[str, Any]:
    return {
        "name": "CheckoutBurnRate", "fires": "within", "within_ms": 90_000, "resolves_within_ms": 300_000, "fired_ms": 40_000,
        "resolved_ms": 60_000, "before": False, "result": "fail", "reason": "broken", **change,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "title", "saw"),
    [
        (
            alert(fired_ms=None),
            "payments-down: alert CheckoutBurnRate stayed silent",
            "While payments-down was on, CheckoutBurnRate never fired; 90 s allowed.",
        ),
        (
            alert(fired_ms=112_000),
            "payments-down: alert CheckoutBurnRate was late: 112 s to fire, 90 s allowed",
            "CheckoutBurnRate fired 112 s after the fault was proven; 90 s allowed.",
        ),
        (
            alert(resolved_ms=None),
            "payments-down: alert CheckoutBurnRate did not end, 300 s allowed",
            "After the fault was undone, CheckoutBurnRate did not end; 300 s allowed.",
        ),
        (
            alert(resolved_ms=301_000),
            "payments-down: alert CheckoutBurnRate took 301 s to end, 300 s allowed",
            "After the fault was undone, CheckoutBurnRate took 301 s to end; 300 s allowed.",
        ),
        (
            alert(fires="never", within_ms=None),
            "payments-down: alert CheckoutBurnRate fired, and should not have",
            "CheckoutBurnRate fired, 40 s after the fault was proven; it should stay silent.",
        ),
    ],
)
def test_an_alert_that_failed(passed: dict[str, Any], entry: dict[str, Any], title: str, saw: str) -> None:
    (finding,) = found(passed, alert=entry)
    assert (finding["title"], finding["saw"], finding["severity"], finding["rule"]) == (title, saw, "high", "alert")


def test_an_alert_that_passed_is_no_finding_and_one_that_is_not_known_a_low_one(passed: dict[str, Any]) -> None:
    assert found(passed, alert=alert(result="pass", fired_ms=None)) == []
    assert found(passed, alert=None) == []
    (unsure,) = found(passed, alert=alert(result="inconclusive", reason="stale", fired_ms=None))
    assert (unsure["rule"], unsure["severity"]) == ("alert-unsure", "low")
    assert "its rule was not evaluated any more" in unsure["saw"]


def test_a_proven_relapse_is_told_apart_from_a_late_recovery() -> None:
    broke_again = judge(Story(rows=rows(between(80_000, END, 5))).run())["findings"]
    late = judge(Story(rows=rows(between(REVERTED, 82_500, 5))).run())["findings"]
    assert [finding["rule"] for finding in broke_again] == ["relapse"]
    assert [finding["rule"] for finding in late] == ["recovery"]
    assert "was lost once after that" in broke_again[0]["saw"]
    assert broke_again[0]["fingerprint"] != late[0]["fingerprint"]


def test_a_relapse_that_proves_nothing_is_low(passed: dict[str, Any]) -> None:
    recovery = {**passed["objectives"][0]["recovery"], "relapses": 2, "bad_seconds": 3}
    (finding,) = found(passed, recovery=recovery)
    assert (finding["severity"], finding["rule"]) == ("low", "relapse")
    assert "was lost 2 times" in finding["saw"]


def bent_phase(document: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    criteria = copy.deepcopy(document["objectives"][0]["criteria"])
    criteria[0]["phases"]["fault"].update(change)
    return found(document, criteria=criteria)


@pytest.mark.parametrize(("bad", "thin"), [(8_990, False), (9_010, True), (9_900, True)])
def test_a_margin_under_a_tenth_is_thin(passed: dict[str, Any], bad: int, thin: bool) -> None:
    findings = bent_phase(passed, n=200_000, k=bad, share=bad / 200_000)
    assert [finding["rule"] for finding in findings] == ["margin"] * thin
    if bad == 9_900:
        assert findings[0]["title"] == "payments-down: available held with a margin of 1%"


GAUGE = {
    "criterion": "max(queue) < 1000", "sli": "queue", "value": 950.0, "limit": 1000.0, "coverage": 1.0, "readings": 60, "due": 60,
    "error": None, "result": "pass", "reason": "proven",
}  # fmt: skip


def with_gauge(document: dict[str, Any], **change: Any) -> list[dict[str, Any]]:
    return found(
        document, criteria=[{"expect": "max(queue) < 1000", "during": None, "phases": {"fault": GAUGE | change}}]
    )


def test_the_margin_of_a_gauge_is_of_its_limit(passed: dict[str, Any]) -> None:
    (finding,) = with_gauge(passed)
    assert finding["title"] == "payments-down: available held with a margin of 5%"
    assert with_gauge(passed, value=500.0) == []
    assert margin(GAUGE | {"limit": 0.0}) is None
    assert margin(GAUGE | {"value": None}) is None
    assert margin({"n": 0, "k": 0, "budget": 0.05}) is None
    assert margin({"n": 100, "k": 0, "budget": 0.0}) is None


def test_missing_readings_are_told_even_where_enough_are_left(passed: dict[str, Any]) -> None:
    (finding,) = with_gauge(passed, value=10.0, readings=57, coverage=0.95, error="timed out")
    assert finding["title"] == "available held with gaps: 3 of 60 readings of queue are missing"
    assert finding["saw"] == "While the fault was on, 57 of 60 readings are there; the last error: timed out."


def test_a_recovery_just_in_time_is_thin(passed: dict[str, Any]) -> None:
    recovery = passed["objectives"][0]["recovery"]
    (finding,) = found(passed, recovery={**recovery, "seconds": 14.0})
    assert finding["title"] == "payments-down: available recovered just in time, after 14 s"
    assert found(passed, recovery={**recovery, "seconds": 13.4}) == []
    assert found(passed, recovery={**recovery, "seconds": 0.0, "within_ms": 0}) == []


def test_a_fault_that_stayed_longer_than_planned() -> None:
    held = REVERTED + 8_000
    story = Story(events=[*frame(END + 10_000), *fault_life(reverted=held)], rows=rows(lambda _: 0, to_ms=END + 10_500))
    document = judge(story.run())
    document["findings"] = find_all(document)
    longer = [finding for finding in document["findings"] if finding["rule"] == "radius"]
    assert [finding["title"] for finding in longer] == ["payments-down was on 8.5 s longer than planned"]
    assert "(by runner)" in longer[0]["next"]


def test_a_fault_that_touched_more_than_was_planned() -> None:
    story = Story()
    story.events = [
        (
            at,
            kind,
            {**data, "plan": {"driver": "proxy.down", "targets": ["proxy payments", "proxy orders"], "undo": {}}},
        )
        if kind == "armed"
        else (at, kind, data)
        for at, kind, data in story.events
    ]
    (finding,) = judge(story.run())["findings"]
    assert finding["title"] == "payments-down touched 1 target that its plan did not name"
    assert finding["saw"] == "Planned: proxy payments. Touched as well: proxy orders."


def test_an_older_verdict_without_planned_targets_says_nothing_of_them(passed: dict[str, Any]) -> None:
    older = copy.deepcopy(passed)
    del older["faults"][0]["planned_targets"]
    assert find_all(older) == []


def test_the_page_about_findings_has_every_rule() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    names = {rule.__module__.rpartition(".")[2].replace("_", "-") for rule in RULES}
    assert {name for name in names if f"`{name}`" not in rows} == set()


def test_every_rule_says_what_was_seen_why_it_matters_and_what_to_do() -> None:
    names = {rule.__module__.rpartition(".")[2] for rule in RULES}
    assert len(names) == len(RULES)
    stories = [
        Story(rows=rows(between(30_000, 60_000, 3))),
        Story(rows=rows(between(REVERTED, END, 5))),
        Story(said_bye=False),
        Story(undone=False).without("reverted"),
    ]
    for story in stories:
        for finding in judge(story.run())["findings"]:
            assert all(finding[key].strip() for key in ("title", "saw", "matters", "next", "fingerprint", "rule"))
            assert finding["rule"] in names
