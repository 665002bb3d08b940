"""The leader's terminal: lines out, lines in, signals noted; nothing here waits longer than it is told."""

from __future__ import annotations

import getpass
import os
import select
import signal
import sys
from types import FrameType

import click

from gameday.cli.terminal import printable
from gameday.gamedays.day.desk import DeskClosedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CHUNK = 4096
_LONGEST = 20_000


class TerminalDesk:
    """Standard input and standard error; a signal that comes while nothing runs asks to end."""

    def __init__(self, *, by: str, role: str, attended: bool) -> None:
        self.by, self.role, self.attended = by, role, attended
        self._typed = b""
        self._ended = False
        self._signal = ""

    def say(self, text: str) -> None:
        """Show lines of ours; a terminal that is gone ends nothing."""
        try:
            for line in text.split("\n"):
                click.echo(printable(line), err=True)
        except OSError:
            return

    def line(self, seconds: float) -> str | None:
        """Return a line that was typed within ``seconds``, or None; raise DeskClosedError at the end of the input."""
        if (found := self._next()) is not None:
            return found
        if self._ended:
            raise DeskClosedError
        try:
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], seconds)
            data = os.read(sys.stdin.fileno(), _CHUNK) if ready else None
        except (OSError, ValueError) as error:  # a pty whose other end is gone says EIO
            raise DeskClosedError from error
        if data is not None:
            self._typed += data
            self._ended = not data
        return self._next()

    def _next(self) -> str | None:
        line, end, rest = self._typed.partition(b"\n")
        if not end and not (self._ended and line) and len(line) < _LONGEST:
            return None
        self._typed = rest
        return line.decode("utf-8", "replace").strip("\r")

    def interrupted(self) -> str:
        """Return the signal that asked to end; empty without one."""
        return self._signal

    def listen(self) -> None:
        """Note signals from now on: to be called again after each run, which has handlers of its own."""
        for signum in _SIGNALS:
            signal.signal(signum, self._note)

    def _note(self, signum: int, _frame: FrameType | None) -> None:
        self._signal = signal.Signals(signum).name


def me() -> str:
    """Return who runs this, as ``--by`` would say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
