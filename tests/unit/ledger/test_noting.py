"""A run is noted in the ledger that is configured, and no ledger holds a run up or breaks it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gameday.cli.doctor_ledger import look_at_ledger
from gameday.gamedays.ledger.address import find_ledger
from gameday.gamedays.ledger.noting import note_run
from gameday.gamedays.ledger.store import Store
from tests.fakes.ledger import NOW, judged
from tests.fakes.ledger_verbs import ok

PATIENT = {"GAMEDAY_LEDGER_SECONDS": "50"}


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[Path]:
    """A ledger that another writer has and does not let go of."""
    file = tmp_path / "blocked.db"
    Store.open(find_ledger(str(file))).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield file
        other.execute("ROLLBACK")


def test_a_run_is_noted_where_a_ledger_is_configured_and_only_there(runs: Path, tmp_path: Path, state: Path) -> None:
    first = runs / "1-first"
    assert note_run(first, PATIENT) == ""
    assert not (state / "ledger.db").exists()
    named = {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "named.db")}
    assert note_run(first, named) == "ledger: 1 open finding of this experiment (1 new)"
    judged(runs, "9-pass", "pass", at=NOW)
    assert note_run(runs / "9-pass", named) == "ledger: 0 open findings of this experiment (1 closed)"
    judged(runs, "9-then", "fail", at=NOW + 1)
    assert note_run(runs / "9-then", named) == "ledger: 1 open finding of this experiment (1 reopened)"
    ok("findings", "import", str(first))
    assert note_run(runs / "2-second", PATIENT) == "ledger: 1 open finding of this experiment"
    assert note_run(runs / "2-second", {**PATIENT, "GAMEDAY_LEDGER": "off"}) == ""


def test_a_finished_game_day_is_noted_with_all_its_runs(tmp_path: Path) -> None:
    day, named = tmp_path / "day-one", {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "named.db")}
    for name in ("1-run", "2-run"):
        judged(day / "runs", name, "fail", at=NOW)
    (day / "day.yaml").write_text("version: 1\n")
    assert note_run(day, named) == "ledger: 2 runs noted"
    document = json.loads(ok("history", "--format", "json", "--ledger", named["GAMEDAY_LEDGER"]))
    assert {run["day"] for run in document["hypotheses"][0]["runs"]} == {"day-one"}
    (tmp_path / "day-two").mkdir()
    (tmp_path / "day-two" / "day.yaml").write_text("version: 1\n")
    assert note_run(tmp_path / "day-two", named) == "", "nothing was run"


def test_a_ledger_that_fails_is_told_in_one_line(runs: Path, tmp_path: Path, blocked: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 200)
    for name, why in (("text.db", "not a database"), ("blocked.db", "locked")):
        seconds = "50" if name == "text.db" else "0.3"
        line = note_run(runs / "1-first", {"GAMEDAY_LEDGER": str(tmp_path / name), "GAMEDAY_LEDGER_SECONDS": seconds})
        assert line.startswith("ledger: ")
        assert "gameday findings import" in line
        assert "\n" not in line
        assert why in line or "no answer within 0.3 s" in line
    nowhere = {**PATIENT, "GAMEDAY_LEDGER": "postgresql://me:s3cret@127.0.0.1:1/x"}
    line = note_run(runs / "1-first", nowhere)
    assert line.startswith("ledger: not noted: the ledger postgresql://127.0.0.1:1/x cannot be used")
    assert "s3cret" not in line


def test_a_ledger_that_never_answers_holds_nobody_up(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def silent(*_: object) -> str:
        answer.wait(50)
        return "late"

    monkeypatch.setattr("gameday.gamedays.ledger.noting._noted", silent)
    given = {"GAMEDAY_LEDGER": str(tmp_path / "x.db"), "GAMEDAY_LEDGER_SECONDS": "0.2"}
    assert note_run(runs / "1-first", given) == (
        f"ledger: no answer within 0.2 s; note it later with: gameday findings import {runs / '1-first'}"
    )
    assert not answer.is_set(), "it was not waited for"
    answer.set()
    for thread in threading.enumerate():
        if thread.name == "ledger":
            thread.join(50)


def test_a_bug_of_the_ledger_never_reaches_the_run(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("gameday.gamedays.ledger.noting._noted", broken)
    line = note_run(runs / "1-first", {**PATIENT, "GAMEDAY_LEDGER": str(tmp_path / "x.db")})
    assert line.startswith("ledger: not noted: ZeroDivisionError")


def looked(*, at: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setenv("GAMEDAY_LEDGER", at)
    return [(one.state, one.says) for one in look_at_ledger()]


def test_doctor_says_whether_runs_can_be_noted(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(look_at_ledger()) == [], "nobody asked for one"
    named = str(tmp_path / "named.db")
    ((state, says),) = looked(at=named, monkeypatch=monkeypatch)
    assert (state, says.endswith("the next run makes it")) == ("ok", True)
    assert not Path(named).exists()
    ok("findings", "import", str(runs))
    assert looked(at=named, monkeypatch=monkeypatch) == [("ok", f"runs are noted in {named}")]
    ((state, says),) = looked(at="postgresql://me:s3cret@127.0.0.1:1/x", monkeypatch=monkeypatch)
    assert state == "weak"
    assert "s3cret" not in says
