"""A whole game day: three roles in three terminals, a crash in mid-experiment, a resume, and what is on disk at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gameday.gamedays.day.folder import Day, read_day
from gameday.journal.reader import read_journal
from tests.fakes.terminal import Terminal, terminal
from tests.harness import Lab, await_true, switch

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]

DAY = """\
version: 1
title: Payments brown-out
goal: On-call follows the runbook.
roles: {owner: ana@example.com, coordinator: ben@example.com, observers: [dee@example.com]}
prerequisites:
  - {check: Dashboards are open, by: coordinator}
agenda:
  - brief: What we expect, and how we stop.
  - experiment: payments-down.yaml
  - manual: {step: Fail over by the runbook, by: coordinator, evidence: required, within: 15m}
  - experiment: hidden-trouble.yaml
    blind: true
  - go_no_go: {by: owner}
  - debrief: What surprised us?
"""


class Play:
    """One day in one folder, and who takes part."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder)
        self.file = folder / "day.yaml"
        self.file.write_text(DAY)
        for name, file in (("payments-down", "down"), ("hidden-trouble", "hidden")):
            self.write(name, file)
        (folder / "queue").write_text("0\n")
        (folder / "graph.png").write_bytes(b"a picture")

    def write(self, name: str, file: str, lasts: str = "1s") -> None:
        """Write an experiment; while a test waits for its fault it lasts long, whatever the scheduler does."""
        (self.lab.folder / f"{name}.yaml").write_text(json.dumps(self.experiment(name, file, lasts)))

    def experiment(self, title: str, file: str, lasts: str) -> Mapping[str, Any]:
        """Without load: a gauge that is a file, and a fault that is another; with a second of it over in some five."""
        return {
            "version": 1,
            "title": f"The queue survives {title}",
            "slis": {"queue": {"command": ["cat", str(self.lab.folder / "queue")], "every": "100ms"}},
            "objectives": {"short": {"expect": "max(queue) < 1", "recover": {"within": "1s", "hold": "500ms"}}},
            "phases": {"warmup": "0s", "baseline": "1s", "recovery": "2s"},
            "faults": [{"flip": {"do": "command", "with": switch(self.lab.folder, file), "at": "0s", "for": lasts}}],
        }

    def command(self, *words: str) -> list[str]:
        return self.lab.command("day", *words)

    def leader(self, *words: str) -> Any:
        command = self.command(*words, "--by", "ben@example.com")
        return terminal(command, self.lab.environment(), self.lab.folder)

    def watcher(self, by: str) -> Any:
        command = self.command("watch", str(self.folder), "--by", by)
        return terminal(command, self.lab.environment(), self.lab.folder)

    def owner(self, *words: str) -> str:
        """Say something from the owner's terminal; return what is printed."""
        done = self.lab.run_verb("day", *words, "--by", "ana@example.com")
        assert done.code == 0, done.err
        return done.out

    @property
    def folder(self) -> Path:
        (found,) = self.lab.runs.glob("day-*")
        return found

    @property
    def day(self) -> Day:
        return read_day(self.folder)

    def records(self, kind: str) -> list[Any]:
        return [dict(event.data) for event in self.day.events if event.kind == kind]

    def injected(self, number: int) -> bool:
        """Whether the fault of the day's run of this number, from 1, was injected."""
        runs = self.records("run-started")[number - 1 :]
        journal = self.folder / runs[0]["run"] / "journal.ndjson" if runs else None
        return journal is not None and any(event.kind == "injected" for event in read_journal(journal).events)

    def asked(self, terminal: Terminal, title: str, line: str) -> None:
        """Wait until the leader asks, then answer."""
        terminal.expect(title)
        terminal.type(line)


def titles_of_processes() -> str:
    """Return the command line of every process of this machine."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_a_day_with_three_terminals_a_crash_and_a_resume(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.write("payments-down", "down", lasts="60s")
    with play.leader("run", str(play.file)) as leader:
        play.asked(leader, "yes, or: no WHY", "yes")
        play.asked(leader, "Enter when everybody has heard it", "")
        leader.expect("Enter begins it")
        assert play.owner("note", "we begin") == "noted\n"
        leader.type("")
        await_true((tmp_path / "down").exists, 30, "the fault is on")
        leader.process.kill()  # in mid-experiment: nothing of the leader writes another word
        leader.process.wait()
    await_true(lambda: not play.day.leader, 10, "the journal is free")
    words = ("note", "where are you?", "--day", str(play.folder), "--by", "dee@example.com")
    assert "kept" in play.lab.run_verb("day", *words).err
    play.write("payments-down", "down")
    with play.leader("resume", str(play.folder)) as leader:
        leader.expect("again, or: skip WHY", 60)
        assert not (tmp_path / "down").exists(), "the undo is finished before the day goes on"
        with play.watcher("dee@example.com") as observer:
            refused = play.lab.run_verb("day", "resume", str(play.folder))
            assert (refused.code, "still alive" in refused.err) == (2, True)
            leader.type("again")
            play.owner("mark", "noticed", "the queue grows")
            leader.expect("payments-down.yaml: pass", 60)
            play.asked(leader, "done [LINK or FILE", "done graph.png")
            play.asked(leader, "Enter begins it", "")
            await_true(lambda: play.injected(3), 30, "the blind experiment is on")
            assert "hidden-trouble" not in titles_of_processes().replace(str(tmp_path / "hidden"), "")
            observer.expect("something is on")
            leader.expect("go [WHY]", 60)
            play.owner("answer", "go", "steady")
            leader.expect("Enter alone at the end")
            leader.type("The runbook is outdated.")
            leader.type("")
            assert leader.end() == 0, leader.seen
            assert observer.end() == 0, observer.seen
    hidden, told = observer.seen.split("what was hidden", 1)
    assert "hidden-trouble" not in hidden
    assert "hidden-trouble" in told
    _read_back(play)


def _read_back(play: Play) -> None:
    """What is on disk says all of it, each thing once."""
    verdict = json.loads((play.folder / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["finished"]) == ("pass", True), verdict
    assert [one["outcome"] for one in verdict["items"]] == ["done", "pass", "done", "pass", "go", "done"]
    assert [one["attempts"] for one in verdict["items"]] == [1, 2, 1, 1, 1, 1]
    assert [(one["text"], one["by"]) for one in play.records("note")] == [
        ("we begin", "ana@example.com"),
        ("where are you?", "dee@example.com"),
        ("The runbook is outdated.", "ben@example.com"),
    ]
    (mark,) = play.records("mark")
    assert (mark["mark"], mark["by"], mark["role"]) == ("noticed", "ana@example.com", "owner")
    (resumed,) = play.records("resumed")
    assert (resumed["after"], resumed["interrupted"], resumed["recovered"][0]["clean"]) == ("crash", 1, True)
    (decision,) = play.records("decision")
    assert (decision["decision"], decision["by"], decision["why"]) == ("go", "ana@example.com", "steady")
    (kept,) = verdict["items"][2]["evidence"]
    assert (play.folder / kept["file"]).read_bytes() == b"a picture"
    runs = [one["run"] for one in play.records("run-started")]
    words = [json.loads((play.folder / run / "verdict.json").read_text())["verdict"] for run in runs]
    assert words == ["aborted", "pass", "pass"]
    assert "hidden-trouble" not in runs[2]
    text = read_journal(play.folder / "journal.ndjson")
    assert text.closed
    assert play.lab.run_verb("day", "report", str(play.folder)).code == 0
    assert "where are you?" in (play.folder / "report.html").read_text()
    assert play.lab.run_verb("verify", str(play.folder), "--head", text.head).code == 0


def test_a_no_go_from_another_terminal_ends_the_day(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.file.write_text(
        DAY[: DAY.index("prerequisites:")] + "agenda: [go_no_go: {by: owner}, experiment: payments-down.yaml]\n"
    )
    with play.leader("run", str(play.file)) as leader:
        leader.expect("go [WHY]")
        denied = play.lab.run_verb("day", "answer", "no-go", "--by", "dee@example.com")
        assert (denied.code, "only the owner may answer" in denied.err) == (2, True)
        play.owner("answer", "no-go", "budget is spent")
        assert leader.end() == 3, leader.seen
    verdict = json.loads((play.folder / "verdict.json").read_text())
    assert [one["reason"] for one in verdict["reasons"]] == ["no-go", "not-done"]
    assert not (tmp_path / "down").exists()
    assert play.records("run-started") == []


def test_a_stop_from_another_terminal_and_ctrl_c_revert_at_once_and_the_day_goes_on(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.file.write_text(DAY[: DAY.index("prerequisites:")] + "agenda: [experiment: payments-down.yaml]\n")
    play.write("payments-down", "down", lasts="60s")
    with play.leader("run", str(play.file)) as leader:
        play.asked(leader, "Enter begins it", "")
        await_true((tmp_path / "down").exists, 30, "the fault is on")
        assert play.owner("stop", "real customers") == "stopping the day\n"
        assert leader.end() == 4, leader.seen
    assert not (tmp_path / "down").exists()
    with play.leader("resume", str(play.folder)) as leader:
        play.asked(leader, "again, or: skip WHY", "again")
        await_true((tmp_path / "down").exists, 30, "the fault is on again")
        leader.press("\x03")
        assert leader.end() == 4, leader.seen
    assert not (tmp_path / "down").exists()
    assert [(one["by"], one["how"]) for one in play.records("stopped")] == [
        ("ana@example.com", "person"),
        ("ben@example.com", "signal"),
    ]
    runs = [play.folder / one["run"] for one in play.records("run-started")]
    aborts = [
        event.data for run in runs for event in read_journal(run / "journal.ndjson").events if event.kind == "abort"
    ]
    assert [one["reason"] for one in aborts] == ["person", "signal"]
    assert "real customers" in aborts[0]["detail"]
    with play.leader("resume", str(play.folder)) as leader:
        play.asked(leader, "again, or: skip WHY", "skip enough")
        assert leader.end() == 3, leader.seen


def test_a_terminal_that_is_closed_stops_the_day(tmp_path: Path) -> None:
    play = Play(tmp_path)
    with play.leader("run", str(play.file)) as leader:
        leader.expect("yes, or: no WHY")
        leader.close()
        assert leader.process.wait(timeout=30) == 4
    assert [one["how"] for one in play.records("stopped")] == ["signal"]
    assert json.loads((play.folder / "verdict.json").read_text())["finished"] is False
    assert not (play.folder / "report.html").exists(), "it would tell what is blind"
