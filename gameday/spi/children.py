"""Commands that apply, measure or undo a fault: run to their end, within a deadline, and never left behind unseen.

Each inherits the write end of the watchdog's pipe (its number is in GAMEDAY_PIPE_FD), so that the watchdog sees the end of
file only when the last command in flight has ended: without it, a command that outlives a killed runner applies its fault
*after* the revert (10 of 10 runs left a residue, 0 of 10 with it).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gameday.spi.errors import DriverError

PIPE_VARIABLE = "GAMEDAY_PIPE_FD"
OUTPUT_LIMIT = 64 * 1024
"""Bytes of output that are kept of one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended."""

    code: int
    output: str
    """Standard output and error together, the last 64 KiB."""


def inherited_pipe() -> tuple[int, ...]:
    """Return the descriptor of the watchdog's pipe, or nothing outside a run."""
    text = os.environ.get(PIPE_VARIABLE, "")
    return (int(text),) if text else ()


def run_child(argv: Sequence[str], *, timeout: float, env: Mapping[str, str] | None = None, cwd: str = "") -> Completed:
    """Run ``argv`` without a shell for at most ``timeout`` seconds, in a process group of its own, which ends with it.

    Raises DriverError when it cannot be started or does not end in time (its group is killed and awaited first).
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the argv is the user's own file, and no shell reads it
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd or None,
            pass_fds=inherited_pipe(),
            process_group=0,
        )
    except OSError as error:
        raise DriverError(f"cannot run {argv[0]}: {error.strerror or error}") from error
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise DriverError(f"{argv[0]} did not end within {timeout:g} s; it was killed") from None
    return Completed(code=process.returncode, output=output[-OUTPUT_LIMIT:].decode(errors="replace"))
