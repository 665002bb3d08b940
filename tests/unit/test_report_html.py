"""The HTML report: what it says is what was judged, whatever it is given cannot act, and it is the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any, cast

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.judge import judge, to_bytes, verdict_schema
from gameday.model import Event, GaugeSample, Histogram, LoadRow, LoadSeries, Run, Verdict
from gameday.spi import Renderer
from gameday_reports import words
from gameday_reports.html import HtmlReport
from gameday_reports.view import report_view
from tests.fakes.sample_run import OUTCOMES, Outcome, sample_run
from tests.fakes.showcase import showcase
from tests.fakes.stories import Story, between, rows

TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "figure",
    "p",
    "code",
    "bdi",
    "header",
    "nav",
    "ul",
    "ol",
    "li",
    "main",
    "section",
    "article",
    "span",
    "strong",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "pre",
    "details",
    "summary",
    "footer",
    "time",
    "svg",
    "desc",
    "g",
    "rect",
    "line",
    "path",
    "circle",
    "text",
}
VOID = {"meta", "link", "img", "input", "br", "hr", "base"}
LINKS = {
    "experiment.yaml",
    "plan.json",
    "journal.ndjson",
    "samples.ndjson",
    "verdict.json",
    "junit.xml",
    "previous.json",
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "</title><base href=//evil.example>",
    "\u202eteh si tluaf eht\u202c \u2066x",
    "\x00\x07\x1b[31mred\x9f\ud800",
    "javascript:alert(1)",
    "{{ view.__class__ }} {% for %} ${token}",
    "A" * 10_000,
    "<!-- --> ]]> &lt;script&gt; &#60;",
]


class Page(HTMLParser):
    """A parsed page: its tags with attributes, its text, and the text below each id."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.below: dict[str, list[str]] = {}
        self.title = ""
        self._open: list[tuple[str, str]] = []
        self.feed(page.decode())
        self.close()
        assert [tag for tag, _ in self._open] == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, found.get("id", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if [tag for tag, _ in self._open] == ["html", "head", "title"]:
            self.title += data
        for tag, name in {*self._open}:
            if name or tag in ("body", "h1"):
                self.below.setdefault(name or tag, []).append(data)

    def text(self, name: str = "body") -> str:
        return re.sub(r"\s+", " ", " ".join(self.below.get(name, []))).strip()


def render(run: Run) -> Page:
    return Page(HtmlReport().render(run))


def small(outcome: Outcome = "fail", **changes: Any) -> Run:
    return replace(sample_run(outcome, baseline_s=6, fault_s=6, recovery_s=14), **changes)


def assert_inert(page: bytes) -> None:
    """No tag and no attribute but ours, nothing that runs, nothing that loads."""
    found = Page(page)
    assert {tag for tag, _ in found.tags} <= TAGS
    assert sum(tag == "style" for tag, _ in found.tags) == 1
    for tag, attributes in found.tags:
        assert not any(
            name.startswith("on") or name in ("style", "src", "srcdoc", "xlink:href", "action", "formaction")
            for name in attributes
        )
        if "href" in attributes:
            href = attributes["href"]
            assert tag == "a"
            if "download" in attributes:
                assert re.fullmatch(r"data:text/csv;charset=utf-8;base64,[A-Za-z0-9+/]+=*", href)
                continue
            assert href.startswith("#") or href in LINKS or re.fullmatch(r"https?://[^\s\"'<>]+", href, re.IGNORECASE)
    lowered = page.lower()
    for word in (b"<script", b"style=", b"<img", b"<iframe", b"<link", b"<base", b"url(", b"@import"):
        assert word not in lowered
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", page)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.decode())


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_title_starts_with_the_verdict_and_the_page_is_inert(outcome: Outcome) -> None:
    page = HtmlReport().render(small(outcome))
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
    assert HtmlReport().render(small(outcome)) == HtmlReport().render(small(outcome))


def test_it_is_a_renderer() -> None:
    report = HtmlReport()
    assert isinstance(report, Renderer)
    assert (report.name, report.filename) == ("html", "report.html")
    with pytest.raises(ValueError, match="not been judged"):
        report.render(small(verdict=None))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_numbers_on_the_page_are_those_of_the_verdict(outcome: Outcome) -> None:
    run = small(outcome)
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
    run = small("fail")
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
    run = small("fail")
    assert run.verdict is not None
    summary = render(run).text("summary")
    assert "Time to recover, slowest objective not reached checkout-fast" in summary
    worst = max(run.verdict["objectives"], key=lambda objective: objective["budget"]["used"])
    assert f"{words.budget(worst['budget']['used'])} {worst['name']}" in summary
    assert "2 of 3 judged objectives broken" in summary
    assert "1 of 1 injected fault reverted and proven gone" in summary


def test_dirty_is_the_first_thing_on_the_page_with_the_exact_command() -> None:
    run = small("dirty")
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
    assert b'class="alarm"' not in HtmlReport().render(small(outcome))


def test_an_aborted_run_names_its_broken_objectives_and_its_guard() -> None:
    page = render(small("aborted"))
    assert "Also proven broken: checkout-available, checkout-fast" in page.text("summary")
    assert "stopped the run at" in page.text("faults")
    assert "168 requests lost beyond it" in page.text("faults")


def test_a_lost_runner_is_told() -> None:
    page = render(small("pass", closed=False, torn=True, load=replace(small().load, said_bye=False)))
    assert "The journal has no closing record" in page.text("summary")
    assert "torn" in page.text("summary")
    assert "stream broke off" in page.text("summary")


@pytest.mark.parametrize(
    ("runbook", "linked"),
    [
        ("https://runbooks.example.com/a?b=c", True),
        ("HTTP://x.example/y", True),
        ("runbooks/payments.md", False),
        ("javascript:alert(1)", False),
        ("https://x.example/\" onclick='alert(1)'", False),
        ("data:text/html,<script>", False),
        (" https://x.example", False),
    ],
)
def test_only_http_addresses_become_links(runbook: str, linked: bool) -> None:
    run = small()
    page = HtmlReport().render(replace(run, experiment={**run.experiment, "runbook": runbook}))
    assert_inert(page)
    targets = [found["href"] for tag, found in Page(page).tags if tag == "a" and "download" not in found]
    assert (runbook in targets) == linked
    assert not [
        target for target in targets if ":" in target and not target.lower().startswith(("http://", "https://"))
    ]


def spoilt(value: Any, spoil: str) -> Any:
    """The same structure with every text and every key of free choice replaced."""
    if isinstance(value, dict):
        return {key: spoilt(item, spoil) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [spoilt(item, spoil) for item in cast("Sequence[Any]", value)]
    return spoil if isinstance(value, str) else value


def spoilt_run(spoil: str) -> Run:
    run = small("dirty")
    assert run.verdict is not None
    verdict = spoilt(deepcopy(run.verdict), spoil)
    verdict["load"]["by_endpoint"][0]["kinds"] = {spoil: 3, "ok": 2}
    closed_lists = {"verdict": "dirty", "reasons": ["residue", spoil]}
    events = tuple(
        replace(event, kind=event.kind if event.seq % 3 else spoil, data=spoilt(dict(event.data), spoil))
        for event in run.events
    )
    spoilt_rows = tuple(replace(row, endpoint=spoil) for row in run.load.rows)
    plan = spoilt(deepcopy(run.plan), spoil)
    before = earlier_run()
    verdict["objectives"][0]["alert"] = spoilt(dict(showcase_alert()), spoil)
    verdict["objectives"][0]["criteria"] = []
    return replace(
        run,
        name=spoil,
        head=spoil,
        verdict={**verdict, **closed_lists},
        experiment={**spoilt(deepcopy(run.experiment), spoil), spoil: spoil},
        plan={**plan, "environment": {spoil: spoil}},
        events=events,
        load=replace(run.load, rows=spoilt_rows),
        gauges=(
            GaugeSample(sli=spoil, at_ms=20_000, value=1.0),
            GaugeSample(sli=spoil, at_ms=21_000, value=None, error=spoil),
        ),
        previous={**spoilt(before, spoil), "series": {spoil: before["series"]["checkout"]}},
        remarks={
            spoil: dict.fromkeys(("owner", "due", "ticket", "action", "kind", "cause", "note"), spoil),
            f"{spoil}2": {},
        },
        remarks_wrong=(spoil,),
    )


@cache
def earlier_run() -> Any:
    return showcase("fail").previous


@cache
def showcase_alert() -> Any:
    return (showcase("fail").verdict or {})["objectives"][-1]["alert"]


@pytest.mark.parametrize("spoil", HOSTILE)
def test_hostile_text_in_every_field_is_inert(spoil: str) -> None:
    page = HtmlReport().render(spoilt_run(spoil))
    assert_inert(page)
    assert Page(page).title.startswith("DIRTY: a fault may still be on · ")
    assert len(page) < 1_500_000


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=40))
def test_any_text_in_every_field_is_inert(spoil: str) -> None:
    assert_inert(HtmlReport().render(spoilt_run(spoil)))


def test_a_hostile_title_is_shown_and_bounded() -> None:
    run = small()
    page = render(replace(run, verdict={**(run.verdict or {}), "title": "<b>bold</b> \u202e" + "x" * 10_000}))
    assert "<b>bold</b> ⟨U+202E⟩" in page.text("h1")
    assert len(page.text("h1")) < 400
    assert "(10,013 characters)" in page.text("h1")


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if before:
        yield before
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("Sequence[Any]", value))
    for key, item in items:
        yield from paths(item, (*before, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    found = deepcopy(value)
    at = found
    for key in path[:-1]:
        at = at[key]
    if new is KeyError and isinstance(at, dict):
        del at[path[-1]]
    else:
        at[path[-1]] = None if new is KeyError else new
    return found


@pytest.mark.parametrize("new", [KeyError, None, float("nan"), "?", {}, [], -1], ids=repr)
def test_a_verdict_with_any_part_missing_or_wrong_still_renders(new: Any) -> None:
    run = small("inconclusive", load=LoadSeries())
    assert run.verdict is not None
    verdict = {
        **run.verdict,
        "findings": (small("fail").verdict or {})["findings"],
        "objectives": (small("fail").verdict or {})["objectives"][:1],
    }
    for path in paths(verdict):
        damaged = replace(run, verdict=changed(verdict, path, new))
        page = HtmlReport().render(damaged).decode()
        assert "<title>Inconclusive" in page, path


@pytest.mark.parametrize("word", ["", "PASSED", "ok", "green", None, 0])
def test_a_verdict_word_we_do_not_know_is_never_green(word: object) -> None:
    run = small("pass")
    view = report_view(replace(run, verdict={**(run.verdict or {}), "verdict": word}))
    assert view.verdict is Verdict.INCONCLUSIVE


def test_an_empty_run_renders() -> None:
    page = render(Run(name="r", experiment={}, plan={}, events=(), head="", closed=False, verdict={}))
    assert page.title == "Inconclusive · r"
    assert "No fault was injected" in page.text("summary")
    assert "no data" in page.text("charts")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_sample_has_the_shape_that_the_judge_publishes(outcome: Outcome) -> None:
    jsonschema.validate(small(outcome).verdict, verdict_schema())


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


def test_every_kind_of_the_journal_is_told_in_words() -> None:
    with open("docs/run-folder.md", encoding="utf-8") as file:  # noqa: PTH123 - tests run in the checkout
        table = file.read().split("## journal.ndjson")[1].split("## samples.ndjson")[0]
    kinds = re.findall(
        r"`([a-z-]+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    )
    assert len(kinds) > 25
    events = tuple(Event(seq=n, kind=kind, at_ms=n, wall=1.79e9, data={"fault": "f"}) for n, kind in enumerate(kinds))
    told = report_view(small(events=events)).timeline
    assert len(told) == len(kinds)
    assert not [entry.text for kind, entry in zip(kinds, told, strict=True) if entry.text.startswith(f"{kind}:")]


def test_repeated_measurements_are_told_once_and_a_long_journal_is_cut_in_the_middle() -> None:
    held = [entry.text for entry in report_view(sample_run("fail")).timeline if "measured as still on" in entry.text]
    assert held == ["payments-down measured as still on 59 times since it was proven; this is the last."]
    events = tuple(Event(seq=n, kind="note", at_ms=n, wall=1.79e9, data={"text": f"note {n}"}) for n in range(5_000))
    told = report_view(small(events=events)).timeline
    assert len(told) == 401
    assert told[0].text == "note 0"
    assert told[-1].text == "note 4999"
    assert "4,600 more entries" in told[200].text


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
    page = render(small())
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
