"""Gauges in the report: their numbers in the table, a panel for each, their limits, and reports of runs without load."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gameday.judge import judge
from gameday.model import GaugeSample, Run
from gameday_reports.gauges import gauge_series, read_gauge_limit
from gameday_reports.html import HtmlReport
from gameday_reports.junit import JUnitReport
from gameday_reports.view import report_view
from tests.fakes.gauge_stories import Value, calm, gauge_story, high, with_load
from tests.fakes.stories import REVERTED, ZERO, Story, closed, experiment, ticks


def ran(story: Story) -> Run:
    run = story.run()
    return replace(run, verdict=judge(run))


def html(story: Story) -> str:
    return HtmlReport().render(ran(story)).decode()


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_table_has_value_limit_and_readings() -> None:
    text = plain(html(gauge_story(high(40_000, 41_000))))
    assert "gauge queue" in text
    assert "max(queue) was 2,000 80 of 80 readings, allowed &lt; 1000 onset: max(queue) was 100 Broken, proven" in text
    assert "max(queue) was 100 40 of 40 readings, allowed &lt; 1000 Kept, proven" in text


def test_a_gauge_that_was_not_read_says_so_with_its_error() -> None:
    text = plain(html(gauge_story(high(ZERO, REVERTED, None))))
    assert "nothing was read 0 of 80 readings, allowed &lt; 1000 connection refused Not judged: no data" in text


def test_a_run_without_load_says_so_and_draws_no_empty_chart() -> None:
    run = ran(gauge_story())
    view = report_view(run)
    assert [panel.title for panel in view.panels] == ["Gauge queue"]
    text = plain(HtmlReport().render(run).decode())
    assert "None: this system has its own traffic" in text
    assert "no data" not in text.lower()
    assert "While the fault was on, max(queue) was 100, allowed &lt; 1000" in text


def test_a_panel_has_the_readings_the_limit_and_when_it_was_over() -> None:
    view = report_view(ran(with_load(high(40_000, 42_000))))
    (panel,) = [panel for panel in view.panels if panel.title.startswith("Gauge")]
    seen = dict(panel.lines[0].series.pairs())
    assert (seen[39], seen[40], seen[41], seen[42]) == (100, 2_000, 2_000, 100)
    assert {line.value for line in panel.limits} == {1_000}
    assert panel.limits[0].label == "backlog: max(queue) < 1000"
    assert panel.over.sure == ((40_000, 41_000), (41_000, 42_000))
    lane = next(lane for lane in view.lanes if lane.name == "backlog")
    assert lane.over.sure == panel.over.sure


@pytest.mark.parametrize(
    ("expect", "line", "over"),
    [
        ("share(queue > 150) < 90%", 150, True),
        ("share(queue < 150) > 10%", 150, True),
        ("max(queue) > 50", 50, False),
        ("slope(queue) < 900", None, False),
        ("mean(queue) < 250", 250, True),
    ],
)
def test_the_line_of_each_aggregate(expect: str, line: float | None, over: bool) -> None:
    view = report_view(ran(gauge_story(high(40_000, 42_000, 300.0), expect=expect)))
    panel = view.panels[0]
    assert {limit.value for limit in panel.limits} == ({line} if line is not None else set())
    assert bool(panel.over.sure) is over


def test_a_gauge_is_drawn_in_the_unit_of_its_limit() -> None:
    view = report_view(ran(gauge_story(lambda at: 0.31 if 40_000 < at < 41_000 else 0.1, expect="max(queue) < 250ms")))
    panel = view.panels[0]
    assert panel.title == "Gauge queue, in ms"
    assert max(value for value in panel.lines[0].series.values if value is not None) == pytest.approx(310)
    assert panel.limits[0].value == pytest.approx(250)
    assert view.objectives[0].criteria[0].during_cell.value == "max(queue) was 310 ms"


def test_a_reading_stands_until_the_next_is_due_and_a_missing_one_is_a_gap() -> None:
    samples = [
        GaugeSample(sli="q", at_ms=1_200, value=5.0),
        GaugeSample(sli="q", at_ms=6_200, value=None, error="gone"),
        GaugeSample(sli="q", at_ms=11_200, value=-7.0),
    ]
    assert dict(gauge_series(samples, 5_000).pairs()) == {
        **dict.fromkeys(range(1, 6), 5.0),
        **dict.fromkeys(range(6, 11), None),
        **dict.fromkeys(range(11, 16), -7.0),
    }


def test_below_zero_is_drawn_below_zero() -> None:
    text = html(gauge_story(lambda at: -40.0 if at > 40_000 else 20.0, expect="max(queue) < 30"))
    ticks_ = re.findall(r'class="tick"[^>]*text-anchor="end">([^<]+)<', text)
    assert any(tick.startswith("-") for tick in ticks_)


def test_junit_says_what_was_read() -> None:
    suite = ET.fromstring(JUnitReport().render(ran(gauge_story(high(40_000, 41_000)))).decode())
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["objective backlog"].find("failure")
    assert failure is not None
    assert "fault (max(queue) < 1000): max(queue) was 2,000, 80 of 80 readings" in str(failure.get("message"))
    broke = ET.fromstring(JUnitReport().render(ran(gauge_story(high(ZERO, REVERTED, None)))).decode())
    (case,) = [case for case in broke.iter("testcase") if case.get("name") == "objective backlog"]
    assert case.find("error") is not None


def test_a_gate_that_a_gauge_kept_shut_is_told() -> None:
    story = gauge_story()
    row: dict[str, Any] = {"name": "backlog", "result": "fail", "reason": "broken", "n": 40, "k": 2}
    row |= {"criterion": "max(queue) < 1000", "value": 4_000.0, "due": 40}
    story.without("gate").add(25_500, "gate", passed=False, reason="baseline", objectives=[row])
    assert "backlog: max(queue) was 4,000 (asked for max(queue) &lt; 1000)" in html(story)


def test_a_closed_model_is_warned_of_in_its_objective() -> None:
    text = plain(html(Story(file=closed(), ticks=ticks())))
    assert "Measured by users who wait for each answer" in text
    assert "20 users who wait for each answer" in text
    assert "Measured by users" not in plain(html(Story(file=experiment())))


@pytest.mark.parametrize("spoil", ["<script>alert(1)</script>", "max(<b>) < 1000", "\u202e"])
def test_hostile_text_is_inert(spoil: str) -> None:
    story = gauge_story(high(ZERO, REVERTED, None))
    story.gauges = [replace(sample, error=spoil) if sample.error else sample for sample in story.gauges]
    run = ran(story)
    assert run.verdict is not None
    phase = run.verdict["objectives"][0]["criteria"][0]["phases"]["fault"]
    phase["criterion"] = spoil
    text = HtmlReport().render(run).decode()
    assert "<script" not in text
    assert "<b>" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "written", ["errors < 5%", "max(q)", "max(q) < x", "(", "max(q) < 5furlongs", "share(q > x) < 5%"]
)
def test_what_is_no_gauge_is_no_gauge(written: str) -> None:
    found = read_gauge_limit(written)
    assert found is None or found.aggregate == "share"


VALUES: list[Value] = [calm, high(ZERO, REVERTED), high(0, 10**6, None)]


@pytest.mark.parametrize("value", VALUES)
def test_the_same_run_gives_the_same_bytes(value: Value) -> None:
    run = ran(with_load(value))
    assert HtmlReport().render(run) == HtmlReport().render(run)
    assert JUnitReport().render(run) == JUnitReport().render(run)
