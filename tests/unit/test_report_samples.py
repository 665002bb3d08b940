"""The sample reports of docs/samples are what the code writes now; ``make samples`` writes them again."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from gameday.judge import verdict_schema
from gameday_reports.html import HtmlReport
from gameday_reports.parts.data import MOST_BYTES
from tests.fakes.page import Page, assert_inert
from tests.fakes.sample_facts import OUTCOMES, Outcome
from tests.fakes.showcase import showcase

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_committed_sample_is_what_is_written_now(outcome: Outcome) -> None:
    written = HtmlReport().render(showcase(outcome))
    assert written == (SAMPLES / f"{outcome}.html").read_bytes(), "make samples"
    assert_inert(written)
    assert len(written) < MOST_BYTES


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_sample_has_the_shape_that_the_judge_publishes(outcome: Outcome) -> None:
    jsonschema.validate(showcase(outcome).verdict, verdict_schema())


def test_every_sample_is_listed_and_nothing_else_is_there() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == {"README.md", *(f"{outcome}.html" for outcome in OUTCOMES)}
    index = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"({outcome}.html)" in index for outcome in OUTCOMES)


def test_a_report_has_its_eleven_parts_in_words() -> None:
    page = Page((SAMPLES / "fail.html").read_bytes())
    assert "Time to detect 22 s alert CheckoutBurnRate (prometheus) · limit 30 s" in page.text("summary")
    assert "Time to mitigate 1 min 31 s" in page.text("summary")
    assert "Change since the last run 2 worse 3 new findings, 0 fixed · last run 2026-09-14 UTC" in page.text("summary")
    assert "F1 High payments-down broke checkout-available" in page.text("findings")
    assert "Cause (people) The payments client has no time limit of its own" in page.text("findings")
    assert "team-checkout 2026-10-05 CHK-1482" in page.text("actions")
    assert "not in this run team-sre no date yet none yet" in page.text("actions")
    assert "Finding F2 has no action yet." in page.text("actions")
    assert "fires within 30 s fired after 22 s exact to 5 s Kept, proven" in page.text("objectives")
    assert "resolved after 31 s limit 2 min" in page.text("objectives")
    assert "alert Alert CheckoutBurnRate fired." in page.text("timeline")
    assert "note Support sees the first complaint" in page.text("timeline")
    assert "A closer look" in page.text("fault-1")
    assert "2:35 0% 79.4 ms to 104 ms 110 to 170" in page.text("fault-1"), (
        "the table of the closer look, stretch by stretch"
    )
    assert "worse: +13 points +11 to +14 points, beyond chance" in page.text("compare")
    assert "verdict pass → fail" in page.text("compare")
    assert "previous.json" in page.text("data")


def test_what_was_fixed_and_what_cannot_be_compared_is_said() -> None:
    passed = Page((SAMPLES / "pass.html").read_bytes())
    assert "2 better 1 new finding, 2 fixed" in passed.text("summary")
    assert "Fixed payments-down broke checkout-fast" in passed.text("findings")
    dirty = Page((SAMPLES / "dirty.html").read_bytes())
    assert "Change since the last run not comparable load.rate: 80/s before, 100/s now" in dirty.text("summary")
    assert "load.rate: 80/s before, 100/s now" in dirty.text("compare")
    assert "beyond chance." not in dirty.text("compare")
    aborted = Page((SAMPLES / "aborted.html").read_bytes())
    assert "no earlier run" in aborted.text("summary")
    assert "There is no earlier run of this experiment" in aborted.text("compare")


def test_a_run_that_proved_nothing_is_not_called_worse_and_detected_nothing() -> None:
    summary = Page((SAMPLES / "inconclusive.html").read_bytes()).text("summary")
    assert "Change since the last run 3 not proven any more" in summary
    assert "worse" not in summary.split("Change since")[1]
    assert "Time to detect not judged no fault was proven on" in summary
    assert "Time to detect not reached" in Page((SAMPLES / "aborted.html").read_bytes()).text("summary")
