"""The open model: each arrival leaves when the clock says so, whatever became of those before it. Load child only."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import gevent

from gameday.load.recorder import Recorder
from gameday.load.schedule import FAR_NS, Timetable
from gameday.load.sending import Sender

_NAP_S = 0.05
"""How soon a stop is seen when no arrival is due."""

now_ns = time.monotonic_ns


class Pacer:
    """Lets arrivals happen at the times of a timetable."""

    def __init__(self, arrive: Callable[[int], None]) -> None:
        """``arrive`` is called with the intended start of each arrival, and must not wait."""
        self._arrive = arrive
        self._stop_ns: int | None = None
        self.timetable: Timetable | None = None

    def stop(self) -> None:
        """Let nothing arrive that is due after now."""
        self._stop_ns = now_ns()

    @property
    def due_ns(self) -> int:
        """When the next arrival is due."""
        if self.timetable is None:
            return FAR_NS
        due_ns = self.timetable.due_ns
        return FAR_NS if self._stop_ns is not None and due_ns > self._stop_ns else due_ns

    def run(self, timetable: Timetable) -> None:
        """Let arrivals leave until stopped; what was due before the stop still leaves."""
        self.timetable = timetable
        while True:
            stop_ns = self._stop_ns
            until = stop_ns or now_ns()
            while timetable.due_ns <= until:
                self._arrive(timetable.take())
            if stop_ns is not None:
                return
            wait_s = (timetable.due_ns - now_ns()) / 1e9
            gevent.sleep(min(max(wait_s, 0), _NAP_S))


class OpenModel:
    """Weighted requests at the times of a timetable, at most ``cap`` of them in flight."""

    def __init__(self, *, sender: Sender, recorder: Recorder, mix: Iterator[int], cap: int) -> None:
        self._sender = sender
        self._recorder = recorder
        self._mix = mix
        self._numbers = itertools.count()
        self.cap = cap
        self.pacer = Pacer(self._arrive)

    def _arrive(self, intended_ns: int) -> None:
        endpoint = next(self._mix)
        if self._recorder.in_flight >= self.cap:
            self._recorder.capped_at(endpoint, intended_ns, now_ns())
            return
        k = next(self._numbers)
        self._recorder.arrived(k, intended_ns)
        gevent.spawn_raw(self._send, k, endpoint, intended_ns)

    def _send(self, k: int, endpoint: int, intended_ns: int) -> None:
        self._recorder.left(intended_ns, now_ns())
        self._sender.send(k, endpoint, intended_ns)


def share(total: float, first: int, stride: int) -> int:
    """Return how many of ``total`` things the load generator number ``first`` of ``stride`` has."""
    return max(0, (int(total) - first + stride - 1) // stride)
