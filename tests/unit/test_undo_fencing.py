"""Fencing ends whole sessions, and nobody else: a pid that is somebody else's by now is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

from gameday.model import ProcessRef
from gameday.spi.processes import alive, all_pids, await_gone, identify
from gameday.testing import eventually, stays
from gameday.undo.fencing import fence, kill_sessions, stop_groups
from tests.fakes.victims import stranger


def members(leader: int) -> list[int]:
    found: list[int] = []
    for pid in all_pids():
        with suppress(OSError):
            if os.getsid(pid) == leader and identify(pid) is not None:
                found.append(pid)
    return found


def test_a_whole_session_ends_in_whatever_group() -> None:
    """As a driver host's: its commands have groups of their own, and children in the background."""
    code = "import os, subprocess; subprocess.Popen(['sh', '-c', 'sleep 60 & sleep 60'], process_group=0).wait()"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:
        try:
            assert eventually(lambda: len(members(process.pid)) >= 4)
            ref = identify(process.pid)
            assert ref is not None
            assert kill_sessions([ref])
            assert process.wait(5) == -signal.SIGKILL
        finally:
            process.kill()
    assert members(process.pid) == []


def test_a_session_outlives_its_leader_and_is_ended_all_the_same() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & exec sleep 0.2"], start_new_session=True) as process:
        ref = identify(process.pid)
        process.wait()
    assert ref is not None
    assert members(ref.pid)
    assert kill_sessions([ref])
    assert members(ref.pid) == []


def test_a_recycled_pid_is_never_signalled() -> None:
    with stranger() as ref:
        earlier = replace(ref, start=ref.start - 100)
        assert fence(earlier)
        assert kill_sessions([earlier])
        assert stop_groups([earlier]) == ()
        assert stays(lambda: alive(ref))


def test_nobody_is_no_session() -> None:
    assert kill_sessions([])
    assert kill_sessions([ProcessRef(pid=2**22 - 7, start=1)])


def test_a_stopped_process_is_fenced() -> None:
    with stranger() as ref:
        os.kill(ref.pid, signal.SIGSTOP)
        assert fence(ref)
        assert await_gone(ref, 1)
