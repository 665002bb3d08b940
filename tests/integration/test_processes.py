from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gameday.model import ProcessRef
from gameday.spi import DriverError, Secrets, World
from gameday.spi.children import OUTPUT_LIMIT, PIPE_VARIABLE, run_child
from gameday.spi.processes import alive, await_gone, identify, marked, reap, send, start_process, state
from gameday.spi.world import ProcessSpec
from gameday.testing import eventually, stays
from gameday_drivers.process_target import off_limits
from tests.fakes.victims import SLEEP, running, stranger, world_of


def _is_kthreadd() -> bool:
    path = Path("/proc/2/comm")
    return path.exists() and path.read_text() == "kthreadd\n"


def python(code: str, *argv: object) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, sys, time; {code}", *map(str, argv))


def test_a_signal_reaches_that_very_process() -> None:
    with stranger() as ref:
        assert send(ref, signal.SIGSTOP)
        assert eventually(lambda: state(ref) == "T")


@pytest.mark.parametrize("change", [{"start": 1}, {"boot_id": "another"}])
def test_a_recycled_pid_is_never_signalled(change: dict[str, object]) -> None:
    with stranger() as ref:
        other = replace(ref, **change)  # type: ignore[arg-type]  # one field of its own type
        assert not alive(other)
        assert not send(other, signal.SIGKILL)
        assert stays(lambda: alive(ref), 0.1)


def test_a_zombie_is_gone() -> None:
    with subprocess.Popen(["true"]) as process:
        ref = identify(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert identify(process.pid) is None
        assert ref is None or (not alive(ref) and await_gone(ref, 0) and not send(ref, signal.SIGKILL))


def test_waiting_for_an_end_is_bounded() -> None:
    with stranger() as ref:
        assert not await_gone(ref, 0.05)


def test_what_is_started_is_found_by_its_marks_alone(tmp_path: Path) -> None:
    with running(world_of(tmp_path, "a", "b")) as world, running(world_of(tmp_path / "..", "a")) as other:
        assert [name for name, _ in marked(world.run_id)] == ["a", "b"]
        ((_, a),) = marked(world.run_id, "a")
        assert alive(a)
        assert a not in [ref for _, ref in marked(other.run_id)]
        assert marked(world.run_id, "c") == marked("no-such-run") == ()


def test_it_has_a_session_its_environment_its_log_and_none_of_our_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    monkeypatch.setenv(PIPE_VARIABLE, str(write))
    monkeypatch.setenv("OURS", "kept")
    code = (
        "print(os.getsid(0) == os.getpid(), os.environ['OURS'], os.environ['KEY'], os.getcwd(), sys.stdin.read() == '',"
        f" '{PIPE_VARIABLE}' in os.environ, flush=True); time.sleep(120)"
    )
    spec = ProcessSpec(
        name="api", argv=python(code), env={"KEY": "<${key}>"}, cwd=str(tmp_path), log=str(tmp_path / "log")
    )
    world = World(run_id="session-test", system={"api": spec}, secrets=Secrets(values={"key": "v"}))
    Path(spec.log).write_text("before\n")
    with running(world):
        os.close(write)
        assert select.select([read], [], [], 5)[0], "it holds the watchdog's pipe"
        assert os.read(read, 1) == b""
        assert eventually(lambda: Path(spec.log).read_text() == f"before\nTrue kept <v> {tmp_path} True False\n")
    os.close(read)


def test_starting_it_again_while_it_runs_starts_nothing(tmp_path: Path) -> None:
    with running(world_of(tmp_path, "a")) as world:
        ((_, ref),) = marked(world.run_id, "a")
        assert start_process(world.system["a"], world.run_id, world.secrets) == ref
        assert [found for _, found in marked(world.run_id)] == [ref]


def test_many_who_start_it_at_once_start_one(tmp_path: Path) -> None:
    world = world_of(tmp_path, "a")
    found: list[object] = []

    def start() -> None:
        found.append(start_process(world.system["a"], world.run_id, world.secrets))

    with running(replace(world, system={})):
        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        reap_all = marked(world.run_id)
        assert len(reap_all) == 1
        send(reap_all[0][1], signal.SIGKILL)
        assert eventually(lambda: reap(reap_all[0][1]) == -signal.SIGKILL)


def test_what_has_been_started_is_found_at_once(tmp_path: Path) -> None:
    """Popen returns in mid-exec, where a look at the environment finds nothing: 42 of 1000 were missed before this was awaited."""
    world = world_of(tmp_path, *(f"p{number}" for number in range(40)), argv=("sleep", "120"))
    with running(replace(world, system={})):
        started: list[ProcessRef] = []
        for name, spec in world.system.items():
            started.append(start_process(spec, world.run_id, world.secrets))
            assert marked(world.run_id, name) == ((name, started[-1]),)
        for ref in started:
            send(ref, signal.SIGKILL)
        assert eventually(lambda: all(reap(ref) is None and not alive(ref) for ref in started))


def test_an_exit_code_is_reaped_once(tmp_path: Path) -> None:
    spec = ProcessSpec(name="a", argv=python("sys.exit(7)"), log=str(tmp_path / "log"))
    ref = start_process(spec, "reap-test", Secrets())
    codes: list[int] = []

    def reaped() -> bool:
        code = reap(ref)
        codes.extend([] if code is None else [code])
        return bool(codes)

    assert eventually(reaped)
    assert codes == [7]
    assert reap(ref) is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ProcessSpec(name="a", argv=("/absent/program",)), "cannot start a .*No such file"),
        (ProcessSpec(name="a", argv=("true",), cwd="/absent/folder"), "cannot start a"),
        (ProcessSpec(name="a", argv=("true",), log="/absent/folder/log"), "cannot start a"),
        (ProcessSpec(name="a", argv=("true", "nul\0byte")), "cannot start a"),
        (ProcessSpec(name="a", argv=("true",), env={"KEY": "${gone}"}), "secret 'gone' is not set"),
    ],
)
def test_what_cannot_start_is_a_driver_error(spec: ProcessSpec, words: str) -> None:
    with pytest.raises(DriverError, match=words):
        start_process(spec, "absent-test", Secrets())


def test_a_command_ends_with_its_code_and_the_end_of_its_output() -> None:
    done = run_child(python(f"print('x' * {2 * OUTPUT_LIMIT}); print('end', file=sys.stderr); sys.exit(3)"), timeout=20)
    assert done.code == 3
    assert len(done.output) == OUTPUT_LIMIT
    assert done.output.endswith("x\nend\n") or done.output.startswith("x")


def test_a_command_that_a_signal_ends_says_so() -> None:
    assert run_child(python("os.kill(os.getpid(), 15)"), timeout=20).code == -signal.SIGTERM


def test_a_command_that_takes_too_long_is_killed_with_its_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(DriverError, match=r"sh did not end within 1 s; it was killed"):
        run_child(("sh", "-c", f"sleep 60 & echo $! > {pids}; wait"), timeout=1)
    child = int(pids.read_text())
    assert eventually(lambda: identify(child) is None)


def test_a_command_that_leaves_a_background_child_is_not_waited_for(tmp_path: Path) -> None:
    start = time.monotonic()
    done = run_child(("sh", "-c", "sleep 60 & echo $!"), timeout=30)
    ref = identify(int(done.output))
    assert ref is not None
    assert time.monotonic() - start < 20
    assert send(ref, signal.SIGKILL)


def test_a_command_holds_the_watchdogs_pipe_until_the_last_of_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setenv(PIPE_VARIABLE, str(write))
    background = int(run_child(("sh", "-c", "sleep 60 & echo $!"), timeout=20).output)
    os.close(write)
    assert not select.select([read], [], [], 0.2)[0], "the pipe ended while a command was in flight"
    os.kill(background, signal.SIGKILL)
    assert select.select([read], [], [], 5)[0]
    assert os.read(read, 1) == b""
    os.close(read)


@pytest.mark.parametrize("argv", [("/absent/program",), ("true", "nul\0byte")])
def test_a_command_that_cannot_start_is_a_driver_error(argv: tuple[str, ...]) -> None:
    with pytest.raises(DriverError, match="cannot run"):
        run_child(argv, timeout=1)


def test_gameday_never_touches_itself() -> None:
    assert "first process" in off_limits(1)
    assert "gameday itself" in off_limits(os.getpid())
    assert "gameday itself" in off_limits(os.getppid())
    assert off_limits(2**22 - 1) == "is gone"


@pytest.mark.skipif(not _is_kthreadd(), reason="this machine shows no threads of its kernel")
def test_gameday_never_touches_the_kernel() -> None:
    assert off_limits(2) == "is a thread of the kernel"


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("gameday.undo.host", "belongs to gameday"),
        ("gameday", "belongs to gameday"),
        ("gameday.shop.payments", ""),
        ("gamedays", ""),
    ],
)
def test_gameday_never_touches_its_other_processes_but_its_shop_is_fair_game(module: str, words: str) -> None:
    with stranger(*SLEEP, "-m", module) as ref:
        assert eventually(lambda: off_limits(ref.pid) == words)
