"""What a fault took away, and what came of it, in every form in which a run is told."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from gameday.cli.words import describe
from gameday.judge import judge
from gameday.model import Event, Run
from gameday_reports.html import HtmlReport
from gameday_reports.junit import JUnitReport
from gameday_reports.markdown import MarkdownReport
from gameday_reports.openmetrics import OpenMetricsReport
from gameday_reports.parts.sentences import say
from tests.fakes.loss_stories import killed, seen
from tests.fakes.stories import Story

BACK = "3 of 3 were replaced and ready 6.2 s after the loss was proven"
MISSING = "2 of 3 had no ready successor when the run ended, 60 s after: web-9 is not ready"
CASE = "what fault pods-killed took away is replaced"


def back() -> Story:
    return seen(seen(killed(), 2_000, 1, detail="web-9 is not ready"), 6_200, 3)


def missing() -> Story:
    return seen(killed(), 60_000, 1, detail="web-9 is not ready", end=True)


def unknown() -> Story:
    return seen(killed(), 60_000, 0, error="no answer from <the> API", end=True)


def told(story: Story) -> Run:
    run = story.run()
    return replace(run, verdict=judge(run))


def statuses(run: Run) -> dict[str, str]:
    cases = fromstring(JUnitReport().render(run)).iter("testcase")
    red = ("failure", "error", "skipped")
    return {case.get("name", ""): next((child.tag for child in case if child.tag in red), "passed") for case in cases}


@pytest.mark.parametrize(
    ("story", "words", "tone", "status", "measured"),
    [
        (back(), BACK, "pass", "passed", "1"),
        (missing(), MISSING, "fail", "error", "0"),
        (unknown(), "not known whether all 3 were replaced", "fail", "error", "0"),
        (killed(replaced=0), "nothing starts it again, as its plan said", "none", "skipped", ""),
        (killed(replaced=None), "", "", "", ""),
    ],
    ids=["back", "missing", "unknown", "not expected", "not asked"],
)
def test_it_is_told_in_every_report(story: Story, words: str, tone: str, status: str, measured: str) -> None:
    run = told(story)
    page, text = HtmlReport().render(run).decode(), MarkdownReport().render(run).decode()
    assert ("Proof that it was replaced" in page) == bool(words)
    assert ("Loss proven 50 ms after the call" in page) == bool(words)
    assert words in page
    assert f'<dt>Proof that it was replaced</dt><dd class="t-{tone}">' in page or not words
    assert words in text
    assert statuses(run).get(CASE, "") == status
    measures = OpenMetricsReport().render(run).decode()
    line = next((line for line in measures.splitlines() if line.startswith("gameday_fault_replaced{")), "")
    assert line.rpartition(" ")[2] == measured
    assert ("gameday_fault_replacement_seconds{" in measures) == (words == BACK)
    assert "<the>" not in page


def test_the_timeline_and_the_terminal_say_each_look() -> None:
    def both(story: Story) -> tuple[str, str]:
        event: Event = [event for event in story.run().events if event.kind == "recovery"][-1]
        return say(event)[2], describe(event)

    said, line = both(back())
    assert said == "pods-killed: 3 of 3 replaced and ready, 6.2 s after the loss."
    assert line == "pods-killed: 3 of 3 replaced and ready after 6.2 s"
    said, line = both(missing())
    assert said == "pods-killed: 1 of 3 replaced and ready, 1 min after the loss: web-9 is not ready"
    assert line == "pods-killed: NOT RECOVERED, 1 of 3 replaced and ready, 60.0 s after the loss: web-9 is not ready"
    said, line = both(unknown())
    assert "not known whether what was lost is replaced: no answer" in said
    assert line == "NOT KNOWN whether pods-killed is made good: no answer from <the> API"
