from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers.command_probe import CommandProbe

WORLD = World(run_id="r")
READ = "import pathlib, sys, time; t = pathlib.Path(sys.argv[1]).read_text(); time.sleep(60 * (t == 'hang')); print(t)"


class TestCommandProbe(ProbeContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        file = tmp_path / "depth"
        file.write_text("3")

        def write(text: str) -> None:
            file.write_text(text)

        return Source(
            probe=CommandProbe(value=(sys.executable, "-c", READ, str(file)), timeout_=2_000),
            expected=lambda: float(file.read_text()),
            change=lambda: write("-7.25e1"),
            silence=lambda: write("hang"),
            spoil=lambda: write("three"),
        )


def shell(text: str) -> CommandProbe:
    return CommandProbe(value=("sh", "-c", text), timeout_=5_000)


def test_standard_error_is_no_part_of_the_number() -> None:
    assert shell("echo 12; echo a warning >&2").read(WORLD) == 12


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 12; echo 13", "not one number"),
        ("echo 12 ms", "not one number: '12 ms'"),
        ("true", "nothing where a number should be"),
        ("echo nan", "not one number"),
        ("echo -inf", "not one number"),
        ("echo null", "not one number"),
        ("echo true", "not one number"),
        ("echo 0x10", "not one number"),
        ("echo 1e9999", "not a number that can be compared"),
        ("yes 1 | head -c 2000000", "printed more than 1048576 bytes"),
        ("echo 12; exit 3", "exit code 3"),
        ("echo 12; echo no such queue >&2; exit 1", "exit code 1: no such queue"),
        ("echo 12; kill -9 $$", "ended by signal 9"),
        ("exec /absent/command", "exit code 127"),
    ],
)
def test_what_is_no_reading(script: str, words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        shell(script).read(WORLD)


def test_a_command_that_is_not_there_is_a_probe_error() -> None:
    with pytest.raises(ProbeError, match="cannot run /absent/command"):
        CommandProbe(value=("/absent/command",)).read(WORLD)


def test_endless_output_is_ended_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(ProbeError, match="printed more than"):
        CommandProbe(value=("yes",), timeout_=20_000).read(WORLD)
    assert time.monotonic() - start < 10


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(ProbeError, match=r"did not end within 0\.5 s"):
        CommandProbe(value=("sh", "-c", f"sleep 60 & echo $! > {pid}; wait"), timeout_=500).read(WORLD)
    child = int(pid.read_text())
    assert eventually(lambda: not _lives(child))


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_a_secret_goes_into_the_environment_and_into_no_message() -> None:
    world = World(run_id="r", secrets=Secrets(values={"token": "s3cret"}))
    probe = CommandProbe(value=("sh", "-c", 'echo "$TOKEN" >&2; exit 1'), env={"TOKEN": "${token}"})
    with pytest.raises(ProbeError) as raised:
        probe.read(world)
    assert str(raised.value).endswith("exit code 1: ***")
    assert "TOKEN" not in os.environ


def test_what_is_said_is_one_printable_line() -> None:
    with pytest.raises(QueryError) as raised:
        shell(r"printf 'a\033[31m\n\nb'").read(WORLD)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": ()}, "^value is empty"),
        ({"value": ("curl", "${token}")}, "^value has a secret"),
        ({"value": ("true",), "env": {"A": 3}}, "^env has 'A'"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CommandProbe(**given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - that is the point
