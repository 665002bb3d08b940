"""The draft of a postmortem: what it says is what was recorded; people keep author and time; nothing from outside can act."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from gameday.gamedays.day.postmortem import game_day
from gameday.model import GameDay
from gameday.registry import postmortem, postmortems
from gameday.spi import GamedayError
from gameday_reports.postmortem.actions import actions
from gameday_reports.postmortem.agenda import HIDDEN, experiments, first_injected
from gameday_reports.postmortem.story import Story, story
from tests.fakes.sample_day import ANA, FIRST, SECOND, sample_day
from tests.fakes.sample_facts import WALL

GOLDEN = Path(__file__).parents[1] / "golden"
HOSTILE = (
    "</style></script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b[31m\u202eevil\u2028x",
    "| a |\n|---|\n[x](javascript:alert(1)) @everyone <b>",
)


def rendered(name: str, day: GameDay) -> str:
    return postmortem(name).render(day).decode()


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_the_bytes_are_the_committed_ones(name: str) -> None:
    found = postmortem(name).render(sample_day())
    file = GOLDEN / f"postmortem.{'html' if name == 'html' else 'md'}"
    if os.environ.get("GAMEDAY_UPDATE_GOLDEN"):
        file.write_bytes(found)
        pytest.fail(f"wrote {file.name}; look at it, unset GAMEDAY_UPDATE_GOLDEN and run again")
    assert found == file.read_bytes()


def test_both_forms_are_installed() -> None:
    assert postmortems() == ("html", "markdown")


def test_times_count_from_the_proven_injection_and_say_their_source() -> None:
    day = sample_day()
    found = story(day).times
    injected = first_injected(experiments(day)[0][1])
    assert injected is not None
    seconds = WALL + 42 - injected
    assert found[0].detect == (f"{seconds:.0f} s: noticed by dee@example.com (responder)",)
    assert found[0].mitigate[0].endswith("mitigated by dee@example.com (responder)")
    assert not found[1].detect, "marks of the first experiment are none of the second"


def test_a_mark_from_before_the_injection_detects_nothing() -> None:
    day = sample_day()
    early = [replace(one, data={**one.data, "at": WALL - 30}) if one.kind == "mark" else one for one in day.events]
    assert not story(replace(day, events=tuple(early))).times[0].by_person


def test_impact_is_counted_from_the_runs_own_samples() -> None:
    day = sample_day()
    for found, path in zip(story(day).impacts, (FIRST, SECOND), strict=True):
        slots = day.runs[path].load.rows
        assert found.total == sum(row.count for row in slots)
        assert found.bad == sum(row.count for row in slots if row.kind != "ok")
    assert story(day).impacts[0].bad > 0


def test_lessons_are_sorted_into_well_badly_and_lucky() -> None:
    lessons = story(sample_day()).lessons
    assert any("1 step of people done in time, 1 with evidence" in said for said in lessons.well)
    assert any("payments" in said.lower() for said in lessons.badly)
    assert any("a person saw it" in said for said in lessons.lucky)
    assert any("Nobody knew the runbook." in said and "ana@example.com" in said for said in lessons.said)


@pytest.mark.parametrize(
    ("outcome", "said"), [("late", "done late"), ("skipped", "not done"), ("failed", "failed"), (None, "not begun")]
)
def test_a_step_that_was_not_done_in_time_is_no_success(outcome: str | None, said: str) -> None:
    lessons = story(sample_day(outcome=outcome, why="nobody had access")).lessons
    assert any(f"“Fail over”: {said} (nobody had access)" in line for line in lessons.badly)
    assert not any("done in time" in line for line in lessons.well)


def test_actions_are_findings_with_their_remarks_and_notes_that_begin_with_action() -> None:
    found = actions(sample_day())
    assert found[0].owner == "ben"
    assert (found[0].due, found[0].ticket) == ("2026-10-01", "OPS-7")
    assert found[0].href.startswith(f"{FIRST}/report.html#finding-")
    assert found[-1].what == "page on the queue, not on errors"


def test_what_is_blind_is_not_named_before_the_debrief() -> None:
    stopped = replace(sample_day(over=False, debrief=False), verdict=sample_day().verdict)
    for day in (sample_day(over=False, debrief=False), stopped):
        for name in postmortems():
            text = rendered(name, day)
            assert "payments-down.yaml" not in text
            assert HIDDEN in text
    assert "payments-down.yaml" in rendered("markdown", sample_day(over=False, debrief=True))


def test_a_day_without_a_verdict_is_not_finished_and_never_green() -> None:
    told = story(sample_day(over=False))
    assert (told.headline, told.tone) == ("Not finished", "warn")


def test_a_residue_is_the_first_thing_that_is_said_a_blind_ones_too() -> None:
    day = sample_day(first="dirty", over=False, debrief=False)
    html, markdown = rendered("html", day), rendered("markdown", day)
    command = story(day).residues[0].command
    assert html.index("DIRTY: a fault may still be on") < html.index("<h1>")
    assert command in html
    assert command in markdown
    assert markdown.index(command) < markdown.index("## Impact")


def test_a_run_whose_folder_is_gone_is_said_and_is_no_success() -> None:
    day = replace(sample_day(), runs={})
    told = story(day)
    assert {one.verdict for one in told.impacts} == {"Its folder could not be read"}
    assert any("could not be read" in said for said in told.lessons.badly)


def told_everywhere(text: str) -> Story:
    day = sample_day(
        title=text,
        why=text,
        by=text,
        evidence=[{"kind": "link", "url": f"javascript:{text}"}, {"kind": "file", "file": f"../{text}"}],
    )
    events = [
        replace(one, data={**one.data, "text": text, "why": text, "title": text, "by": text}) for one in day.events
    ]
    file: dict[str, Any] = {**day.day["file"], "title": text, "goal": text, "roles": {text: [text]}}
    return story(replace(day, name=text, events=tuple(events), day={**day.day, "file": file}))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_outside_can_act(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = told_everywhere(text)

    def hostile(_: GameDay) -> Story:
        return told

    monkeypatch.setattr("gameday_reports.postmortem.as_html.story", hostile)
    monkeypatch.setattr("gameday_reports.postmortem.as_markdown.story", hostile)
    html, markdown = rendered("html", sample_day()), rendered("markdown", sample_day())
    assert not re.search(r"<(script|img|b)\b", html)
    assert "</style>" not in html[html.index("<style>") : html.rindex("</style>")]
    assert not re.search(r'href="(?!https?://|#|runs/|evidence/)', html)
    for found in (html, markdown):
        assert not set("\x1b\u202e\u2028") & set(found)
    links = [
        token.attrGet("href") or ""
        for block in MarkdownIt().enable("table").parse(markdown)
        for token in block.children or ()
        if token.type == "link_open"
    ]
    assert all(str(link).startswith(("https://", "runs/", "evidence/")) for link in links), links
    assert "@everyone" not in markdown


def test_evidence_outside_the_folder_is_no_link() -> None:
    told = told_everywhere("x")
    assert [one.href for one in told.agenda[1].evidence] == ["", ""]


def test_a_folder_that_is_no_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GamedayError, match="not the folder of a game day"):
        game_day(tmp_path)


def test_roles_are_people() -> None:
    assert ("Owner", ANA["by"]) in story(sample_day()).facts
