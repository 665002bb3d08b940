"""The HTML report: what it says is what was judged, in its order, and it is the same bytes each time."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from gameday.judge import verdict_schema
from gameday.model import Histogram, LoadRow
from gameday.spi import Renderer
from gameday_reports import words
from gameday_reports.html import HtmlReport
from tests.fakes.page import Page, assert_inert, render
from tests.fakes.sample_facts import OUTCOMES, Outcome
from tests.fakes.sample_run import sample_run, small_run


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_title_starts_with_the_verdict_and_the_page_is_inert(outcome: Outcome) -> None:
    page = HtmlReport().render(small_run(outcome))
    assert_inert(page)
    word = {
        "pass": "Passed",
        "fail": "Failed",
        "inconclusive": "Inconclusive",
        "aborted": "Aborted",
        "dirty": "DIRTY: a fault may still be on",
    }[outcome]
    assert Page(page).title == f"{word} · Checkout survives a payments outage"
    assert b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'" in page
    summary = Page(page).text("summary")
    assert word in summary
    for other in set(words.VERDICTS.values()) - {word}:
        assert other not in summary


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_rendering_twice_gives_the_same_bytes(outcome: Outcome) -> None:
    assert HtmlReport().render(small_run(outcome)) == HtmlReport().render(small_run(outcome))


def test_it_is_a_renderer() -> None:
    report = HtmlReport()
    assert isinstance(report, Renderer)
    assert (report.name, report.filename) == ("html", "report.html")
    with pytest.raises(ValueError, match="not been judged"):
        report.render(small_run(verdict=None))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_numbers_on_the_page_are_those_of_the_verdict(outcome: Outcome) -> None:
    run = small_run(outcome)
    page, verdict = render(run), run.verdict
    assert verdict is not None
    for index, objective in enumerate(verdict["objectives"], 1):
        row = page.text(f"objective-{index}")
        assert objective["name"] in row
        assert {"pass": "Kept", "fail": "Broken", "inconclusive": "Not judged"}[objective["verdict"]] in row
        for criterion in objective["criteria"]:
            for name in ("baseline", "fault"):
                if name in criterion["phases"]:
                    phase = criterion["phases"][name]
                    assert f"{phase['k']:,} of {phase['n']:,} failed" in row
                    assert f"allowed {words.percent(phase['budget'])}" in row
        if objective["recovery"]["from_ms"] is not None:
            seconds = objective["recovery"]["seconds"]
            assert (
                "not reached"
                if seconds is None
                else "at once"
                if not seconds
                else f"after {words.duration(seconds * 1000)}"
            ) in row
        if objective["budget"]["total"]:
            assert f"{objective['budget']['bad']:,} of {objective['budget']['total']:,} bad" in row
    load = page.text("load")
    for endpoint in verdict["load"]["by_endpoint"]:
        assert (
            f"{endpoint['name']} {endpoint['n']:,} {endpoint['bad']:,} {words.percent(endpoint['bad'] / endpoint['n'])}"
            in load
        )
        assert (
            f"{words.latency(endpoint['p50_ms'])} {words.latency(endpoint['p95_ms'])} {words.latency(endpoint['p99_ms'])}"
            in load
        )
    assert verdict["summary"] in page.text("summary")
    assert f"{verdict['load']['offered']:,} requests" in load


def test_the_harm_line_and_the_chart_are_counted_from_the_load() -> None:
    run = small_run("fail")
    assert run.verdict is not None
    page = render(run)
    name, harm = max(
        (
            (objective["name"], criterion["phases"]["fault"])
            for objective in run.verdict["objectives"]
            for criterion in objective["criteria"]
        ),
        key=lambda found: found[1]["k"] / found[1]["n"],
    )
    assert (
        f"While the fault was on, {words.percent(harm['k'] / harm['n'])} of the requests were bad for {name} "
        f"({harm['k']:,} of {harm['n']:,})"
    ) in page.text("summary")
    worst: dict[int, list[int]] = {}
    for row in run.load.rows:
        if row.endpoint == "checkout":
            second = worst.setdefault(row.slot // 10, [0, 0])
            second[0] += row.count if row.kind != "ok" else 0
            second[1] += row.count
    share = max(bad / n for bad, n in worst.values())
    assert f"to {words.percent(share)}. Limit 0.5% and 5%." in page.text("chart-m1-desc")


def test_tiles_say_not_reached_and_the_worst_budget() -> None:
    run = small_run("fail")
    assert run.verdict is not None
    summary = render(run).text("summary")
    assert "Time to recover, slowest objective not reached checkout-fast" in summary
    worst = max(run.verdict["objectives"], key=lambda objective: objective["budget"]["used"])
    assert f"{words.budget(worst['budget']['used'])} {worst['name']}" in summary
    assert "2 of 3 judged objectives broken" in summary
    assert "1 of 1 injected fault reverted and proven gone" in summary


def test_dirty_is_the_first_thing_on_the_page_with_the_exact_command() -> None:
    run = small_run("dirty")
    assert run.verdict is not None
    body = render(run).text()
    command = run.verdict["residue"][0]["command"]
    assert body.index("DIRTY: a fault may still be on") < body.index(command) < body.index(run.verdict["title"])
    assert run.verdict["residue"][0]["targets"][0] in body
    assert "NOT proven gone" in body
    nameless = replace(run, verdict={**run.verdict, "residue": []})
    assert f"gameday recover {run.name}" in render(nameless).text()


@pytest.mark.parametrize("outcome", [outcome for outcome in OUTCOMES if outcome != "dirty"])
def test_only_dirty_runs_sound_the_alarm(outcome: Outcome) -> None:
    assert b'class="alarm"' not in HtmlReport().render(small_run(outcome))


def test_an_aborted_run_names_its_broken_objectives_and_its_guard() -> None:
    page = render(small_run("aborted"))
    assert "Also proven broken: checkout-available, checkout-fast" in page.text("summary")
    assert "stopped the run at" in page.text("faults")
    assert "168 requests lost beyond it" in page.text("faults")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_sample_has_the_shape_that_the_judge_publishes(outcome: Outcome) -> None:
    jsonschema.validate(small_run(outcome).verdict, verdict_schema())


def test_an_hour_stays_under_300_kb() -> None:
    """Half the requests of the bench are enough: the page is bounded by pixels, not by samples."""
    found = tuple(
        LoadRow(slot=slot, endpoint=endpoint, kind="ok" if slot % 3 else "timeout", count=1, slower={300_000: slot % 2})
        for slot in range(30, 36_030, 2)
        for endpoint in ("browse", "checkout")
    )
    histograms = tuple(
        Histogram(second=second, endpoint=endpoint, count=1, sum_ms=1, buckets={1 + second * 7919 % 900: 1})
        for second in range(3, 3_603)
        for endpoint in ("browse", "checkout")
    )
    run = sample_run("fail", baseline_s=1_200, fault_s=1_200, recovery_s=2)
    page = HtmlReport().render(replace(run, load=replace(run.load, rows=found, histograms=histograms)))
    assert len(page) <= 300_000


def test_the_page_has_the_sections_a_reader_looks_for_in_order() -> None:
    page = render(small_run())
    sections = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert sections == [
        "summary",
        "findings",
        "actions",
        "objectives",
        "charts",
        "timeline",
        "faults",
        "load",
        "compare",
        "reproduce",
        "data",
    ]
    anchors = {attributes.get("id") for _, attributes in page.tags}
    assert {
        attributes["href"][1:] for _, attributes in page.tags if attributes.get("href", "").startswith("#")
    } <= anchors
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "gameday run experiments/dependency/payments-outage.yaml --seed 1" in page.text("reproduce")
    assert (
        json.loads(page.text("reproduce").split("The resolved experiment ")[1])["title"]
        == "Checkout survives a payments outage"
    )
    assert "samples.ndjson" in page.text("data")
