"""Findings say what was seen in numbers, and stay the same finding when they are found again."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge import judge
from gameday.judge.words import effect, headline, limit, listed, one_in, percent, seconds
from gameday.model import LoadRow
from gameday.schema.grammar import parse_criterion
from tests.fakes.stories import END, PROVEN, REVERTED, Story, between, experiment, good, rows


def findings(story: Story) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = judge(story.run())["findings"]
    return found


def slow_catalog(bad_in_five: int, until: int = REVERTED) -> Story:
    objectives = {
        "browse-fast": {
            "expect": "p95 < 300ms",
            "where": {"endpoint": "browse"},
            "recover": {"within": "15s", "hold": "10s"},
        }
    }
    load = {**experiment()["load"], "requests": [{"name": "browse", "get": "/products"}]}
    made = [
        LoadRow(
            slot=r.slot,
            endpoint="browse",
            kind="ok",
            count=5,
            slower={300_000: bad_in_five} if PROVEN <= r.slot * 100 < until else {},
        )
        for r in rows(good)
    ]
    return Story(file=experiment(objectives=objectives, load=load, runbook="runbooks/catalog.md"), rows=made)


def test_a_broken_objective_is_told_in_the_users_terms() -> None:
    (finding,) = findings(slow_catalog(3))
    assert finding["severity"] == "high"
    assert (
        finding["title"]
        == "payments-down: browse failed or was slower than 300ms for 59% of requests (1 in 1.7), 5% allowed"
    )
    assert finding["saw"] == (
        "While payments-down was on, 59% of browse requests (1 in 1.7) failed or were slower than 300ms; 5% allowed. "
        "Before the fault it was 0%."
    )
    assert finding["matters"] == "browse-fast allows 5% (p95 < 300ms), and 1,200 of 2,025 were bad."
    assert (finding["next"], finding["objective"], finding["faults"]) == (
        "Look at the charts around the fault, and give those requests a fallback or a time limit.",
        "browse-fast",
        ["payments-down"],
    )


def test_the_summary_of_a_failure_is_its_worst_finding() -> None:
    document = judge(slow_catalog(3).run())
    assert document["summary"] == document["findings"][0]["saw"]


def test_a_fingerprint_survives_other_numbers_and_tells_findings_apart() -> None:
    first, second = findings(slow_catalog(3)), findings(slow_catalog(2, until=END))
    assert first[0]["fingerprint"] == second[0]["fingerprint"]
    assert len({finding["fingerprint"] for finding in second}) == len(second) == 2
    assert [finding["id"] for finding in second] == ["F1", "F2"]


@pytest.mark.parametrize(
    ("bad", "title"),
    [
        (between(REVERTED, 82_500, 5), "payments-down: available took 16 s to recover, 15 s allowed"),
        (between(REVERTED, END, 5), "payments-down: available did not recover"),
        (between(80_000, END, 5), "payments-down: available recovered and broke again"),
    ],
)
def test_how_recovery_failed(bad: Any, title: str) -> None:
    (finding,) = findings(Story(rows=rows(bad)))
    assert (finding["title"], finding["severity"]) == (title, "high")


def test_a_residue_comes_first_and_names_the_command_that_ends_it() -> None:
    story = Story(rows=rows(between(30_000, 60_000, 3)), undone=False).without("reverted")
    story.add(REVERTED, "still-active", fault="payments-down", by="runner", error="port still refuses")
    first = findings(story)[0]
    assert first["title"] == "payments-down is not proven undone"
    assert "port still refuses" in first["saw"]
    assert first["next"] == "Run `gameday recover 20261123T101500Z-payments-1a2b`."


def test_missing_evidence_is_found_too() -> None:
    gone = (
        Story().without("active", when="hold").add(40_000, "active", fault="payments-down", active=False, when="hold")
    )
    assert [f["title"] for f in findings(gone)] == ["payments-down is not proven: it was gone before it was reverted"]
    unseen = Story().without("active", when="before-revert")
    assert [f["title"] for f in findings(unseen)] == [
        "payments-down is not proven: it was not measured as on just before its revert"
    ]
    near = findings(Story(rows=rows(lambda slot: int(slot % 4 == 0))))
    assert near[0]["title"].startswith("available is not proven (near-limit): 5% of requests (1 in 20) failed")
    assert "at most" in near[0]["saw"]
    shut = Story(rows=rows(between(0, 25_000, 1))).without("gate").add(25_500, "gate", passed=False)
    assert (
        findings(shut)[0]["title"]
        == "available did not hold before the fault: 20% of requests (1 in 5) failed; 5% allowed"
    )
    assert findings(Story(said_bye=False))[0]["title"] == "The load generator did not measure reliably"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.9999, ">99%"),
        (0.00001, "<0.01%"),
        (0.0052, "0.52%"),
        (0.021, "2.1%"),
        (0.0996, "10%"),
        (0.62, "62%"),
    ],
)
def test_percentages_are_never_rounded_to_nothing_or_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_words_for_counts() -> None:
    assert [one_in(*pair) for pair in ((0, 9), (9, 9), (5, 8), (1, 48), (1, 12_000), (240, 252))] == [
        "none", "every one", "1 in 1.6", "1 in 48", "1 in 12,000",
        "240 of 252",
    ]  # fmt: skip
    assert [limit(b) for b in (0.005, 0.05, 0.0)] == ["0.5%", "5%", "0%"]
    assert [seconds(s) for s in (3.0, 2.54, 0.0)] == ["3 s", "2.5 s", "0 s"]
    assert [listed(n) for n in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("text", "said", "title"),
    [
        (
            "throughput > 95%",
            "20% of a requests (1 in 5) got no answer; 5% allowed",
            "a got no answer for 20% of requests (1 in 5), 5% allowed",
        ),
        (
            "bad_seconds < 10%",
            "20% of the seconds were bad (2 of 10); 10% allowed",
            "20% of the seconds were bad (2 of 10), 10% allowed",
        ),
        (
            "p99 <= 1s",
            "20% of a requests (1 in 5) failed or were slower than 1s; 1% allowed",
            "a failed or was slower than 1s for 20% of requests (1 in 5), 1% allowed",
        ),
    ],
)
def test_words_for_each_kind(text: str, said: str, title: str) -> None:
    assert effect(parse_criterion(text), ["a"], 2, 10) == said
    assert headline(parse_criterion(text), ["a"], 2, 10) == title
