"""The run before this one, drawn and told: aligned at time zero, gaps as gaps, and never trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gameday.model import Run
from gameday_reports.html import HtmlReport
from gameday_reports.previous import previous_of
from gameday_reports.view import report_view
from tests.fakes.damage import changed, paths
from tests.fakes.page import Page
from tests.fakes.sample_run import sample_run
from tests.fakes.showcase import showcase

PREVIOUS: dict[str, Any] = {
    "run": "r1", "digest": "d", "comparable": True, "why": [], "verdict": {"verdict": "pass"}, "zero_ms": 9_000, "step_seconds": 1,
    "series": {"checkout": [[-1, 10, 1, 20.0], [0, 0, 0, None], [1, 10, 10, 40.0]], "queue": [[0, 5.0], [2, None], [4, 7.0]]},
}  # fmt: skip


def small(**changes: Any) -> Run:
    return replace(sample_run("fail", baseline_s=6, fault_s=6, recovery_s=14), previous={**PREVIOUS, **changes})


def test_it_is_aligned_at_time_zero_and_a_second_without_requests_is_a_gap() -> None:
    previous = previous_of(small())
    assert previous is not None
    assert dict(previous.failed(("checkout",), 73_350).pairs()) == {72: 0.1, 73: None, 74: 1.0}
    assert dict(previous.p95("checkout", 73_350).pairs()) == {72: 20.0, 73: None, 74: 40.0}
    assert previous.failed(("unknown",), 0).values == ()


def test_a_reading_stands_until_the_next_is_due_and_one_that_failed_is_a_gap() -> None:
    previous = previous_of(small())
    assert previous is not None
    assert dict(previous.gauge("queue", 10_000, 2_000).pairs()) == {
        10: 5.0,
        11: 5.0,
        12: None,
        13: None,
        14: 7.0,
        15: 7.0,
    }
    assert dict(previous.gauge("queue", 0, 1_000, scale=5.0).pairs())[4] == 1.4


def test_wider_steps_are_drawn_as_wide() -> None:
    previous = previous_of(small(step_seconds=3, series={"checkout": [[-3, 30, 3, 20.0], [0, 30, 0, 10.0]]}))
    assert previous is not None
    assert previous.failed(("checkout",), 60_000).values == (0.1, 0.1, 0.1, 0.0, 0.0, 0.0)


def test_it_is_drawn_dashed_only_where_its_numbers_mean_the_same() -> None:
    def dashed(run: Run) -> int:
        return sum(line.kind == "previous" for panel in report_view(run).panels for line in panel.lines)

    assert dashed(small()) == 2
    assert dashed(small(comparable=False, why=["load: other"])) == 0
    assert dashed(replace(small(), previous=None)) == 0


def test_what_is_worse_better_new_and_fixed_is_counted() -> None:
    found = report_view(showcase("pass")).since
    assert found is not None
    assert (found.worse, found.better) == ((), ("checkout-available", "checkout-fast"))
    assert [gone.word for gone in found.gone] == ["Fixed", "Fixed"]
    aborted = replace(showcase("aborted"), previous=showcase("pass").previous)
    unproven = report_view(aborted).since
    assert unproven is not None
    assert "Fixed" not in {gone.word for gone in unproven.gone}, "a run that was stopped proves nothing fixed"


@pytest.mark.parametrize("new", [KeyError, None, float("nan"), "?", {}, [], -1], ids=repr)
def test_damage_anywhere_in_it_never_costs_the_report(new: Any) -> None:
    run = sample_run("fail", baseline_s=2, fault_s=2, recovery_s=2)
    objective = {"name": "checkout-fast", "verdict": "pass", "budget": {"used": 1}}
    verdict = {"verdict": "fail", "objectives": [objective], "findings": [{"fingerprint": "f", "title": "t"}]}
    document = {**PREVIOUS, "verdict": verdict, "earlier": [{"findings": ["f"]}]}
    for path in paths(document):
        page = HtmlReport().render(replace(run, previous=changed(document, path, new)))
        assert b"<title>Failed" in page, path


def test_hundreds_of_faults_are_all_listed_and_the_page_stays_bounded() -> None:
    run = sample_run("fail", baseline_s=6, fault_s=6, recovery_s=14)
    assert run.verdict is not None
    first = run.verdict["faults"][0]
    faults = [{**first, "name": f"fault-{n:03}"} for n in range(300)]
    faults[250] |= {"undo": "unproven", "verdict": "dirty", "reason": "residue"}
    written = HtmlReport().render(replace(run, verdict={**run.verdict, "faults": faults}))
    page = Page(written)
    assert len(written) < 600_000
    assert all(f"fault-{n:03}" in page.text("faults") for n in range(300))
    details = [found["id"] for tag, found in page.tags if tag == "article" and found.get("id", "").startswith("fault-")]
    assert len(details) == 40
    assert "fault-251" in details, "what needs a look has its details"
    anchors = [found["id"] for _, found in page.tags if "id" in found]
    assert len(anchors) == len(set(anchors))
