from __future__ import annotations

import signal
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

from gameday.spi import Driver, DriverError, World
from gameday.testing import DriverContract, IrreversibleContract, parameters
from gameday_drivers.command import Command

WORLD = World(run_id="r")


def python(code: str, *argv: object) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, pathlib, sys, time; {code}", *map(str, argv))


def exits(code: int) -> tuple[str, ...]:
    return python(f"sys.exit({code})")


class TestCommand(DriverContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        """A command that takes a while before it applies its fault: cut off, it must not apply it later."""
        flag = tmp_path / "flag"
        return Command(
            run=python("time.sleep(0.06); pathlib.Path(sys.argv[1]).touch(); time.sleep(0.03)", flag),
            undo=("rm", "-f", str(flag)),
            active_=("test", "-e", str(flag)),
        )

    def test_the_plan_shows_the_command(self, tmp_path: Path) -> None:
        driver = Command(run=("stop-shop", "--now", "two words"), undo=("start-shop",))
        assert driver.plan(WORLD).targets == ("stop-shop --now 'two words'",)


class TestCommandWithoutUndo(IrreversibleContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        flag = tmp_path / "flag"
        return Command(run=("touch", str(flag)), active_=("test", "-e", str(flag)))


def test_what_it_can_do_follows_from_what_it_is_given() -> None:
    bare = Command(run=("true",))
    whole = Command(run=("true",), undo=("true",), active_=("true",), timeout=2_500)
    assert (bare.reversible, bare.provable) == (False, False)
    assert (whole.reversible, whole.provable) == (True, True)
    assert (whole.inject_seconds, whole.revert_seconds) == (3.5, 3.5)


def test_the_file_says_active_and_durations_with_their_unit() -> None:
    driver = Command(run=("true",), active_=("false",), timeout=2_500)
    assert parameters(driver) == {"run": ["true"], "active": ["false"], "timeout": "2s500ms"}
    assert all(f.metadata["help"] for f in fields(Command))


def test_a_command_without_argv_is_refused() -> None:
    with pytest.raises(ValueError, match="run is empty"):
        Command(run=())


@pytest.mark.parametrize(("code", "on"), [(0, True), (1, False), (125, False)])
def test_the_check_says_whether_the_fault_is_on(code: int, on: bool) -> None:
    driver = Command(run=("true",), active_=exits(code))
    assert driver.active(driver.plan(WORLD), WORLD) is on


@pytest.mark.parametrize(
    "check",
    [
        exits(126),
        exits(127),
        python(f"os.kill(os.getpid(), {int(signal.SIGTERM)})"),
        ("/absent/check",),
        python("time.sleep(60)"),
        (),
    ],
    ids=["not executable", "not found", "signal", "cannot start", "hangs", "none"],
)
def test_a_check_that_cannot_say_is_unknown_and_never_gone(check: tuple[str, ...]) -> None:
    driver = Command(run=("true",), active_=check, timeout=300)
    with pytest.raises(DriverError):
        driver.active(driver.plan(WORLD), WORLD)


def test_a_command_that_fails_says_its_last_words() -> None:
    driver = Command(run=python("print('one'); print('no such \\x07shop', file=sys.stderr); sys.exit(3)"))
    with pytest.raises(DriverError, match=r"exit code 3: no such \?shop$"):
        driver.inject(driver.plan(WORLD), WORLD)


def test_an_undo_that_fails_or_hangs_is_a_driver_error() -> None:
    for undo, words in ((exits(1), "exit code 1"), (python("time.sleep(60)"), "did not end within 0.3 s")):
        driver = Command(run=("true",), undo=undo, timeout=300)
        with pytest.raises(DriverError, match=words):
            driver.revert(driver.plan(WORLD), WORLD)


def test_the_undo_comes_from_the_plan_alone(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    plan = Command(run=("touch", str(flag)), undo=("rm", str(flag))).plan(WORLD)
    flag.touch()
    Command(run=("false",), undo=("false",)).revert(plan, WORLD)
    assert not flag.exists()


def test_a_fault_that_stays_in_the_background_does_not_hold_inject_back(tmp_path: Path) -> None:
    """It holds our standard output open, as a daemon started without redirection does."""
    pid = tmp_path / "pid"
    driver = Command(
        run=("sh", "-c", f"sleep 60 & echo $! > {pid}"),
        undo=("sh", "-c", f"kill $(cat {pid})"),
        active_=("sh", "-c", f"kill -0 $(cat {pid})"),
        timeout=20_000,
    )
    plan = driver.plan(WORLD)
    start = time.monotonic()
    driver.inject(plan, WORLD)
    try:
        assert time.monotonic() - start < 10
        assert driver.active(plan, WORLD)
    finally:
        driver.revert(plan, WORLD)
