"""The watchdog's end of the pipe that says whether a run is alive, and the clocks by which its silence is measured."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from pathlib import Path


def boottime() -> float:
    """Seconds since boot, suspension included; no step of the wall clock changes it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def slept() -> float:
    """Seconds that this machine has been suspended since boot: a laptop that slept has lost its lease."""
    return boottime() - time.monotonic()


class Pipe:
    """The read end, as lines."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.ended = False
        self._rest = b""

    def read(self, seconds: float, *others: int) -> tuple[list[bytes], bool]:
        """Wait at most ``seconds``; return whole lines, and whether one of ``others`` became readable."""
        watch = [*([] if self.ended else [self.descriptor]), *others]
        ready, _, _ = select.select(watch, [], [], max(0.0, seconds))
        lines: list[bytes] = []
        if self.descriptor in ready:
            data = os.read(self.descriptor, 65536)
            self.ended = not data
            *lines, self._rest = (self._rest + data).split(b"\n")
        return lines, any(other in ready for other in others)

    def await_end(self, seconds: float) -> bool:
        """Drain until end of file, at most ``seconds``; return whether it came."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            self.read(end - time.monotonic())
        return self.ended

    def holders(self) -> tuple[str, ...]:
        """Name the processes that hold the write end open, as far as we may look: ``sleep (pid 12)``."""
        wanted = Path(f"/proc/self/fd/{self.descriptor}").readlink()
        found: list[str] = []
        for folder in Path("/proc").glob("[0-9]*/fd"):
            with suppress(OSError):
                if folder.parent.name != str(os.getpid()) and any(fd.readlink() == wanted for fd in folder.iterdir()):
                    name = (folder.parent / "comm").read_text(encoding="utf-8", errors="replace").strip()
                    found.append(f"{name} (pid {folder.parent.name})")
        return tuple(sorted(found))
