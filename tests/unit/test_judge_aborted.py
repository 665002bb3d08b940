"""Runs that were aborted, lost or left dirty: what is proven all the same, and which word is the loudest."""

from __future__ import annotations

import pytest

from tests.fakes.judged import judged
from tests.fakes.stories import END, PROVEN, REVERTED, ZERO, Story, between, rows


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
        {"fault": "payments-down", "targets": ["proxy payments"], "command": f"gameday recover {document['run']}"}
    ]


@pytest.mark.parametrize(
    "cut", [0, 4_000, ZERO - 200, ZERO - 100, ZERO, PROVEN, 40_000, REVERTED - 1, REVERTED, 80_000, END]
)
def test_a_journal_cut_anywhere_is_aborted_or_dirty_while_the_fault_is_open(cut: int) -> None:
    verdict = judged(Story().until(cut))["verdict"]
    assert verdict == ("dirty" if ZERO - 100 <= cut < REVERTED else "aborted")
