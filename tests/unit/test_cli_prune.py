"""prune: old run folders go; what is on, what may have left a fault and what is no run folder stays whatever is asked."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gameday.cli.prune import prune
from gameday.undo.state import open_runs, register_run
from tests.fakes.cli_files import run_folder
from tests.fakes.gameday import Desk, Stage

DAY = 86_400


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def call(runs: Path, *words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(prune, ["--output", str(runs), *words], input=answer)


def left(runs: Path) -> set[str]:
    return {path.name for path in runs.iterdir()}


def days_ago(days: float) -> float:
    return time.time() - days * DAY


def test_it_keeps_the_newest(runs: Path) -> None:
    for days in (1, 2, 3, 4):
        run_folder(runs, f"run-{days}", began=days_ago(days))
    done = call(runs, "--keep", "2", "--yes")
    assert done.exit_code == 0, done.output
    assert left(runs) == {"run-1", "run-2"}
    assert done.stdout.splitlines() == [f"delete {runs}/run-4", f"delete {runs}/run-3"]


def test_it_deletes_what_is_older(runs: Path) -> None:
    for days in (1, 29, 31, 90):
        run_folder(runs, f"run-{days}", began=days_ago(days))
    assert call(runs, "--older-than", "30d", "--yes").exit_code == 0
    assert left(runs) == {"run-1", "run-29"}


def test_with_both_only_what_both_let_go(runs: Path) -> None:
    for days in (1, 40, 50, 60):
        run_folder(runs, f"run-{days}", began=days_ago(days))
    assert call(runs, "--older-than", "30d", "--keep", "3", "--yes").exit_code == 0
    assert left(runs) == {"run-1", "run-40", "run-50"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ({"ending": "armed"}, "something may be left"),
        ({"ending": "closed", "undone": False}, "may have left a fault on"),
        ({"ending": "none"}, "no journal that can be read"),
    ],
)
def test_a_run_that_may_have_left_something_stays(runs: Path, name: dict[str, object], kept: str) -> None:
    run_folder(runs, "old", **name)  # type: ignore[arg-type]
    done = call(runs, "--keep", "0", "--yes")
    assert left(runs) == {"old"}
    assert kept in done.stderr
    assert "nothing to delete" in done.stdout


def test_a_run_that_is_on_stays(runs: Path) -> None:
    folder = run_folder(runs, "on")
    with (folder / "journal.ndjson").open("rb+") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert "it is on" in call(runs, "--keep", "0", "--yes").stderr
        assert left(runs) == {"on"}
    assert call(runs, "--keep", "0", "--yes").exit_code == 0
    assert left(runs) == set()


def test_a_torn_journal_stays(runs: Path) -> None:
    folder = run_folder(runs, "torn")
    with (folder / "journal.ndjson").open("ab") as journal:
        journal.write(b'{"seq": 2, "ki')
    assert "torn" in call(runs, "--keep", "0", "--yes").stderr
    assert left(runs) == {"torn"}


def test_a_lost_run_of_which_nothing_is_left_may_go(runs: Path) -> None:
    folder = run_folder(runs, "lost", ending="opened")
    register_run(folder)
    assert call(runs, "--keep", "0", "--yes").exit_code == 0
    assert left(runs) == set()
    assert open_runs() == (), "recover --all must not look for it"


def test_only_run_folders_go(runs: Path, tmp_path: Path) -> None:
    elsewhere = run_folder(tmp_path, "elsewhere")
    (runs / "link").symlink_to(elsewhere)
    run_folder(runs, "renamed").rename(runs / "mine")
    (runs / "photos").mkdir()
    (runs / "notes.txt").write_text("notes")
    damaged = run_folder(runs, "damaged")
    (damaged / "plan.json").write_text("{")
    nested = run_folder(runs / "photos", "nested")
    before = left(runs)
    done = call(runs, "--keep", "0", "--yes")
    assert done.exit_code == 0
    assert left(runs) == before
    assert elsewhere.exists()
    assert nested.exists()


@pytest.mark.parametrize(("typed", "stays"), [(["done"], ""), (["stop too loud"], "not finished")])
def test_a_finished_game_day_goes_with_its_runs(typed: list[str], stays: str, runs: Path, tmp_path: Path) -> None:
    stage = Stage(tmp_path, "agenda:\n  - manual: {step: Fail over}\n")
    stage.begin(Desk([*typed]))
    register_run(run_folder(stage.folder.runs, "run-1", ending="opened"))
    done = call(runs, "--keep", "0", "--yes")
    assert done.exit_code == 0
    assert stays in done.stderr
    assert left(runs) == ({stage.folder.name} if stays else set())
    assert len(open_runs()) == (1 if stays else 0)


def test_a_game_day_stays_with_a_run_of_it_that_does_and_while_it_is_led(runs: Path, tmp_path: Path) -> None:
    stage = Stage(tmp_path, "agenda:\n  - manual: {step: Fail over}\n")
    during: list[str] = []

    def look() -> str:
        during.append(call(runs, "--keep", "0", "--yes").stderr)
        return "done"

    stage.begin(Desk([look]))
    assert "it is led" in during[0]
    run_folder(stage.folder.runs, "run-1", undone=False)
    assert "run-1 in it: it may have left a fault on" in call(runs, "--keep", "0", "--yes").stderr
    assert left(runs) == {stage.folder.name}


def test_a_link_inside_a_run_folder_is_not_followed(runs: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    (run_folder(runs, "old") / "logs" / "link").symlink_to(precious)
    assert call(runs, "--keep", "0", "--yes").exit_code == 0
    assert left(runs) == set()
    assert (precious / "file").read_text() == "x"


def test_off_a_terminal_it_refuses_without_leave(runs: Path) -> None:
    run_folder(runs, "old")
    done = call(runs, "--keep", "0", answer="y\n")
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert left(runs) == {"old"}


@pytest.mark.parametrize(("answer", "remain"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_it_asks(runs: Path, answer: str, remain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder(runs, "old")
    monkeypatch.setattr("gameday.cli.prune.can_ask", lambda: True)
    call(runs, "--keep", "0", answer=answer)
    assert len(left(runs)) == remain


def test_a_dry_run_only_lists(runs: Path) -> None:
    run_folder(runs, "old")
    done = call(runs, "--keep", "0", "--dry-run")
    assert done.exit_code == 0
    assert done.stdout == f"would delete {runs}/old\n"
    assert left(runs) == {"old"}


@pytest.mark.parametrize(
    "words",
    [(), ("--older-than", "30"), ("--older-than", "soon"), ("--older-than", "-1d"), ("--keep", "-1"), ("--keep", "x")],
)
def test_it_must_be_said_which(runs: Path, words: tuple[str, ...]) -> None:
    run_folder(runs, "old")
    assert call(runs, *words, "--yes").exit_code == 2
    assert left(runs) == {"old"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert call(tmp_path / "nowhere", "--keep", "0", "--yes").exit_code == 2
