"""A game day led through on a made-up terminal: what is asked, what is written down, and what it comes to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gameday.gamedays.day.evidence import EvidenceError, keep
from gameday.gamedays.day.folder import read_day
from gameday.gamedays.day.inbox import drop, new_message
from gameday.gamedays.day.session import DayUnwritableError, Session
from gameday.gamedays.day.verify import verify_day
from gameday.gamedays.day.view import HIDDEN, View
from gameday.journal.writer import Journal
from gameday.spi.errors import GamedayError
from tests.fakes.gameday import Desk, Laboratory, Stage

ROLES = "roles: {owner: ana, coordinator: ben, reporter: cy, observers: dee}\n"
WHOLE = (
    ROLES
    + """\
prerequisites:
  - {check: dashboards open, by: coordinator}
agenda:
  - brief: What we expect.
  - experiment: experiment.yaml
    blind: true
  - manual: {step: Fail over, evidence: required, within: 1h}
  - go_no_go: {by: owner}
  - experiment: experiment.yaml
  - debrief: What surprised us?
"""
)
ANSWERS: list[str | Callable[[], str | None]] = [
    "yes",
    "",
    "",
    "done https://a.example/1",
    "go",
    "",
    "It was slow.",
    "",
]
MANUAL = "agenda:\n  - manual: {step: Fail over}\n"


def reasons(document: dict[str, Any]) -> list[str]:
    return [one["reason"] for one in document["reasons"]]


def test_a_whole_day_passes_and_says_who_did_what(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WHOLE)
    document = stage.begin(Desk([*ANSWERS]))
    assert (document["verdict"], reasons(document), document["finished"]) == ("pass", ["proven"], True)
    assert [one["outcome"] for one in document["items"]] == ["done", "pass", "done", "go", "pass", "done"]
    assert document["items"][2]["evidence"] == [{"kind": "link", "url": "https://a.example/1"}]
    assert [one["text"] for one in stage.records("note")] == ["It was slow."]
    assert stage.records("decision")[0] | {"at": 0} == {
        "index": 3, "decision": "go", "by": "ben", "role": "coordinator", "why": "", "message": None, "at": 0,
    }  # fmt: skip
    assert json.loads(stage.folder.verdict.read_text()) == document
    assert stage.day.events[-1].kind == "closed"


@pytest.mark.parametrize(
    ("answers", "verdicts", "verdict", "reason"),
    [
        (["no nobody is here"], [], "inconclusive", "refused"),
        ([*ANSWERS[:4], "no-go budget is spent"], [], "inconclusive", "no-go"),
        (["yes", "", "skip no time", *ANSWERS[3:]], [], "inconclusive", "skipped"),
        (["yes", "", "", "skip", *ANSWERS[4:]], [], "inconclusive", "skipped"),
        (["yes", "", "", "fail runbook is wrong", *ANSWERS[4:]], [], "fail", "step-failed"),
        (ANSWERS, ["fail", "pass"], "fail", "fail"),
        (ANSWERS, ["inconclusive", "fail"], "fail", "fail"),
        (ANSWERS, ["pass", "inconclusive"], "inconclusive", "inconclusive"),
        (ANSWERS, ["dirty"], "dirty", "dirty"),
        (ANSWERS, ["aborted"], "aborted", "stopped"),
        (["yes", "stop too loud"], [], "aborted", "stopped"),
        (["yes"], [], "aborted", "stopped"),
    ],
)
def test_the_worst_wins_and_nothing_missing_passes(
    answers: list[Any], verdicts: list[str], verdict: str, reason: str, tmp_path: Path
) -> None:
    document = Stage(tmp_path, WHOLE).begin(Desk([*answers]), Laboratory([*verdicts]))
    assert (document["verdict"], reasons(document)[0]) == (verdict, reason)


def test_nothing_is_run_after_a_no_go_or_something_dirty(tmp_path: Path) -> None:
    laboratory = Laboratory()
    Stage(tmp_path, WHOLE).begin(Desk([*ANSWERS[:4], "no-go"]), laboratory)
    assert (len(laboratory.runs), laboratory.blind) == (1, [True])


def test_a_step_waits_for_its_evidence(tmp_path: Path) -> None:
    (tmp_path / "graph 1.png").write_bytes(b"picture")
    stage = Stage(tmp_path, "agenda:\n  - manual: {step: Fail over, evidence: required}\n")
    desk = Desk(["done", "done none.png", "oops", f"done '{tmp_path}/graph 1.png'"])
    assert stage.begin(desk)["verdict"] == "pass"
    (found,) = stage.records("item-ended")[0]["evidence"]
    assert (stage.folder.path / found["file"]).read_bytes() == b"picture"
    assert (found["name"], found["bytes"]) == ("graph 1.png", 7)
    assert any("needs evidence" in line for line in desk.said)
    assert any("no such file" in line for line in desk.said)


def test_a_step_that_is_late_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = {"ms": 0}
    now_ms = Journal.now_ms

    def shifted(journal: Journal) -> int:
        return now_ms(journal) + later["ms"]

    monkeypatch.setattr(Journal, "now_ms", shifted)

    def wait() -> None:
        later["ms"] = 61_000

    desk = Desk([wait, "", "done"])
    document = Stage(tmp_path, "agenda:\n  - manual: {step: Fail over, within: 1m}\n").begin(desk)
    assert (document["verdict"], reasons(document)) == ("fail", ["late"])
    assert any("is over" in line for line in desk.said)


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        (MANUAL, "inconclusive", "skipped"),
        ("unattended: refuse\n" + MANUAL, "inconclusive", "refused"),
        ("agenda: [brief: hello, experiment: experiment.yaml, debrief: bye]\n", "pass", "proven"),
        ("agenda: [{go_no_go: {}}, experiment: experiment.yaml]\n", "inconclusive", "no-go"),
        ("prerequisites: [check: all well]\nagenda: [experiment: experiment.yaml]\n", "inconclusive", "skipped"),
        ("agenda: [brief: hello]\n", "inconclusive", "nothing-tested"),
    ],
)
def test_where_nobody_is_there_nothing_is_made_up(text: str, verdict: str, reason: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, text)
    document = stage.begin(Desk(attended=False))
    assert (document["verdict"], reasons(document)[0], document["finished"]) == (verdict, reason, True)


def test_an_experiment_that_must_pass_before_ends_the_day_when_it_does_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "prerequisites: [experiment: experiment.yaml]\nagenda: [experiment: experiment.yaml]\n")
    laboratory = Laboratory(["fail"])
    document = stage.begin(Desk(attended=False), laboratory)
    assert (document["verdict"], len(laboratory.runs)) == ("fail", 1)
    assert stage.records("prerequisite")[0]["outcome"] == "not-met"


def test_what_others_say_is_written_down_once_with_author_and_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MANUAL)
    said = [
        new_message("note", by="cy", role="reporter", text="hm"),
        new_message("mark", by="dee", role="observer", mark="noticed", text="slow"),
    ]

    def speak() -> None:
        for message in said:
            drop(stage.folder, message)

    stage.begin(Desk([speak, lambda: None, "done"]))
    (note,), (mark,) = stage.records("note"), stage.records("mark")
    assert (note["by"], note["role"], note["at"], note["text"]) == ("cy", "reporter", said[0].at, "hm")
    assert (mark["mark"], mark["by"], mark["source"], mark["message"]) == ("noticed", "dee", "person", said[1].id)
    assert not stage.folder.inbox.exists()


def test_what_is_said_while_an_experiment_is_on_is_written_down_and_a_stop_reaches_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, ROLES + "agenda: [experiment: experiment.yaml, debrief: x]\n")

    def speak() -> None:
        drop(stage.folder, new_message("note", by="dee", role="observer", text="what is this?"))
        drop(stage.folder, new_message("stop", by="dee", role="observer", text="I may not"))
        drop(stage.folder, new_message("stop", by="ana", role="owner", text="customers"))

    laboratory = Laboratory(on=speak)
    document = stage.begin(Desk([""]), laboratory)
    assert (document["verdict"], reasons(document)[0], document["finished"]) == ("aborted", "stopped", False)
    assert [one["text"] for one in stage.records("note")] == ["what is this?"]
    assert [(one["what"], one["by"]) for one in stage.records("ignored")] == [("stop", "dee")]
    assert [(one["by"], one["why"], one["how"]) for one in stage.records("stopped")] == [("ana", "customers", "person")]


def test_another_terminal_answers_for_its_role_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path, ROLES + "agenda:\n  - go_no_go: {by: owner}\n  - manual: {step: Fail over}\n")

    def answer(by: str, role: str, word: str, index: int) -> Callable[[], None]:
        def speak() -> None:
            drop(stage.folder, new_message("answer", by=by, role=role, answer=word, place=("agenda", index), text="w"))

        return speak

    desk = Desk(
        [
            answer("dee", "observer", "no-go", 0),
            answer("ana", "owner", "done", 0),
            answer("ana", "owner", "go", 0),
            answer("eve", "responder", "done", 1),
        ]
    )
    assert stage.begin(desk)["verdict"] == "pass"
    (decision,) = stage.records("decision")
    assert (decision["by"], decision["decision"], decision["why"]) == ("ana", "go", "w")
    assert stage.records("item-ended")[1]["by"] == "eve"
    assert [one["by"] for one in stage.records("ignored")] == ["dee", "ana"]


def test_only_who_may_decides_on_the_leaders_terminal(tmp_path: Path) -> None:
    desk = Desk(["go", "stop", "note hm"], by="cy", role="reporter")
    stage = Stage(tmp_path, ROLES + "agenda: [{go_no_go: {by: owner}}, experiment: experiment.yaml]\n")
    assert stage.begin(desk)["verdict"] == "aborted"
    assert stage.records("decision") == []
    assert stage.records("stopped")[0]["why"] == "its terminal was closed"


def test_a_stopped_day_goes_on_where_it_was(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WHOLE)
    assert stage.begin(Desk([*ANSWERS[:2], "", lambda: "stop lunch"]))["verdict"] == "aborted"
    laboratory = Laboratory()
    document = stage.resume(Desk([*ANSWERS[3:]]), laboratory)
    assert (document["verdict"], document["finished"], len(laboratory.runs)) == ("pass", True, 1)
    assert stage.records("resumed")[0] | {"by": ""} == {
        "by": "", "after": "stop", "section": "agenda", "at_index": 2, "interrupted": 2, "recovered": [],
    }  # fmt: skip
    assert document["items"][2]["attempts"] == 2


@pytest.mark.parametrize(("choice", "verdict"), [("again", "pass"), ("skip", "inconclusive")])
def test_an_experiment_that_was_broken_off_is_run_again_or_left_out(choice: str, verdict: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, "agenda: [experiment: experiment.yaml]\n")
    assert stage.begin(Desk([""]), Laboratory(["killed"]))["verdict"] == "aborted"
    assert stage.records("item-ended")[-1]["outcome"] == "interrupted"
    document = stage.resume(Desk([choice]))
    assert document["verdict"] == verdict


def test_a_leader_that_was_lost_leaves_a_day_that_goes_on(tmp_path: Path) -> None:
    """The journal ends in the middle of an experiment; what was said meanwhile is in the inbox, and one thing in both."""
    stage = Stage(tmp_path, "agenda: [experiment: experiment.yaml, {manual: {step: x}}]\n")
    twice = new_message("note", by="cy", role="reporter", text="twice")

    class Killed(BaseException):
        """Stands for SIGKILL: nothing is written after it."""

    def die() -> None:
        raise Killed

    laboratory = Laboratory(on=die)
    with pytest.raises(Killed):
        stage.begin(Desk([""]), laboratory)
    assert read_day(stage.folder.path).leader == ""
    journal = Journal.take_over(stage.folder.journal, by="test", why="the last words of the lost one")
    journal.write(
        "note", {"text": "twice", "by": "cy", "role": "reporter", "at": twice.at, "evidence": [], "message": twice.id}
    )
    journal.close()
    drop(stage.folder, twice)
    drop(stage.folder, new_message("note", by="cy", role="reporter", text="once"))
    document = stage.resume(Desk(["again", "done"]), Laboratory())
    assert (document["verdict"], [one["attempts"] for one in document["items"]]) == ("pass", [2, 1])
    assert sorted(one["text"] for one in stage.records("note")) == ["once", "twice"]
    assert stage.records("resumed")[0]["after"] == "crash"


def test_a_finished_day_and_one_that_is_led_are_not_resumed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MANUAL)
    refused: list[str] = []

    def try_it() -> None:
        with pytest.raises(GamedayError) as caught:
            stage.resume(Desk())
        refused.append(str(caught.value))

    stage.begin(Desk([try_it, "done"]))
    assert "still alive" in refused[0]
    with pytest.raises(GamedayError, match="is finished"):
        stage.resume(Desk())
    with pytest.raises(GamedayError, match="takes nothing any more"):
        drop(stage.folder, new_message("note", by="cy", role="reporter", text="late"))


def test_a_signal_at_a_question_stops_the_day(tmp_path: Path) -> None:
    stage, desk = Stage(tmp_path, MANUAL), Desk()

    def hangup() -> None:
        desk.signal = "SIGHUP"

    desk.typed = [hangup]
    assert stage.begin(desk)["verdict"] == "aborted"
    assert (stage.records("stopped")[0]["why"], stage.records("stopped")[0]["how"]) == ("SIGHUP", "signal")


def test_who_is_kept_blind_is_told_in_the_debrief_and_not_before(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WHOLE)
    stage.begin(Desk([*ANSWERS]))
    view = View(file=stage.loaded.day, role="observer")
    lines = [line for event in stage.day.events for line in view.lines(event)]
    told = next(index for index, line in enumerate(lines) if line.startswith("what was hidden"))
    secret = stage.records("run-started")[0]["run"]
    assert HIDDEN in lines[:told]
    assert not any("experiment.yaml: pass" in line or secret in line for line in lines[: lines.index("it is over")])
    assert any(secret in line for line in lines[told:])
    assert "brown" not in secret
    assert "experiment.yaml" not in secret
    owner = View(file=stage.loaded.day, role="owner")
    assert any(secret in line for event in stage.day.events for line in owner.lines(event))


def test_what_is_no_message_is_said_and_taken_away(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MANUAL)

    def rubbish() -> None:
        (stage.folder.inbox / "0.json").write_text('{"what": "format c:"}')

    stage.begin(Desk([rubbish, lambda: None, "done"]))
    assert [one["what"] for one in stage.records("ignored")] == ["unreadable"]


@pytest.mark.parametrize("named", ["none.png", "https://a b", ".", "\0"])
def test_what_shows_nothing_is_no_evidence(named: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, MANUAL)
    stage.begin(Desk(["done"]))
    with pytest.raises(EvidenceError):
        keep(stage.folder, [named])
    assert list(stage.folder.evidence.iterdir()) == []


def test_no_session_forgets_what_the_journal_says(tmp_path: Path) -> None:
    stage = Stage(tmp_path, MANUAL)
    stage.begin(Desk([]))
    journal = Journal.take_over(stage.folder.journal, by="test", why="x")
    session = Session(folder=stage.folder, file=stage.loaded.day, journal=journal, desk=Desk(), laboratory=Laboratory())
    assert session.progress.stopped is not None
    assert session.next_place() == ("agenda", 0)
    journal.close()


def findings(folder: Path, head: str = "") -> dict[str, str]:
    return dict(sorted(((one.what, str(one.finding)) for one in verify_day(folder, head)), reverse=True))


def test_what_was_altered_after_a_day_is_found(tmp_path: Path) -> None:
    (tmp_path / "graph.png").write_bytes(b"picture")
    stage = Stage(tmp_path, "agenda:\n  - manual: {step: Fail over, evidence: required}\n")
    stage.begin(Desk([f"done {tmp_path}/graph.png"]))
    folder, head = stage.folder.path, stage.day.head
    assert set(findings(folder, head).values()) == {"intact"}
    (kept,) = stage.folder.evidence.iterdir()
    for path in (stage.folder.file, kept, stage.folder.verdict):
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert findings(folder, head)[str(path.relative_to(folder))] == "altered"
        path.write_bytes(before)
    stage.folder.journal.write_bytes(stage.folder.journal.read_bytes().replace(b"Fail over", b"Fail soon"))
    assert findings(folder)["journal"] == "altered"


def test_a_journal_that_was_cut_anywhere_is_gone_on_with(tmp_path: Path) -> None:
    """A leader that is killed leaves whole records and perhaps a torn one; after each of them the day can be resumed."""
    stage = Stage(tmp_path, "agenda:\n  - manual: {step: One}\n  - manual: {step: Two}\n")
    stage.begin(Desk(["note hm", "mark noticed", "done", "stop"]))
    lines = stage.folder.journal.read_bytes().splitlines(keepends=True)
    for count in range(1, len(lines)):
        stage.folder.journal.write_bytes(b"".join(lines[:count]) + lines[count][:17])
        stage.folder.inbox.mkdir(exist_ok=True)
        for closed in stage.folder.path.glob(".inbox-closed"):
            closed.rmdir()
        done = [b'"item-ended"' in line for line in lines[:count]].count(True)
        document = stage.resume(Desk(["done"] * (2 - done)))
        assert (document["verdict"], document["finished"]) == ("pass", True), count


@pytest.mark.parametrize(("verdict", "code"), [("pass", 3), ("fail", 1), ("dirty", 5)])
def test_a_day_whose_disk_is_full_is_no_pass_and_goes_on_later(verdict: str, code: int, tmp_path: Path) -> None:
    stage = Stage(tmp_path, "agenda:\n  - experiment: experiment.yaml\n  - debrief: What surprised us?\n")

    def fill() -> None:
        journal = str(stage.folder.journal)
        (held,) = (one for one in Path("/proc/self/fd").iterdir() if _opened(one) == journal)
        with Path("/dev/full").open("wb") as full:
            os.dup2(full.fileno(), int(held.name))

    with pytest.raises(DayUnwritableError, match="No space left") as ended:
        stage.begin(Desk(["", ""]), Laboratory([verdict], on=fill))
    assert ended.value.verdict.exit_code == code
    assert "gameday day resume" in str(ended.value.hint)
    document = stage.resume(Desk(["again", "It was full.", ""]))
    assert (document["verdict"], document["finished"]) == ("pass", True)


def _opened(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # that of the list itself
        return ""
