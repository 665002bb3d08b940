"""Two runs beside each other: exact counts, differences first, what chance can do, and what became of findings."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gameday.cli.compare import compare as compare_command
from gameday.journal.folder import read_run
from gameday.judge import judge
from gameday.model import Run
from gameday.runner.previous import previous_of
from gameday_reports.comparison import Comparison, Row, Side, compare, newcombe, side_of, side_of_previous, statuses
from gameday_reports.comparison.as_html import HtmlComparison
from gameday_reports.comparison.as_json import JsonComparison
from gameday_reports.comparison.as_markdown import MarkdownComparison
from gameday_reports.comparison.as_text import TextComparison
from tests.fakes.folders import write_run
from tests.fakes.stories import Story, between, experiment, rows

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\nNOT COMPARABLE: forged\r\nbefore: x",
    "\x1b[31m\x07\u202eevil\u2028x",
    "| a | b |\n|---|---|\n[x](javascript:alert(1)) `code` <b>",
    "=cmd|' /C calc'!A0",
    "x" * 10_000,
)
OLD, NEW = "20261121T101500Z-payments-1a2b", "20261122T101500Z-payments-1a2b"


def told(story: Story, name: str = NEW, **plan: Any) -> Run:
    """A judged run."""
    run = replace(story.run(), name=name)
    run = replace(run, plan={**run.plan, "experiment": run.experiment, **plan})
    return replace(run, verdict=judge(run))


BROKEN = Story(rows=rows(between(30_000, 60_000, 1)))
FEW = Story(rows=rows(lambda slot: int(slot % 40 == 0)))
GOOD = Story()


def sides(before: Story, now: Story) -> tuple[Side, Side]:
    return side_of(told(before, OLD)), side_of(told(now))


@pytest.mark.parametrize(
    ("before", "now", "interval"),
    [  # Newcombe 1998, table II, method 10; given there as p1 - p2 with the sample that is "now" here first
        ((48, 80), (56, 70), (0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.1705, 0.8090)),
        ((2, 7), (6, 7), (0.0582, 0.8062)),
        ((0, 29), (5, 56), (-0.0381, 0.1926)),
        ((0, 20), (0, 10), (-0.1611, 0.2775)),
        ((0, 20), (10, 10), (0.6791, 1.0)),
    ],
)
def test_newcombes_own_examples(before: tuple[int, int], now: tuple[int, int], interval: tuple[float, float]) -> None:
    found = newcombe(*before, *now)
    assert found == pytest.approx(interval, abs=6e-4)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_interval_holds_the_difference_and_turns_with_its_sides(n: int, m: int, data: st.DataObject) -> None:
    k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    low, high = newcombe(k, n, j, m) or (1.0, -1.0)
    assert -1 <= low <= j / m - k / n <= high <= 1
    back = newcombe(j, m, k, n) or (1.0, -1.0)
    assert back == pytest.approx((-high, -low))


def test_no_requests_have_no_interval() -> None:
    assert newcombe(0, 0, 1, 10) is None
    assert newcombe(1, 10, 0, 0) is None
    assert newcombe(11, 10, 0, 10) is None


def test_the_interval_covers_as_often_as_it_says() -> None:
    def chance(k: int, n: int, p: float) -> float:
        return comb(n, k) * p**k * (1 - p) ** (n - k)

    n, m, p, q = 40, 60, 0.1, 0.25
    covered = sum(
        chance(k, n, p) * chance(j, m, q)
        for k in range(n + 1)
        for j in range(m + 1)
        if (found := newcombe(k, n, j, m)) and found[0] <= q - p <= found[1]
    )
    assert 0.93 < covered < 0.98


def row(found: Comparison, measure: str) -> Row:
    matching = [one for one in found.rows if one.measure == measure]
    assert len(matching) == 1, [one.measure for one in found.rows]
    return matching[0]


def test_counts_are_exact_and_differences_come_first() -> None:
    found = compare(*sides(BROKEN, GOOD))
    assert found.comparable
    assert found.rows[0].measure == "verdict"
    fault = row(found, "errors < 5%, while it was on")
    assert (fault.before, fault.now) == ("15% (300 of 2,000)", "0% (0 of 2,000)")
    assert (fault.beyond, fault.worse) == (True, False)
    differs = [one.differs for one in found.rows]
    assert differs == sorted(differs, reverse=True)
    assert [(one.name, one.before, one.now) for one in found.changes] == [("verdict", "fail", "pass")]


def test_when_an_alert_fired_is_compared() -> None:
    before, now = (dict(told(story, name).verdict or {}) for story, name in ((GOOD, OLD), (GOOD, NEW)))
    for verdict, fired in ((before, None), (now, 52_000)):
        first, *others = verdict["objectives"]
        verdict["objectives"] = [first | {"alert": {"name": "Burn", "fired_ms": fired}}, *others]
    found = compare(Side(run=OLD, verdict=before), Side(run=NEW, verdict=now))
    alert = row(found, "alert fires after")
    assert (alert.before, alert.now, alert.worse) == ("not reached", "52 s", False)


def test_what_chance_can_do_is_within_chance() -> None:
    one_less = Story(rows=rows(lambda slot: int(slot % 40 == 0 and slot != 320)))
    fault = row(compare(*sides(FEW, one_less)), "errors < 5%, while it was on")
    assert (fault.differs, fault.beyond) == (True, False)


def test_other_experiments_are_not_comparable_and_say_in_what() -> None:
    before = told(BROKEN, OLD, digest="e", experiment=experiment(phases={"warmup": "0s", "baseline": "40s"}))
    found = compare(side_of(before), side_of(told(GOOD)))
    assert not found.comparable
    assert found.why == ("phases.baseline: 40s before, 20s now; phases.recovery: none before, 30s now",)
    assert row(found, "errors < 5%, while it was on").beyond is None
    assert row(found, "errors < 5%, while it was on").interval


def test_a_run_is_the_same_as_itself() -> None:
    found = compare(*sides(BROKEN, BROKEN))
    assert not any(one.differs or one.beyond for one in found.rows)
    assert found.changes == ()
    assert [one.status for one in found.findings.present] == ["unchanged"]


def test_previous_json_gives_the_same_comparison_as_the_run_itself(tmp_path: Path) -> None:
    before = write_run(tmp_path / OLD, replace(BROKEN.run(), name=OLD))
    now = write_run(tmp_path / NEW, replace(GOOD.run(), name=NEW))
    kept = previous_of(now)
    assert kept is not None
    side = side_of(read_run(now))
    from_previous = compare(side_of_previous(json.loads(json.dumps(kept))), side, why=kept["why"])
    from_run = compare(side_of(read_run(before)), side)
    assert from_previous.rows == from_run.rows
    assert from_previous.changes == from_run.changes
    assert from_previous.findings == from_run.findings


def verdict(story: Story) -> dict[str, Any]:
    return copy.deepcopy(dict(told(story).verdict or {}))


def test_findings_are_new_unchanged_fixed_or_not_proven_fixed() -> None:
    broken, good = verdict(BROKEN), verdict(GOOD)
    assert [one.status for one in statuses(broken, None).present] == ["new"]
    assert [one.status for one in statuses(broken, good).present] == ["new"]
    assert [one.status for one in statuses(broken, broken).present] == ["unchanged"]
    assert [one.status for one in statuses(good, broken).gone] == ["fixed"]
    assert [one.title for one in statuses(good, broken).good] == [
        "available is proven now; it was broken in the run before"
    ]
    unsure = verdict(GOOD)
    unsure["objectives"][0]["verdict"] = "inconclusive"
    assert [one.word for one in statuses(unsure, broken).gone] == ["Not proven fixed"]


def test_a_finding_that_is_back_has_regressed() -> None:
    broken, good = verdict(BROKEN), verdict(GOOD)
    earlier = [{"run": "r", "findings": [broken["findings"][0]["fingerprint"]]}]
    assert [one.status for one in statuses(broken, good, earlier=earlier).present] == ["regressed"]
    assert statuses(broken, good, earlier=earlier).of(broken["findings"][0]["fingerprint"]) == "Regressed"
    assert statuses(broken, good).of("unknown") == ""


def test_severity_then_the_shares_say_whether_it_is_better() -> None:
    broken, worse = verdict(BROKEN), verdict(Story(rows=rows(between(30_000, 60_000, 3))))
    assert [one.status for one in statuses(worse, broken).present] == ["regressed"]
    assert [one.status for one in statuses(broken, worse).present] == ["improved"]
    assert [one.status for one in statuses(broken, worse, comparable=False).present] == ["unchanged"]
    milder = copy.deepcopy(worse)
    milder["findings"][0]["severity"] = "medium"
    assert [one.status for one in statuses(milder, broken).present] == ["improved"]


def test_what_is_better_beyond_chance_is_told() -> None:
    few, good = verdict(FEW), verdict(GOOD)
    assert [one.title for one in statuses(good, few).good] == [
        "available (errors < 5%): 0% bad while the fault was on; 0.5% in the run before"
    ]
    assert statuses(few, good).good == ()
    slow = verdict(GOOD)
    slow["objectives"][0]["recovery"]["seconds"] = 12.0
    assert [one.title for one in statuses(good, slow).good] == [
        "available recovered at once; it took 12 s in the run before"
    ]
    slow["objectives"][0]["recovery"]["seconds"] = 1.5
    assert statuses(good, slow).good == ()


def test_the_same_runs_give_the_same_bytes() -> None:
    pair = told(BROKEN, OLD), told(GOOD)
    for form in (TextComparison(), JsonComparison(), MarkdownComparison(), HtmlComparison()):
        assert form.render(*pair) == form.render(*pair)
    document = json.loads(JsonComparison().render(*pair))
    assert document["schema"] == "gameday/comparison/1"
    assert [one["status"] for one in document["findings"]] == ["fixed"]
    with pytest.raises(ValueError, match="judge it first"):
        TextComparison().render(replace(pair[0], verdict=None), pair[1])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_make_no_line_and_no_control_character(text: str) -> None:
    pair: list[Run] = []
    for name in (OLD, NEW):
        run = told(BROKEN if name == OLD else GOOD, name)
        bent = json.loads(json.dumps(run.verdict))
        bent["title"] = bent["objectives"][0]["name"] = text
        for finding in bent["findings"]:
            finding["title"] = finding["fingerprint"] = text
        pair.append(replace(run, verdict=bent, name=name))
    plain = TextComparison().render(*pair).decode()
    calm = TextComparison().render(told(BROKEN, OLD), told(GOOD)).decode()
    assert plain.count("\n") == calm.count("\n")
    assert all(line.isprintable() for line in plain.splitlines())
    json.loads(JsonComparison().render(*pair))
    page = HtmlComparison().render(*pair).decode()
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<tr>") == HtmlComparison().render(told(BROKEN, OLD), told(GOOD)).decode().count("<tr>")
    assert not re.search(r"\sstyle=|\son\w+=\"|[\x1b\u202e]", page)
    marked = MarkdownComparison().render(*pair).decode()
    calm_marked = MarkdownComparison().render(told(BROKEN, OLD), told(GOOD)).decode()
    assert marked.count("\n") == calm_marked.count("\n")
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(marked)
    assert not re.search(r"<(script|img|a|b)\b", shown)


def call(*words: str) -> Result:
    return CliRunner().invoke(compare_command, words)


def test_the_command_writes_nothing_and_needs_no_verdict(tmp_path: Path) -> None:
    before = write_run(tmp_path / OLD, replace(BROKEN.run(), name=OLD))
    now = write_run(tmp_path / NEW, replace(GOOD.run(), name=NEW))
    (now / "verdict.json").unlink()
    files = sorted(path for path in tmp_path.rglob("*"))
    done = call(str(before), str(now))
    assert done.exit_code == 0, done.output
    assert "errors < 5%, while it was on: 15% (300 of 2,000) -> 0% (0 of 2,000)" in done.output
    assert sorted(path for path in tmp_path.rglob("*")) == files
    assert json.loads(call(str(before), str(now), "--format", "json").output)["comparable"] is True


def test_what_is_no_run_folder_is_named(tmp_path: Path) -> None:
    path = write_run(tmp_path / OLD, replace(GOOD.run(), name=OLD))
    (tmp_path / "other").mkdir()
    done = call(str(path), str(tmp_path / "other"))
    assert "is not a run folder" in str(done.exception)
    assert "did you mean 'text'" in str(getattr(call(str(path), str(path), "--format", "txt").exception, "hint", ""))
