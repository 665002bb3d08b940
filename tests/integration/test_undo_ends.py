"""Ends that are not a plain kill: disks that are full, clocks that jump, cores that are busy, watchdogs that hang, torn journals."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gameday.journal.reader import read_journal
from gameday.spi import World
from gameday.testing import eventually, stays
from gameday.undo.recover import recover_run
from tests.harness import Lab, await_true, switch

STEPPING_CLOCK = """
import time
_real, _monotonic = time.time, time.monotonic
def _stepping():
    return _real() + (86_400 if int(_monotonic() * 2) % 2 else -86_400)
time.time = _stepping
"""
"""A sitecustomize that steps the wall clock by two days, forth and back, every half second, in every process of ours."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def held(lab: Lab, seconds: str = "30s", **params: object) -> dict[str, object]:
    return {"flip": {"do": "command", "with": {**switch(lab.folder, "harmless"), **params}, "for": seconds}}


def all_clean(lab: Lab) -> None:
    await_true(lambda: not (lab.folder / "harmless").exists(), 3, "the fault is gone")
    await_true(lambda: lab.left_over() == [], 3, f"nothing left: {lab.left_over()}")


def bare_request(folder: Path, **more: object) -> bytes:
    """A command fault that leaves a trace each time it was applied."""
    flag, seen = str(folder / "flag"), str(folder / "seen")
    params = {"run": ["touch", flag, seen], "undo": ["rm", "-f", flag], "active": ["test", "-e", flag]}
    world = World(run_id=folder.name).to_json(with_secrets=True)
    request = {"run_folder": str(folder), "driver": "command", "params": params, "world": world, "hold_ms": 10, **more}
    return json.dumps(request).encode() + b"\n"


def run_bare(request: bytes, before: Callable[[], None] | None = None) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "gameday.undo.bare"],
        input=request,
        capture_output=True,
        timeout=50,
        preexec_fn=before,
    )
    return done.returncode


def limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _is_gone(path: Path) -> bool:
    return not path.exists()


@pytest.mark.slow
def test_on_a_disk_that_is_full_nothing_is_injected_and_what_is_on_is_undone(tmp_path: Path) -> None:
    """Whatever size the journal may have: no fault without its whole armed record on disk, and never one that stays."""
    whole = tmp_path / "whole"
    whole.mkdir()
    assert run_bare(bare_request(whole)) == 0
    length = (whole / "journal.ndjson").stat().st_size
    plan = (whole / "plan.json").stat().st_size
    injected = refused = 0
    for size in range(plan + 20, length, 160):
        folder = tmp_path / f"size-{size}"
        folder.mkdir()
        assert run_bare(bare_request(folder), partial(limited, size)) != 0
        armed = any(event.kind == "armed" for event in read_journal(folder / "journal.ndjson").events)
        assert (folder / "seen").exists() <= armed, size
        assert eventually(partial(_is_gone, folder / "flag"), 3), size
        injected, refused = injected + (folder / "seen").exists(), refused + (not armed)
    assert injected >= 3
    assert refused >= 3


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tiny file system needs root")
def test_a_run_whose_disk_fills_up_in_the_baseline_ends_as_such_and_leaves_nothing(lab: Lab) -> None:
    lab.runs.mkdir()
    touches = {"run": ["touch", str(lab.folder / "harmless"), str(lab.folder / "seen")]}
    path = lab.write(faults=[held(lab, "2s", **touches)])
    script = """
        mount -t tmpfs -o size=2m tmpfs "$1"
        "$2" -m gameday run "$3" --output "$1" & pid=$!
        for i in $(seq 200); do grep -qs '"baseline"' "$1"/*/journal.ndjson && break; sleep 0.05; done
        dd if=/dev/zero of="$1"/ballast bs=4k 2>/dev/null
        wait $pid; code=$?
        rm "$1"/ballast; cp -r "$1"/. "$4"; exit $code
    """
    kept = lab.folder / "kept"
    kept.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(lab.runs), sys.executable, str(path), str(kept)],
        capture_output=True,
        text=True,
        timeout=50,
        env=lab.environment(),
        cwd=lab.folder,
    )
    assert not (lab.folder / "harmless").exists()
    assert done.returncode in (3, 4, 5), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    kinds = [event.kind for event in read_journal(next(kept.glob("*/journal.ndjson"))).events]
    assert "armed" in kinds or not (lab.folder / "seen").exists(), "it was injected without a journal"
    assert done.returncode != 5 or "armed" in kinds, "dirty: what the journal could not take any more is not proven"
    assert "closed" not in kinds or "armed" not in kinds, "the disk was never full"


@pytest.mark.slow
def test_a_wall_clock_that_jumps_both_ways_decides_nothing(lab: Lab) -> None:
    site = lab.folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(STEPPING_CLOCK)
    environment = {**lab.environment(), "PYTHONPATH": f"{site}{os.pathsep}{lab.environment()['PYTHONPATH']}"}
    steps = "import time; a = time.time(); time.sleep(0.5); print(abs(time.time() - a) > 80_000)"
    shown = subprocess.run([sys.executable, "-c", steps], env=environment, capture_output=True, text=True)
    assert shown.stdout == "True\n", "the clock does not jump at all"
    done = subprocess.run(
        lab.command("run", str(lab.write()), "--output", str(lab.runs)),
        capture_output=True,
        text=True,
        timeout=50,
        env=environment,
        cwd=lab.folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not lab.happened("taken-over")
    assert lab.happened("reverted", fault="flip", by="runner", proven=True)


@pytest.mark.slow
def test_a_fault_that_keeps_every_core_busy_is_no_death(lab: Lab) -> None:
    pids, hogs = str(lab.folder / "pids"), str(8 * (os.cpu_count() or 1))
    busy = {
        "run": ["sh", "-c", 'for i in $(seq "$1"); do (while :; do :; done) & echo $! >> "$0"; done', pids, hogs],
        "undo": ["sh", "-c", 'test ! -e "$0" || { kill $(cat "$0"); rm "$0"; }', pids],
        "active": ["test", "-s", pids],
    }
    path = lab.write(faults=[{"busy": {"do": "command", "with": busy, "for": "9s"}}])
    with lab.active(path, fault="busy") as process:
        running = Path(pids).read_text().split()
        assert process.wait(50) in (0, 1, 3), lab.log()
    assert not lab.happened("taken-over"), "the watchdog took a busy runner for a dead one"
    assert not lab.happened("abort")
    assert lab.happened("reverted", fault="busy", by="runner", proven=True)
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in running), 2)


@pytest.mark.slow
def test_a_watchdog_that_hangs_is_noticed_and_everything_reverted(lab: Lab) -> None:
    with lab.active(lab.write(faults=[held(lab)])) as process:
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        os.kill(watchdog, signal.SIGSTOP)
        assert process.wait(30) == 4, lab.log()
    assert lab.happened("abort", reason="watchdog-lost")
    assert lab.happened("reverted", fault="flip", by="runner", proven=True)
    all_clean(lab)


@pytest.mark.slow
def test_the_proxy_of_a_lost_run_passes_traffic_and_is_taken_over_and_recover_ends_it(lab: Lab) -> None:
    port = lab.port + 1 if lab.port < 60_000 else lab.port - 1
    document: dict[str, Any] = {
        **lab.document(),
        "proxies": {"edge": {"listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{lab.port}"}},
        "faults": [{"down": {"do": "proxy.down", "with": {"proxy": "edge"}, "for": "30s"}}],
    }
    document["load"] = {**document["load"], "target": f"http://127.0.0.1:{port}", "rate": "20/s"}

    def lose() -> None:
        before = len(list(lab.runs.iterdir())) if lab.runs.exists() else 0
        with lab.started(lab.write(document)) as process:
            await_true(lambda: lab.runs.exists() and len(list(lab.runs.iterdir())) > before, 20, lab.log())
            lab.await_event("active", fault="down")
            process.kill()
            process.wait()
            lab.await_event("reverted", 10, fault="down", by="watchdog", proven=True)

    def accepts() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    lose()
    await_true(lambda: all("gameday.proxy" in line for line in lab.left_over()), 3, f"{lab.left_over()}")
    assert accepts(), "the proxy of a lost run is up: it sits in the way of traffic"
    first = lab.run_folder
    lose()  # the next run takes the port over
    assert lab.run_folder != first
    assert accepts()
    said = subprocess.run(
        lab.command("recover", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment()
    )
    assert said.returncode == 0, said.stdout
    all_clean(lab)
    assert not accepts()


@pytest.mark.slow
def test_runner_and_watchdog_killed_what_the_runner_owned_ends_by_itself_and_recover_undoes_the_rest(lab: Lab) -> None:
    port = lab.port + 1 if lab.port < 60_000 else lab.port - 1
    document: dict[str, Any] = {
        **lab.document(),
        "proxies": {"edge": {"listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{lab.port}"}},
        "faults": [{"down": {"do": "proxy.down", "with": {"proxy": "edge"}, "for": "30s"}}, held(lab)],
    }
    with lab.started(lab.write(document)) as process:
        for name in ("down", "flip"):
            lab.await_event("active", fault=name)
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(watchdog, signal.SIGKILL)
        process.kill()
        process.wait()

    def accepts() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    await_true(accepts, 1, "the proxy lets traffic pass when its runner is gone, whoever else is")
    assert (lab.folder / "harmless").exists(), "nobody is left to undo this one"
    listed = subprocess.run(
        lab.command("recover", "--all", "--dry-run"), capture_output=True, text=True, env=lab.environment()
    )
    assert listed.returncode == 5
    for what in ("would revert flip", "would revert down", "would stop target", "would end the fault proxy"):
        assert what in listed.stdout
    done = subprocess.run(lab.command("recover", "--all"), capture_output=True, text=True, env=lab.environment())
    assert done.returncode == 0, done.stdout
    assert "reverted flip: proven gone" in done.stdout
    all_clean(lab)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was lost with its watchdog while its fault was on; the fault has no check, so recovering is quick."""
    folder = tmp_path_factory.mktemp("lost") / "lost-1"
    folder.mkdir()
    end = {"at": "injected", "watchdog": True}
    flag = str(folder.parent / "flag")
    params = {"run": ["touch", flag], "undo": ["rm", "-f", flag]}
    assert run_bare(bare_request(folder, end=end, params=params)) == -signal.SIGKILL
    assert Path(flag).exists()
    return folder


@pytest.mark.slow
def test_recover_undoes_from_a_journal_torn_at_any_byte(
    lost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    whole = (lost / "journal.ndjson").read_bytes()
    flag = lost.parent / "flag"
    undone = untouched = 0
    for cut in range(0, len(whole), 2):
        folder = tmp_path / "torn-1"
        shutil.copytree(lost, folder)
        (folder / "journal.ndjson").write_bytes(whole[:cut])
        flag.touch()
        armed = any(event.kind == "armed" for event in read_journal(folder / "journal.ndjson").events)
        outcome = recover_run(folder)
        assert outcome.clean
        whole_but_for_its_end = whole[cut : cut + 1] == b"\n"  # undone too: it does no harm
        assert flag.exists() != armed or whole_but_for_its_end, cut
        undone, untouched = undone + armed, untouched + (not armed)
        assert not armed or not read_journal(folder / "journal.ndjson").tail, "who continues a journal seals its tear"
        shutil.rmtree(folder)
    assert undone > 50
    assert untouched > 50


def test_an_armed_record_behind_a_damaged_one_is_still_undone(
    lost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "damaged-1"
    shutil.copytree(lost, folder)
    journal = folder / "journal.ndjson"
    journal.write_bytes(journal.read_bytes().replace(b'"watchdog-started"', b'"watchdog-STARTED"', 1))
    flag = lost.parent / "flag"
    flag.touch()
    assert recover_run(folder).clean
    assert stays(lambda: not flag.exists())
