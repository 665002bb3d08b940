"""Commands that apply, measure or undo a fault: run to their end, within a deadline, and never left behind unseen.

Each inherits the write end of the watchdog's pipe (its number is in GAMEDAY_PIPE_FD), so that the watchdog sees the end
of file only when the last command in flight has ended: without it, a command that outlives a killed runner applies its
fault *after* the revert (10 of 10 runs left a residue, 0 of 10 with it).
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gameday.spi.errors import DriverError

PIPE_VARIABLE = "GAMEDAY_PIPE_FD"
OUTPUT_LIMIT = 64 * 1024
"""Bytes of output that are kept of one command."""
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended."""

    code: int
    """Its exit code; minus the signal's number when a signal ended it."""
    output: str
    """Standard output and error together, the last 64 KiB; standard output alone where they were kept apart."""
    errors: str = ""
    """Standard error, the last 64 KiB, where it was kept apart."""


def inherited_pipe() -> tuple[int, ...]:
    """Return the descriptor of the watchdog's pipe, or nothing outside a run."""
    text = os.environ.get(PIPE_VARIABLE, "")
    return (int(text),) if text else ()


def run_child(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: str = "",
    apart: bool = False,
    most: int | None = None,
) -> Completed:
    """Run ``argv`` without a shell for at most ``timeout`` seconds, in a process group of its own and in our session.

    It has ended when the command itself has: what it leaves in the background may go on, and keeps the watchdog's pipe.
    Its output goes to a nameless file and not to a pipe, whose end such a background process would hold back; standard error
    goes to another one when they are to be ``apart``. Raises DriverError when it cannot be started, does not end in time, or
    prints more than ``most`` bytes (its whole group is killed and awaited first).
    """
    with ExitStack() as files:
        output = files.enter_context(_nameless_file())
        errors = files.enter_context(_nameless_file()) if apart else None
        process = _start(argv, (output, errors), env, cwd)
        try:
            why = _await_end(process, timeout, output, most)
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if why:
            raise DriverError(f"{argv[0]} {why}; it was killed")
        return Completed(code=process.returncode, output=_tail(output), errors=_tail(errors) if errors else "")


def _nameless_file() -> IO[bytes]:
    """Return where output goes; on a full disk to nowhere, which must not stop an undo."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("w+b")


def _start(
    argv: Sequence[str], files: tuple[IO[bytes], IO[bytes] | None], env: Mapping[str, str] | None, cwd: str
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the argv is the user's own file, and no shell reads it
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1] or subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd or None,
            pass_fds=inherited_pipe(),
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise DriverError(f"cannot run {argv[0]}: {getattr(error, 'strerror', None) or error}") from error


def _await_end(process: subprocess.Popen[bytes], seconds: float, output: IO[bytes], most: int | None) -> str:
    """Wait until the command itself has ended, and return why not; Popen.wait polls, and would add up to 50 ms to every fault."""
    end = time.monotonic() + seconds
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            left = end - time.monotonic()
            if poll.poll(1000 * max(0.0, left if most is None else min(left, _LOOK_SECONDS))):
                break
            if left <= 0:
                return f"did not end within {seconds:g} s"
            if most is not None and os.fstat(output.fileno()).st_size > most:
                break
        return (
            f"printed more than {most} bytes" if most is not None and os.fstat(output.fileno()).st_size > most else ""
        )
    finally:
        os.close(descriptor)


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - OUTPUT_LIMIT))
    return output.read(OUTPUT_LIMIT).decode(errors="replace")
