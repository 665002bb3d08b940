"""The load child's life: begun, hung, starved, stopped, killed, orphaned: every arrival is counted, or the loss is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from gameday.load.generator import LoadChild
from gameday.load.preflight import load_config
from gameday.load.protocol import Message, encode, parse_message
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from gameday.spi.processes import alive, await_gone, identify, state
from gameday.spi.world import Secrets
from tests.fakes.load_run import Heard, profile, run_load, stall_server
from tests.fakes.stall_server import SECRET

HOME = [{"name": "home", "get": "/"}]
HANG = [{"name": "hang", "get": "/hang"}]


async def start(load: LoadProfile, logs: Path, secrets: Secrets | None = None) -> tuple[LoadChild, int]:
    epoch = time.monotonic_ns()
    child = await LoadChild.start(
        load, limits_us=(300_000,), epoch_ns=epoch, seed=1, logs=logs, secrets=secrets or Secrets()
    )
    return child, epoch


async def begun(load: LoadProfile, logs: Path) -> LoadChild:
    child, epoch = await start(load, logs)
    await child.begin((time.monotonic_ns() - epoch) // 1_000_000)
    return child


async def hear(child: LoadChild, enough: Callable[[Message], bool]) -> list[Message]:
    """Listen until a message is enough."""
    heard: list[Message] = []
    async for message in child.messages():
        heard.append(message)
        if enough(message):
            break
    return heard


def test_arrivals_keep_to_the_schedule_and_their_weights(tmp_path: Path) -> None:
    with stall_server() as address:
        requests = [
            {"name": "browse", "weight": 7, "get": "/a"},
            {"name": "buy", "weight": 3, "post": "/b", "body": "x"},
        ]
        heard = run_load(profile(f"http://{address}", "100/s", requests), 1.0, tmp_path)
    counts = heard.counts()
    assert heard.rows == heard.bye["offered"] == heard.bye["completed"]
    assert 80 <= heard.bye["offered"] <= 125
    assert sum(counts["browse"].values()) == pytest.approx(0.7 * heard.rows, abs=1)
    slots: dict[int, int] = {}
    for message in heard.of("agg"):
        for slot, _, _, count, _ in message["rows"]:
            slots[slot] = slots.get(slot, 0) + count
    inner = [slots[slot] for slot in sorted(slots)[1:-1]]
    assert set(inner) == {10}, "at 100/s each slot of 100 ms holds ten intended starts"
    assert [m["t"] for m in heard.messages][-2:] == ["tick", "bye"]


def test_a_black_hole_shows_in_the_pulses_long_before_anything_completes(tmp_path: Path) -> None:
    async def scenario() -> list[Message]:
        child = await begun(profile(f"http://{address}", "50/s", HANG, timeout="30s"), tmp_path)
        try:
            with anyio.fail_after(10):
                return await hear(child, lambda m: m["t"] == "pulse" and m["over"]["300000"] >= 10)
        finally:
            await child.kill()

    with stall_server() as address:
        last = anyio.run(scenario)[-1]
    assert last["completed"] == last["bad"] == last["slower"]["300000"] == 0
    assert last["in_flight"] == last["sent"] >= last["over"]["300000"]


def test_stop_with_hung_requests_ends_in_time_and_counts_them_all(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(profile(f"http://{address}", "60/s", HANG, timeout="500ms"), 0.7, tmp_path)
    assert heard.stop_s < 1.5
    assert heard.bye["drained"] is True
    assert heard.counts() == {"hang": {"timeout": heard.bye["offered"]}}


def test_what_cannot_be_sent_is_counted_as_capped(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(profile(f"http://{address}", "60/s", HANG, timeout="1s", max_in_flight=5), 0.4, tmp_path)
    counts = heard.counts()["hang"]
    assert counts["timeout"] == 5
    assert counts["capped"] == heard.bye["offered"] - 5 == sum(tick["capped"] for tick in heard.of("tick"))
    assert heard.rows == heard.bye["offered"]
    assert max(pulse["in_flight"] for pulse in heard.of("pulse")) == 5


@pytest.mark.slow
def test_a_starved_generator_says_that_it_was_late_and_loses_no_arrival(tmp_path: Path) -> None:
    async def starve(child: LoadChild) -> None:
        await anyio.sleep(0.5)
        os.kill(child.pid, signal.SIGSTOP)
        await anyio.sleep(0.7)
        os.kill(child.pid, signal.SIGCONT)

    with stall_server() as address:
        heard = run_load(profile(f"http://{address}", "100/s", HOME), 1.8, tmp_path, during=starve)
    assert sum(tick["late"] for tick in heard.of("tick")) >= 40
    assert max(tick["lag_p99_ms"] for tick in heard.of("tick")) > 300
    assert heard.rows == heard.bye["offered"] >= 160


@pytest.mark.slow
def test_a_request_that_we_could_not_send_in_time_is_the_generators_failure(tmp_path: Path) -> None:
    async def starve(child: LoadChild) -> None:
        await anyio.sleep(0.5)
        os.kill(child.pid, signal.SIGSTOP)
        await anyio.sleep(0.9)
        os.kill(child.pid, signal.SIGCONT)

    with stall_server() as address:
        heard = run_load(
            profile(f"http://{address}", "50/s", HOME, timeout="300ms", max_in_flight=500), 1.8, tmp_path, during=starve
        )
    errors = heard.counts()["home"]["generator"]
    assert errors >= 15
    assert sum(tick["generator_errors"] for tick in heard.of("tick")) == errors


@pytest.mark.slow
def test_every_arrival_before_a_ticks_oldest_is_in_the_rows_before_it(tmp_path: Path) -> None:
    with stall_server("--stall", "0.4", "--period", "0.8") as address:
        heard = run_load(profile(f"http://{address}", "200/s", HOME), 2.5, tmp_path)
    decided: dict[int, int] = {}
    whole: dict[int, int] = {}
    for message in heard.of("agg"):
        for slot, _, _, count, _ in message["rows"]:
            whole[slot] = whole.get(slot, 0) + count
    seen = 0
    for message in heard.messages:
        if message["t"] == "agg":
            for slot, _, _, count, _ in message["rows"]:
                decided[slot] = decided.get(slot, 0) + count
        if message["t"] == "tick":
            before = (message["at_ms"] - message["oldest_in_flight_ms"]) // 100
            assert {s: n for s, n in decided.items() if s < before} == {s: n for s, n in whole.items() if s < before}
            seen += sum(s < before for s in whole)
    assert seen > 10


async def hear_until_lost(child: LoadChild, signum: signal.Signals) -> None:
    """Listen; signal the child once it has completed a request."""
    async for message in child.messages():
        if message["t"] == "pulse" and message["completed"]:
            os.kill(child.pid, signum)


async def lose(load: LoadProfile, logs: Path, signum: signal.Signals, seconds: float) -> LoadError:
    """Signal a working child, and return what messages() says within ``seconds``; the process must be gone then."""
    child = await begun(load, logs)
    ref = identify(child.pid)
    assert ref is not None
    try:
        with anyio.fail_after(seconds), pytest.raises(LoadError) as caught:
            await hear_until_lost(child, signum)
        assert not alive(ref)
    finally:
        await child.kill()
    return caught.value


def test_a_killed_child_is_a_loss(tmp_path: Path) -> None:
    with stall_server() as address:
        error = anyio.run(lose, profile(f"http://{address}", "50/s", HOME), tmp_path, signal.SIGKILL, 5.0)
    assert "without a last word (killed by signal 9)" in str(error)


@pytest.mark.slow
def test_a_silent_child_is_a_loss_and_is_gone_after_it(tmp_path: Path) -> None:
    with stall_server() as address:
        error = anyio.run(lose, profile(f"http://{address}", "50/s", HOME), tmp_path, signal.SIGSTOP, 8.0)
    assert "silent for 3.5 s" in str(error)


@pytest.mark.slow
def test_a_child_that_does_not_stop_is_ended(tmp_path: Path) -> None:
    async def scenario() -> float:
        child = await begun(profile(f"http://{address}", "50/s", HOME, timeout="200ms"), tmp_path)
        await hear(child, lambda m: m["t"] == "pulse")
        os.kill(child.pid, signal.SIGSTOP)
        began = time.monotonic()
        await child.stop()
        with anyio.fail_after(5), pytest.raises(LoadError, match="did not stop in time"):
            await hear(child, lambda _: False)
        assert identify(child.pid) is None
        return time.monotonic() - began

    with stall_server() as address:
        assert anyio.run(scenario) < 3


ORPHAN = """
import anyio, sys, time
from pathlib import Path
from gameday.load.generator import LoadChild
from gameday.schema.experiment import LoadProfile
from gameday.spi.world import Secrets

async def main():
    load = LoadProfile.model_validate({"target": sys.argv[1], "rate": "50/s", "requests": [{"name": "home", "get": "/"}]})
    epoch = time.monotonic_ns()
    child = await LoadChild.start(load, limits_us=(), epoch_ns=epoch, seed=1, logs=Path(sys.argv[2]), secrets=Secrets())
    await child.begin((time.monotonic_ns() - epoch) // 1_000_000)
    print(child.pid, flush=True)
    async for _ in child.messages():
        pass

anyio.run(main)
"""


def test_the_child_is_gone_within_a_second_of_its_parents_sigkill(tmp_path: Path) -> None:
    with stall_server() as address:
        parent = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, f"http://{address}", tmp_path], stdout=subprocess.PIPE, text=True
        )
        try:
            assert parent.stdout is not None
            child = identify(int(parent.stdout.readline()))
            assert child is not None
            assert state(child) is not None
        finally:
            parent.kill()
            parent.communicate()
        assert await_gone(child, 1.0)


def test_the_child_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    """What ends it where the kernel knows no parent-death signal."""
    config = load_config(profile("http://127.0.0.1:9", "1/s", HOME), Secrets())
    stream, inherited = os.pipe()
    config |= {"limits_us": [], "epoch_ns": 0, "seed": 0, "out_fd": inherited, "parent_pid": os.getpid()}
    child = subprocess.Popen(
        [sys.executable, "-m", "gameday.load.child"], stdin=subprocess.PIPE, pass_fds=(inherited,), cwd=tmp_path
    )
    os.close(inherited)
    assert child.stdin is not None
    child.stdin.write(encode(config))
    child.stdin.flush()
    assert parse_message(os.read(stream, 1000).rstrip())["t"] == "ready"
    os.close(stream)
    child.stdin.close()
    assert child.wait(1.0) != 0


def test_a_child_that_dies_at_once_is_told_with_its_log_and_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\necho boom: s3cr3t-value >&2\nexit 7\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    with pytest.raises(LoadError) as caught:
        anyio.run(start, profile("http://127.0.0.1:9", "1/s", HOME), tmp_path, Secrets(values={"x": "s3cr3t-value"}))
    assert "boom: ***" in str(caught.value)
    assert "s3cr3t-value" not in str(caught.value)
    assert "load.log" in caught.value.hint


def test_an_interpreter_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with pytest.raises(LoadError, match="cannot start the load generator"):
        anyio.run(start, profile("http://127.0.0.1:9", "1/s", HOME), tmp_path)


def test_garbage_in_the_stream_is_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = tmp_path / "python"
    liar.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nconfig = json.loads(sys.stdin.readline())\n"
        'os.write(config["out_fd"], b\'{"t":"ready","pid":1,"boot_s":0,"locust":"0"}\\n{"t":"bye","offered":-1}\\n\')\nsys.stdin.read()\n'
    )
    liar.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(liar))

    async def scenario() -> None:
        child, _ = await start(profile("http://127.0.0.1:9", "1/s", HOME), tmp_path)
        with pytest.raises(LoadError, match=r"malformed message: bye\.offered"):
            await hear(child, lambda _: False)
        await child.kill()

    anyio.run(scenario)


def test_locusts_own_files_and_variables_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".locust.conf").write_text("users = 99\nrun-time = 1s\nhost = http://127.0.0.1:9\nnonsense-option = 1\n")
    (home / "locust.conf").write_text("headless = true\nlocustfile = /nonexistent.py\n")
    (home / "pyproject.toml").write_text("[tool.locust]\nusers = 77\nlocustfile = 'nonexistent.py'\n")
    for shadow in ("locust.py", "gevent.py", "gameday.py"):
        (home / shadow).write_text("raise SystemExit('shadowed')\n")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    for name, value in {
        "USERS": "55",
        "SKIP_MONKEY_PATCH": "1",
        "LOCUSTFILE": "/nonexistent.py",
        "HOST": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(f"LOCUST_{name}", value)
    with stall_server() as address:
        heard = run_load(profile(f"http://{address}", "50/s", HOME), 0.6, tmp_path)
    assert heard.counts() == {"home": {"ok": heard.bye["offered"]}}


def test_a_secret_is_in_no_argv_no_environment_no_log_and_no_message(tmp_path: Path) -> None:
    found: dict[str, bytes] = {}

    async def look(child: LoadChild) -> None:
        for name in ("cmdline", "environ"):
            found[name] = await anyio.Path(f"/proc/{child.pid}/{name}").read_bytes()

    with stall_server() as address:
        requests = [{"name": "private", "get": "/private", "check": ["json.authorized == true"]}]
        load = profile(f"http://{address}", "30/s", requests, headers={"Authorization": "${token}"})
        heard: Heard = run_load(load, 0.5, tmp_path, secrets=Secrets(values={"token": SECRET}), during=look)
    assert set(heard.counts()["private"]) == {"ok"}, "it was sent, though"
    for text in (*found.values(), (tmp_path / "load.log").read_bytes(), json.dumps(heard.messages).encode()):
        assert SECRET.encode() not in text


def _priorities(pid: int) -> tuple[int, str]:
    group = Path(f"/proc/{pid}/autogroup")
    return os.getpriority(os.PRIO_PROCESS, pid), group.read_text().split()[-1] if group.exists() else "-5"


MAY_GO_FIRST = subprocess.run(
    [sys.executable, "-c", "import os; os.setpriority(0, 0, -5)"], stderr=subprocess.DEVNULL, check=False
)


@pytest.mark.skipif(MAY_GO_FIRST.returncode != 0, reason="only root (CAP_SYS_NICE) may raise a priority")
def test_it_goes_first_alone_and_as_a_session(tmp_path: Path) -> None:
    """Where sessions share the processor out, a priority within its session helps nobody (sched(7), autogroup)."""
    seen: list[tuple[int, str]] = []

    async def look(child: LoadChild) -> None:
        seen.append(_priorities(child.pid))

    with stall_server() as address:
        run_load(profile(f"http://{address}", "20/s", HOME), 0.3, tmp_path, during=look)
    assert seen == [(-5, "-5")]
