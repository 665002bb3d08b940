"""Ratios of counters in reports: told apart from the load's requests, with how well their edges are known."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

from gameday.judge import judge, to_bytes
from gameday_reports.html import HtmlReport
from gameday_reports.junit import JUnitReport
from tests.fakes.counter_stories import burst, counter_story, said
from tests.fakes.stories import PROVEN, REVERTED


def test_a_ratio_is_shown_with_its_source_and_its_edges() -> None:
    run = counter_story(said(burst(PROVEN, REVERTED, 5))).run()
    run = replace(run, verdict=json.loads(to_bytes(judge(run))))
    page = HtmlReport().render(run).decode()
    shown = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    assert "counters api, edges known to 1 s" in shown
    assert "all requests" not in shown
    assert "195 of 1,950 bad, allowed 5%" in shown
    assert b"ratio(api)" in JUnitReport().render(run)
