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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gameday.spi.errors import DriverError

PIPE_VARIABLE = "GAMEDAY_PIPE_FD"
OUTPUT_LIMIT = 64 * 1024
"""Bytes of output that are kept of one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended."""

    code: int
    """Its exit code; minus the signal's number when a signal ended it."""
    output: str
    """Standard output and error together, the last 64 KiB."""


def inherited_pipe() -> tuple[int, ...]:
    """Return the descriptor of the watchdog's pipe, or nothing outside a run."""
    text = os.environ.get(PIPE_VARIABLE, "")
    return (int(text),) if text else ()


def run_child(argv: Sequence[str], *, timeout: float, env: Mapping[str, str] | None = None, cwd: str = "") -> Completed:
    """Run ``argv`` without a shell for at most ``timeout`` seconds, in a process group of its own and in our session.

    It has ended when the command itself has: what it leaves in the background may go on, and keeps the watchdog's pipe.
    Its output goes to a nameless file and not to a pipe, whose end such a background process would hold back. Raises
    DriverError when it cannot be started or does not end in time (its whole group is killed and awaited first).
    """
    with _nameless_file() as output:
        process = _start(argv, output, env, cwd)
        try:
            ended = _await_end(process, timeout)
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not ended:
            raise DriverError(f"{argv[0]} did not end within {timeout:g} s; it was killed")
        return Completed(code=process.returncode, output=_tail(output))


def _nameless_file() -> IO[bytes]:
    """Return where output goes; on a full disk to nowhere, which must not stop an undo."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("w+b")


def _start(argv: Sequence[str], output: IO[bytes], env: Mapping[str, str] | None, cwd: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the argv is the user's own file, and no shell reads it
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd or None,
            pass_fds=inherited_pipe(),
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise DriverError(f"cannot run {argv[0]}: {getattr(error, 'strerror', None) or error}") from error


def _await_end(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until the command itself has ended; Popen.wait polls, and would add up to 50 ms to every fault."""
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - OUTPUT_LIMIT))
    return output.read(OUTPUT_LIMIT).decode(errors="replace")
