"""In a real browser: every report is accessible on a phone and on a desk, light and dark, asks for nothing, runs nothing, prints whole.

Needs Debian's chromium: ``apt-get install -y chromium``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gameday_reports.html import HtmlReport
from tests.fakes.browser import A4, SCHEMES, WIDTHS, chromium, opened
from tests.fakes.sample_facts import OUTCOMES, Outcome
from tests.fakes.showcase import showcase
from tests.fakes.spoilt_run import HOSTILE, spoilt_run

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[Outcome, Path]:
    folder = tmp_path_factory.mktemp("reports")
    paths: dict[Outcome, Path] = {outcome: folder / f"{outcome}.html" for outcome in OUTCOMES}
    for outcome, path in paths.items():
        path.write_bytes(HtmlReport().render(showcase(outcome)))
    return paths


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_axe_finds_nothing_and_everything_fits(
    outcome: Outcome, browser: Browser, reports: dict[Outcome, Path]
) -> None:
    with opened(browser, reports[outcome]) as shown:
        for scheme in SCHEMES:
            for width in WIDTHS:
                shown.show(width, scheme)
                assert shown.violations() == [], (width, scheme)
                assert shown.too_wide() == [], (width, scheme)
        shown.unfold()
        shown.show(WIDTHS[0])
        assert shown.too_wide() == []
        assert shown.violations() == [], "unfolded"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_nothing_is_cut_off_on_paper(outcome: Outcome, browser: Browser, reports: dict[Outcome, Path]) -> None:
    with opened(browser, reports[outcome]) as shown:
        shown.show(A4, media="print")
        assert shown.cut_off() == []
        assert shown.page.locator(".figures table").first.is_visible(), "what is folded is unfolded on paper"
        assert not shown.page.locator("nav").is_visible()


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_report_asks_for_nothing_complains_of_nothing_and_lets_no_script_run(
    outcome: Outcome, browser: Browser, reports: dict[Outcome, Path]
) -> None:
    with opened(browser, reports[outcome], width=390) as shown:
        assert shown.asked == [reports[outcome].as_uri()]
        assert shown.said == []
        assert shown.page.locator("section").count() == 11
        assert shown.page.locator("svg.chart").count() >= 4
        word = shown.page.locator(".verdict .word").bounding_box()
        assert word is not None
        assert word["x"] + word["width"] <= 390
        assert not shown.runs_a_script()
        assert any("Content Security Policy" in line for line in shown.said), "the policy itself stopped it"


def test_hostile_text_in_every_field_runs_nothing_asks_for_nothing_and_fits(browser: Browser, tmp_path: Path) -> None:
    spoil = " ".join(HOSTILE[:9]).replace("alert(1)", "window.ran=1")
    run = spoilt_run(spoil)
    path = tmp_path / "report.html"
    path.write_bytes(
        HtmlReport().render(replace(run, experiment={**run.experiment, "runbook": "javascript:window.ran=1"}))
    )
    with opened(browser, path) as shown:
        shown.unfold()
        for width in WIDTHS:
            shown.show(width)
            assert shown.too_wide() == [], width
        assert shown.page.evaluate("window.ran") is None
        assert shown.page.locator("script, img, iframe, object, embed, link, base, form").count() == 0
        assert shown.asked == [path.as_uri()]
        shown.show(A4, media="print")
        assert shown.cut_off() == []


def test_the_figures_can_be_saved(browser: Browser, reports: dict[Outcome, Path], tmp_path: Path) -> None:
    with opened(browser, reports["fail"]) as shown:
        with shown.page.expect_download() as waiting:
            shown.page.locator("a.btn").click()
        saved = tmp_path / "figures.csv"
        waiting.value.save_as(saved)
        lines = saved.read_text(encoding="utf-8").splitlines()
        assert lines[0] == "second,endpoint,requests,failed,p95_ms"
        requests = sum(int(line.split(",")[2]) for line in lines[1:])
        verdict = showcase("fail").verdict
        assert verdict is not None
        assert requests == verdict["load"]["offered"]


def test_it_prints_to_a_few_pages(browser: Browser, reports: dict[Outcome, Path]) -> None:
    with opened(browser, reports["fail"]) as shown:
        paper = shown.page.pdf(format="A4", prefer_css_page_size=True)
        assert paper.startswith(b"%PDF")
        assert 3 <= paper.count(b"/Type /Page\n") <= 25


def test_the_questions_can_be_answered_with_no(browser: Browser, tmp_path: Path) -> None:
    """A page with every fault that is looked for: the checks above can fail."""
    path = tmp_path / "bad.html"
    path.write_text(
        "<!doctype html><title>x</title><p style='color:#aaa'>pale</p><p style='width:2000px'>wide</p>"
        "<p style='width:80px;overflow:hidden;white-space:nowrap'>cut off, for the box is much too narrow</p>"
        "<img src=http://127.0.0.1:1/x.png><script>console.log('ran')</script>"
    )
    with opened(browser, path) as shown:
        assert {line.split(":")[0] for line in shown.violations()} >= {"color-contrast", "image-alt", "html-has-lang"}
        assert any("the page: 2" in line for line in shown.too_wide())
        assert len(shown.cut_off()) >= 2
        assert len(shown.asked) == 2
        assert "ran" in shown.said
        assert shown.runs_a_script()
