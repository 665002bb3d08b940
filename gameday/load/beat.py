"""The heartbeat of one load generator: a pulse each tenth of a second, rows and a tick each second. Load child only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gevent

from gameday.load.outlet import Put
from gameday.load.protocol import SLOT_NS
from gameday.load.recorder import Recorder
from gameday.load.schedule import FAR_NS

_PULSES = 10
"""Pulses in a second; rows and a tick come with each tenth."""
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def _nothing(_now_ns: int) -> None:
    pass


def _never() -> int:
    return FAR_NS


def _none(_now_ns: int) -> float:
    return 0.0


@dataclass(slots=True, kw_only=True)
class Beat:
    """What one load generator tells of itself, and how it comes by it."""

    recorder: Recorder
    put: Put
    due_ns: Callable[[], int] = _never
    """When the next arrival is due."""
    rate: Callable[[int], float] = _none
    """Arrivals per second that are asked for at that moment."""
    users: Callable[[], int] = lambda: 0
    expire: Callable[[int], None] = _nothing
    """Called at each pulse, before it."""
    _used_s: float = field(default=0.0, init=False)
    _ticked_ns: int = field(default=0, init=False)

    def run(self) -> None:
        """Beat for ever, on the tenths of a second of the run's clock."""
        self._used_s, self._ticked_ns = time.process_time(), time.monotonic_ns()
        second = None
        while True:
            epoch_ns = self.recorder.epoch_ns
            beat = (time.monotonic_ns() - epoch_ns) // SLOT_NS + 1
            due_ns = epoch_ns + beat * SLOT_NS
            gevent.sleep((due_ns - time.monotonic_ns()) / 1e9)
            now = time.monotonic_ns()
            self.recorder.stalled(now - due_ns)
            self.expire(now)
            self.put(self.recorder.pulse(now))
            if second is not None and beat // _PULSES != second:
                self.second()
            second = beat // _PULSES

    def second(self) -> None:
        """Send the rows so far, and the generator's account of itself since the last time."""
        now, used_s = time.monotonic_ns(), time.process_time()
        cpu = (used_s - self._used_s) / max((now - self._ticked_ns) / 1e9, 1e-3)
        self._used_s, self._ticked_ns = used_s, now
        self.put(self.recorder.aggregate())
        self.put(
            self.recorder.tick(
                now,
                due_ns=self.due_ns(),
                cpu=cpu,
                rss_mb=_resident_mb(),
                rate=round(self.rate(now), 6),
                users=self.users(),
            )
        )

    def bye(self, *, drained: bool) -> None:
        """Send what is left, and the last word."""
        self.second()
        recorder = self.recorder
        self.put({"t": "bye", "offered": recorder.offered, "completed": recorder.completed, "drained": drained})


def _resident_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MB
    except (OSError, ValueError, IndexError):
        return 0.0
