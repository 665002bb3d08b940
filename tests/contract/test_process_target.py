from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from gameday.spi import DriverError, World
from gameday.spi.processes import marked
from gameday.testing import eventually
from gameday_drivers.process_kill import KillProcess
from gameday_drivers.process_pause import PauseProcess
from gameday_drivers.process_target import resolve
from tests.fakes.victims import SLEEP, running, stranger, world_of

WORLD = World(run_id="r")


def by_match(pattern: str) -> str:
    return resolve(WORLD, process="", pidfile="", match=pattern).words


def by_pidfile(path: Path) -> str:
    return resolve(WORLD, process="", pidfile=str(path), match="").words


@pytest.mark.parametrize("kind", [KillProcess, PauseProcess])
@pytest.mark.parametrize("given", [{}, {"process": "a", "match": "b"}, {"pidfile": "a", "match": "b"}])
def test_exactly_one_selector(kind: type[KillProcess | PauseProcess], given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="give exactly one of process, pidfile and match"):
        kind(**given)


def test_a_bad_regular_expression_is_said_at_its_parameter() -> None:
    with pytest.raises(ValueError, match=r"^match is not a regular expression"):
        KillProcess(match="(")


def test_no_match_is_an_error() -> None:
    with pytest.raises(DriverError, match="no process matches"):
        by_match(f"no-such-{uuid.uuid4().hex}")


def test_several_matches_are_refused_and_listed() -> None:
    word = uuid.uuid4().hex
    with stranger(*SLEEP, word) as one, stranger(*SLEEP, word) as two:
        assert eventually(lambda: all(word in Path(f"/proc/{ref.pid}/cmdline").read_text() for ref in (one, two)))
        with pytest.raises(DriverError, match=r"is 2 processes, and a fault is for one") as caught:
            by_match(word)
    assert f"(pid {one.pid})" in str(caught.value)
    assert f"(pid {two.pid})" in str(caught.value)


def test_the_words_for_a_process_show_no_arguments_that_may_be_secret() -> None:
    word = uuid.uuid4().hex
    with stranger(*SLEEP, f"--password={word}") as ref:
        assert by_match(word) == f"{Path(sys.executable).name} (pid {ref.pid})"


def test_a_match_never_finds_who_looks_for_it() -> None:
    """A process whose own command line holds the word, and no other does."""
    word = f"word-{uuid.uuid4().hex}"
    program = (
        "import re, sys\n"
        "from gameday.spi import DriverError, World\n"
        "from gameday_drivers.process_target import resolve\n"
        "try:\n"
        "    resolve(World(run_id='r'), process='', pidfile='', match=sys.argv[1])\n"
        "except DriverError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, word], capture_output=True, text=True, check=True)
    assert "no process matches" in done.stdout


@pytest.mark.parametrize("text", ["", "x", "-"])
def test_a_pidfile_without_a_pid_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(text)
    with pytest.raises(DriverError, match="no usable pid"):
        by_pidfile(tmp_path / "pid")


def test_a_missing_pidfile_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="no usable pid"):
        by_pidfile(tmp_path / "absent")


def test_a_pidfile_of_a_process_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with stranger() as ref:
        (tmp_path / "pid").write_text(str(ref.pid))
    with pytest.raises(DriverError, match="is not running"):
        by_pidfile(tmp_path / "pid")


def test_a_pidfile_older_than_its_process_is_stale(tmp_path: Path) -> None:
    with stranger() as ref:
        path = tmp_path / "pid"
        path.write_text(str(ref.pid))
        assert by_pidfile(path).endswith(f"(pid {ref.pid})")
        yesterday = time.time() - 86_400
        os.utime(path, (yesterday, yesterday))
        with pytest.raises(DriverError, match="recycled"):
            by_pidfile(path)


@pytest.mark.parametrize(
    ("pid", "words"), [(1, "first process"), (os.getpid(), "gameday itself")], ids=["init", "ourselves"]
)
def test_a_pidfile_cannot_point_at_what_is_off_limits(pid: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(pid))
    with pytest.raises(DriverError, match=words):
        by_pidfile(tmp_path / "pid")


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="no process 'a' under system:"):
        resolve(WORLD, process="a", pidfile="", match="")


def test_a_name_that_does_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="a is not running"):
        resolve(world_of(tmp_path, "a"), process="a", pidfile="", match="")


def test_a_name_means_its_first_process_and_not_a_daemon_it_started(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'],"
        " start_new_session=True); time.sleep(120)"
    )
    with running(world_of(tmp_path, "front", argv=(sys.executable, "-c", parent))) as world:
        assert eventually(lambda: len(marked(world.run_id)) == 2)
        first = marked(world.run_id)[0][1]
        assert resolve(world, process="front", pidfile="", match="").ref == first
