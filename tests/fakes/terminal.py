"""A program on a terminal of its own: what it writes is awaited, what it reads is typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """One program and the other end of its terminal."""

    process: subprocess.Popen[bytes]
    descriptor: int
    seen: str = ""
    read: int = 0
    """How much of it an ``expect`` has passed."""

    def expect(self, text: str, seconds: float = 30) -> None:
        """Wait until this is written, after what the last ``expect`` found."""
        end = time.monotonic() + seconds
        while text not in self.seen[self.read :]:
            assert time.monotonic() < end, f"not within {seconds} s: {text!r} in {self.seen[self.read :]!r}"
            if not self._more(0.2):
                assert text in self.seen[self.read :], f"it ended without {text!r}: {self.seen[self.read :]!r}"
        self.read = self.seen.index(text, self.read) + len(text)

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self.descriptor, f"{line}\n".encode())

    def press(self, key: str) -> None:
        """Press a key, without Enter."""
        os.write(self.descriptor, key.encode())

    def close(self) -> None:
        """Close the terminal, as a window is closed."""
        os.close(self.descriptor)
        self.descriptor = -1

    def end(self, seconds: float = 60) -> int:
        """Read to its end and return its exit code."""
        end = time.monotonic() + seconds
        while self._more(0.2):
            assert time.monotonic() < end, f"still on after {seconds} s: {self.seen[self.read :]!r}"
        return self.process.wait(timeout=seconds)

    def _more(self, seconds: float) -> bool:
        """Read what has come; return whether there may be more."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # EIO: the program has ended
            return False
        self.seen += _CONTROL.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Generator[Terminal]:
    """Start a program on a new terminal, which is its controlling one (Ctrl-C, hang-up), and end it."""
    ours, theirs = pty.openpty()
    argv = ["setsid", "--ctty", *command]  # it becomes the program, under the same process id
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(environment), cwd=folder)
    os.close(theirs)
    made = Terminal(process, ours)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        if made.descriptor >= 0:
            made.close()
