"""Pages of a site, a comparison and a postmortem in a browser: no violation of axe, no request, nothing cut off; narrow, wide, light, dark.

Needs Debian's chromium: ``apt-get install chromium``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, sync_playwright

from gameday.runner.site import build_site
from gameday_reports.comparison.as_html import HtmlComparison
from gameday_reports.postmortem.as_html import HtmlPostmortem
from tests.fakes.browser import CHROMIUM
from tests.fakes.many_runs import NOW, write_many
from tests.fakes.sample_day import sample_day
from tests.fakes.stories import experiment
from tests.unit.test_comparison import BROKEN, GOOD, HOSTILE, OLD, told

Scheme = Literal["light", "dark"]
SITE = ("index.html", "oncall.html", "runs.html")
ALONE = ("comparison.html", "not-comparable.html", "postmortem.html", "postmortem-dirty.html")
VIEWS: tuple[tuple[int, Scheme], ...] = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("a browser: apt-get install chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with every kind of verdict, overdue actions, something still on, hostile texts and a damaged folder."""
    folder = tmp_path_factory.mktemp("site")
    runs = write_many(folder / "runs", runs=33, experiments=11, report_bytes=1_000)
    write_many(folder / "long", runs=30, experiments=1, report_bytes=1_000)
    newest = runs[-11:]
    for index, path in enumerate(newest):
        verdict = json.loads((path / "verdict.json").read_text())
        if index == 0:
            verdict |= {
                "verdict": "dirty",
                "residue": [{"fault": "f", "targets": ["t"], "command": "gameday recover x"}],
            }
        if index == 1:
            verdict |= {"title": " ".join(HOSTILE[:6]).replace("alert(1)", "window.ran=1"), "summary": "x" * 900}
        (path / "verdict.json").write_text(json.dumps(verdict))
        marks = [finding["fingerprint"] for finding in verdict["findings"]]
        text = "".join(
            f"{mark}: {{owner: team-a, due: 2026-11-01, ticket: 'https://t.example.com/{mark}'}}\n" for mark in marks
        )
        (path / "findings.yaml").write_text(text)
    (folder / "runs" / "damaged").mkdir()
    build_site(folder / "site", [folder / "runs", folder / "long"], now=NOW, stale_days=30)
    other = told(BROKEN, OLD, digest="e", experiment=experiment(phases={"warmup": "0s", "baseline": "40s"}))
    now = told(GOOD)
    (folder / "site" / "comparison.html").write_bytes(HtmlComparison().render(told(BROKEN, OLD), now))
    (folder / "site" / "not-comparable.html").write_bytes(HtmlComparison().render(replace(other, name="x" * 90), now))
    hostile = " ".join(HOSTILE).replace("alert(1)", "window.ran=1")
    for name, day in (
        ("", sample_day()),
        ("-dirty", sample_day(first="dirty", title=hostile, why=hostile, by=hostile)),
    ):
        (folder / "site" / f"postmortem{name}.html").write_bytes(HtmlPostmortem().render(day))
    return folder / "site"


def opened(browser: Browser, path: Path, width: int = 1280) -> tuple[Page, list[str], list[str]]:
    """Open a page; return it, every address that it asked for, and every complaint of the browser."""
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    return page, asked, said


@pytest.mark.parametrize("name", [*SITE, *ALONE])
def test_everybody_can_read_it(browser: Browser, site: Path, name: str) -> None:
    page, asked, said = opened(browser, site / name)
    axe: Any = Axe()
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0, width
        found = axe.run(page)
        assert found.violations_count == 0, f"{width} {scheme}: {found.generate_report()}"
    assert page.evaluate("() => [document.scripts.length, document.images.length, window.ran ?? 0]") == [0, 0, 0]
    assert asked == [(site / name).as_uri()]
    assert said == []
    page.context.close()


def test_its_links_lead_somewhere(browser: Browser, site: Path) -> None:
    for name in SITE:
        page, _, _ = opened(browser, site / name)
        links: list[str] = page.evaluate(
            "() => [...document.links].map(link => link.href).filter(l => l.startsWith('file:'))"
        )
        assert len(links) > 10
        for link in links:
            path, _, anchor = link.removeprefix("file://").partition("#")
            assert Path(path).is_file(), link
            assert not anchor or f'id="{anchor}"' in Path(path).read_text() or anchor.startswith("finding-"), link
        page.context.close()


def test_nothing_is_cut_off_in_print(browser: Browser, site: Path) -> None:
    for name in (*SITE, *ALONE):
        page, _, _ = opened(browser, site / name, 703)  # A4 within its margins, at 96 dots per inch
        page.emulate_media(media="print")
        cut = page.evaluate(
            "() => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
            ".map(e => e.tagName + '.' + e.getAttribute('class')).slice(0, 5)"
        )
        assert cut == [], name
        page.context.close()
