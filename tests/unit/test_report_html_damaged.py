"""The HTML report of runs that are damaged, lost or empty: it renders, and is never green."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gameday.judge import judge, to_bytes
from gameday.model import LoadSeries, Run, Verdict
from gameday_reports import words
from gameday_reports.html import HtmlReport
from gameday_reports.view import report_view
from tests.fakes.damage import changed, paths
from tests.fakes.page import Page, assert_inert, render
from tests.fakes.sample_run import small_run
from tests.fakes.stories import Story, between, rows


def test_a_lost_runner_is_told() -> None:
    page = render(small_run("pass", closed=False, torn=True, load=replace(small_run().load, said_bye=False)))
    assert "The journal has no closing record" in page.text("summary")
    assert "torn" in page.text("summary")
    assert "stream broke off" in page.text("summary")


@pytest.mark.parametrize("new", [KeyError, None, float("nan"), "?", {}, [], -1], ids=repr)
def test_a_verdict_with_any_part_missing_or_wrong_still_renders(new: Any) -> None:
    run = small_run("inconclusive", load=LoadSeries())
    assert run.verdict is not None
    verdict = {
        **run.verdict,
        "findings": (small_run("fail").verdict or {})["findings"],
        "objectives": (small_run("fail").verdict or {})["objectives"][:1],
    }
    for path in paths(verdict):
        damaged = replace(run, verdict=changed(verdict, path, new))
        page = HtmlReport().render(damaged).decode()
        assert "<title>Inconclusive" in page, path


@pytest.mark.parametrize("word", ["", "PASSED", "ok", "green", None, 0])
def test_a_verdict_word_we_do_not_know_is_never_green(word: object) -> None:
    run = small_run("pass")
    view = report_view(replace(run, verdict={**(run.verdict or {}), "verdict": word}))
    assert view.verdict is Verdict.INCONCLUSIVE


def test_an_empty_run_renders() -> None:
    page = render(Run(name="r", experiment={}, plan={}, events=(), head="", closed=False, verdict={}))
    assert page.title == "Inconclusive · r"
    assert "No fault was injected" in page.text("summary")
    assert "no data" in page.text("charts")


BENT: dict[str, Callable[[], Story]] = {
    "whole": Story,
    "broken": lambda: Story(rows=rows(between(30_000, 60_000, 3))),
    "no load": lambda: Story(rows=(), ticks=(), said_bye=False),
    "lost": lambda: Story().until(40_000),
    "revert failed": lambda: (
        Story().without("reverted").add(67_000, "revert-failed", fault="payments-down", by="runner", error="x")
    ),
    "never proven": lambda: Story().without("active").add(30_000, "unproven", fault="payments-down", why="never"),
    "nothing": lambda: Story(events=[], rows=(), ticks=()),
}


@pytest.mark.parametrize("name", BENT)
def test_what_the_judge_really_writes_renders_with_its_own_verdict(name: str) -> None:
    run = BENT[name]().run()
    verdict = json.loads(to_bytes(judge(run)))
    page = HtmlReport().render(replace(run, verdict=verdict))
    assert_inert(page)
    headline = words.VERDICTS[Verdict.from_word(verdict["verdict"])]
    assert Page(page).title.startswith(f"{headline} · ")
    text = Page(page).text()
    assert verdict["summary"] in text
    for objective in verdict["objectives"]:
        for phase in (criterion["phases"].get("fault") for criterion in objective["criteria"]):
            if phase and phase["n"]:
                assert f"{phase['k']:,} of {phase['n']:,} failed" in text
    if verdict["verdict"] == "dirty":
        assert "NOT proven gone" in text
