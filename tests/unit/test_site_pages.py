"""The pages of a site: what is proven, what is stale, what is open, and that nothing a run wrote can act in them."""

from __future__ import annotations

import copy
import html
import json
import re
from typing import Any, cast

import pytest

from gameday.judge import judge
from gameday_reports.site.hypotheses import DAY, hypotheses, standing
from gameday_reports.site.openfindings import open_findings, overdue
from gameday_reports.site.pages import StaticSite
from gameday_reports.site.record import record_of
from gameday_reports.site.trend import draw_trend, in_words
from tests.fakes.many_runs import NOW, verdicts
from tests.fakes.stories import Story, frame
from tests.unit.test_comparison import HOSTILE


def record(
    ending: str = "pass", /, *, title: str = "T", age: float = 1.0, remarks: Any = None, **change: Any
) -> dict[str, Any]:
    """The record of a run that ended like this so many days ago."""
    verdict = copy.deepcopy(verdicts()[ending]) | {"title": title, "started_wall": NOW - age * DAY} | change
    plan = {"run_id": f"run-{title}-{age}", "experiment": {"title": title}, "environment": {"gameday": "0.1.0"}}
    made: dict[str, Any] = record_of(plan, verdict, remarks or {})
    return {**made, "report": f"runs/{made['run']}/report.html"}


def pages(*records: dict[str, Any], **change: Any) -> dict[str, str]:
    made = StaticSite().pages(records, change.pop("unreadable", ()), now=NOW, stale_days=30, **change)
    return {name: data.decode() for name, data in made.items()}


def texts(page: str) -> str:
    """What a reader sees, on one line."""
    seen = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(seen))


def test_the_one_line() -> None:
    found = hypotheses(
        [
            record("pass", title="a"),
            record("fail", title="b"),
            record("late", title="c"),
            record("inconclusive", title="d"),
            record("pass", title="e", age=31),
            record("aborted", title="f"),
            record("dirty", title="g"),
        ],
        now=NOW,
        stale_days=30,
    )
    assert standing(found) == "1 of 7 proven; 1 dirty, 2 failing, 1 aborted, 1 inconclusive, 1 stale"
    assert [one.title for one in found] == ["g", "b", "c", "f", "d", "e", "a"]
    assert standing(()) == "0 of 0 proven"


def test_the_latest_run_decides_and_an_old_or_undated_pass_proves_nothing() -> None:
    def state(*records: dict[str, Any]) -> str:
        (one,) = hypotheses(records, now=NOW, stale_days=30)
        return one.state

    assert state(record("pass", age=1), record("fail", age=2)) == "proven"
    assert state(record("pass", age=2), record("fail", age=1)) == "failing"
    assert state(record("pass", age=29.9)) == "proven"
    assert state(record("pass", age=30.1)) == "stale"
    assert state(record("fail", age=300)) == "failing"
    assert state(record("pass", started_wall=None)) == "stale"
    assert state(record(verdict="excellent")) == "inconclusive"


def test_a_check_of_the_steady_state_is_no_test_of_the_hypothesis() -> None:
    events = [told for told in frame() if told[0] <= 25_500]
    checked = judge(
        Story(
            events=[
                *events,
                (25_600, "skipped", {"what": "faults", "why": "check"}),
                (26_000, "phase", {"name": "end"}),
            ]
        ).run()
    )
    assert checked["verdict"] == "inconclusive"
    (one,) = hypotheses([record("pass", age=2), record(age=1, **checked | {"title": "T"})], now=NOW, stale_days=30)
    assert (one.state, len(one.runs)) == ("proven", 1)
    assert len(hypotheses([record("inconclusive")], now=NOW, stale_days=30)) == 1
    assert [record(ending)["check"] for ending in verdicts()] == [False] * len(verdicts())
    refused = judge(
        Story(events=[told for told in frame() if told[0] <= 0]).add(10, "refused", reason="person", detail="x").run()
    )
    assert record(**refused)["check"] is False


def test_combinations_of_a_matrix_are_hypotheses_of_their_own() -> None:
    one, two = record(), record()
    one["variant"], two["variant"] = {"rate": "1/s"}, {"rate": "9/s"}
    found = hypotheses([one, two], now=NOW, stale_days=30)
    assert [h.name for h in found] == ["T (rate=1/s)", "T (rate=9/s)"]
    assert len({h.anchor for h in found}) == 2


def test_figures_are_those_of_the_verdict() -> None:
    verdict = verdicts()["fail"]
    phase = verdict["objectives"][0]["criteria"][0]["phases"]["fault"]
    seen = texts(pages(record("fail"))["index.html"])
    times = phase["k"] / phase["n"] / phase["budget"]
    assert f"{times:.3g}× its limit" in seen
    assert f"available: errors < 5%, n = {phase['n']:,}" in seen
    assert f"overspent {verdict['objectives'][0]['budget']['used']:.3g}×" in seen
    held = texts(pages(record("pass"))["index.html"])
    good = verdicts()["pass"]["objectives"][0]["criteria"][0]["phases"]["fault"]
    assert f"{100 * (1 - good['k'] / good['n'] / good['budget']):.3g}% left" in held
    assert "recovered at once" in held
    assert "recovered after 16 s, 15 s allowed" in texts(pages(record("late"))["index.html"])


def opened(*records: dict[str, Any]) -> list[tuple[str, str]]:
    found = open_findings(hypotheses(records, now=NOW, stale_days=30))
    return [(one.status, one.finding["title"]) for one in found]


FAILED = "payments-down: the system failed for 44% of requests (1 in 2.2), 5% allowed"


def test_a_finding_is_open_until_a_run_proves_it_gone() -> None:
    assert opened(record("fail", age=1)) == [("new", FAILED)]
    assert opened(record("fail", age=2), record("fail", age=1)) == [("unchanged", FAILED)]
    assert opened(record("fail", age=2), record("pass", age=1)) == []
    assert opened(record("fail", age=3), record("pass", age=2), record("fail", age=1)) == [("regressed", FAILED)]
    still = opened(record("fail", age=2), record("inconclusive", age=1))
    assert ("unproven", FAILED) in still


def test_since_when_and_how_often() -> None:
    seen = texts(pages(record("fail", age=9), record("fail", age=1))["oncall.html"])
    assert "(9 days ago), in 2 runs" in seen
    assert "Unchanged" in seen


def test_overdue_is_a_day_that_has_passed_of_what_is_still_open() -> None:
    fingerprint = verdicts()["fail"]["findings"][0]["fingerprint"]

    def late(due: str, ending: str = "fail") -> int:
        remarks = {fingerprint: {"owner": "team-x", "due": due, "ticket": "CHK-1"}}
        found = hypotheses([record("fail", age=2), record(ending, age=1, remarks=remarks)], now=NOW, stale_days=30)
        return len(overdue(open_findings(found), NOW))

    assert late("2026-11-17") == 1
    assert late("2026-11-18") == 0  # today there is still time
    assert late("2026-11-19") == 0
    assert late("2026-10-01", "pass") == 0
    assert late("no day") == 0


def test_the_on_call_page_says_who_has_it_and_what_is_next() -> None:
    fingerprint = verdicts()["fail"]["findings"][0]["fingerprint"]
    remarks = {fingerprint: {
        "owner": "team-x", "due": "2026-11-01", "ticket": "https://t.example.com/1", "action": "Set a deadline.", "cause": "No deadline.",
    }}  # fmt: skip
    page = pages(record("fail", remarks=remarks))["oncall.html"]
    seen = texts(page)
    assert "Overdue actions (1)" in seen
    for words in ("Set a deadline.", "No deadline.", "team-x", "2026-11-01 17 days late"):
        assert words in seen
    assert '<a href="https://t.example.com/1" rel="noopener noreferrer">' in page
    assert f'href="runs/{record("fail")["run"]}/report.html#finding-1"' in page


def test_what_may_still_be_on_comes_first() -> None:
    page = pages(record("dirty"))["oncall.html"]
    seen = texts(page)
    assert seen.index("A fault may still be on") < seen.index("On call")
    assert "gameday recover " in seen
    assert "<title>DIRTY" in page
    assert "A fault may still be on" not in texts(pages(record("dirty", age=2), record("pass", age=1))["oncall.html"])


def test_nothing_at_all_is_said_plainly() -> None:
    made = pages(unreadable=[("damaged", "it has no readable plan.json")])
    assert "Nothing has been run yet" in made["index.html"]
    assert "No finding is open" in made["oncall.html"]
    for page in made.values():
        assert "damaged" in texts(page)
        assert "it has no readable plan.json" in texts(page)


def test_the_trend_says_in_words_what_it_draws() -> None:
    runs = [record(ending, age=9 - index) for index, ending in enumerate(("pass", "fail", "inconclusive", "pass"))]
    drawn = draw_trend(runs)
    assert in_words(runs) == "4 runs: 2 pass, 1 fail, 1 inconclusive; the latest three: fail, inconclusive, pass"
    assert in_words(runs) in drawn
    assert drawn.count("<rect") == 4
    assert draw_trend(runs * 20).count("<rect") == 24
    assert draw_trend([record(verdict="odd")]).count("<rect") == 1


def test_the_same_records_give_the_same_bytes() -> None:
    several = [record("pass"), record("fail", title="b"), record("dirty", title="c")]
    assert pages(*several) == pages(*reversed(several))


def spoil(value: Any, text: str) -> Any:
    """Put a text in the place of every text."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [spoil(item, text) for item in items]
    if isinstance(value, dict):
        return {key: spoil(item, text) for key, item in cast("dict[str, Any]", value).items()}
    return value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_in_every_field_are_inert(text: str) -> None:
    verdict = spoil(copy.deepcopy(verdicts()["fail"]), text) | {"verdict": "fail"}
    verdict["findings"][0]["severity"] = "high"
    verdict["residue"] = [{"fault": text, "targets": [text], "command": text}]
    plan = spoil({"run_id": "r", "variant": {"a": "b"}, "experiment": {
        "title": "t", "hypothesis": "h", "owner": "o", "tags": ["t"], "runbook": "r",
    }, "environment": {"gameday": "0"}}, text)  # fmt: skip
    plan["variant"] = {text: text}
    remark: dict[str, str] = dict.fromkeys(("owner", "due", "ticket", "action", "cause", "note", "kind"), text)
    made = record_of(plan, verdict, {text[:100]: remark, verdict["findings"][0]["fingerprint"]: remark})
    made = json.loads(json.dumps(made)) | {"report": f"runs/{text[:50]}/report.html"}
    calm = pages(record("fail"))
    for name, page in pages(made, unreadable=[(text, text)]).items():
        assert "<script" not in page
        assert (
            "onerror=alert" not in html.unescape(re.sub(r">[^<]*<", "><", page)).replace('"', "") or "<img" not in page
        )
        assert "<img" not in page
        assert not re.search(r"href=\"(?!https?://|[\w#.%/-]+\")", page)
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert not re.search(r"\sstyle=|\son\w+=\"", page)
        assert len(page) < len(calm[name]) + 120_000


def test_damaged_verdicts_make_records_and_pages_all_the_same() -> None:
    odd: list[Any] = [None, 7, "x", [], {}, [None], [7], {"a": None}, float("nan")]
    whole = verdicts()["fail"]
    for key in whole:
        for value in odd:
            made = record_of({"run_id": "r"}, whole | {key: value}, {})
            assert pages(made)
    for value in odd:
        bent = copy.deepcopy(whole)
        bent["objectives"][0] = value
        bent["findings"] = [value]
        assert pages(record_of({"experiment": value, "variant": value, "environment": value}, bent, {}))
