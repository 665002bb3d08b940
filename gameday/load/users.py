"""The closed model: users that wait for each answer, and begin a request a second at most. Load child only.

A user sends its next request one second after it began the last one, or at once when the answer took longer (Locust calls this
``constant_pacing(1)``). So ``users: 50`` ask for at most 50 requests a second, spread evenly, and for fewer when the system is slow: that
is what a closed model hides, and why the open one is the default.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import gevent

from gameday.load.recorder import Recorder
from gameday.load.sending import Sender

PACE_NS = 1_000_000_000
"""A user begins a request this often at most."""
_LOOK_S = 0.05

now_ns = time.monotonic_ns


class ClosedModel:
    """As many users as are asked for, each in a greenlet of its own."""

    def __init__(self, *, sender: Sender, recorder: Recorder, mix: Iterator[int], spawn_rate: float | None) -> None:
        self._sender = sender
        self._recorder = recorder
        self._mix = mix
        self._spawn_rate = spawn_rate
        self._numbers = itertools.count()
        self._stopped = False
        self._wanted = 0
        self.users = 0
        """Users at work."""

    def stop(self) -> None:
        """Let no user begin another request."""
        self._stopped = True
        self._wanted = 0

    def run(self, begin_ns: int, wanted: Callable[[int], int]) -> None:
        """Keep as many users at work as ``wanted`` returns for each moment, until stopped; then wait for the last of them."""
        gevent.sleep(max(0.0, (begin_ns - now_ns()) / 1e9))
        while not self._stopped:
            now = now_ns()
            self._wanted = self._limited(wanted(now), now - begin_ns)
            self._add(self._wanted - self.users)
            gevent.sleep(_LOOK_S)
        while self.users:
            gevent.sleep(0.005)

    def _limited(self, wanted: int, took_ns: int) -> int:
        """Return how many users there may be already: ``spawn_rate`` says how fast they come."""
        if self._spawn_rate is None:
            return wanted
        return min(wanted, int(1 + self._spawn_rate * took_ns / 1e9))

    def _add(self, count: int) -> None:
        """Start users, spread over one pace: users in step would be bursts."""
        for n in range(count):
            self.users += 1
            gevent.spawn_raw(self._live, now_ns() + n * PACE_NS // count)

    def _live(self, next_ns: int) -> None:
        try:
            while self._awake(next_ns):
                next_ns = now_ns()
                k = next(self._numbers)
                self._recorder.arrived(k, next_ns)
                self._recorder.began()
                self._sender.send(k, next(self._mix), next_ns)
                next_ns += PACE_NS
        finally:
            self.users -= 1

    def _awake(self, next_ns: int) -> bool:
        """Wait for the next turn; return whether this user is still wanted then."""
        while not self._stopped and self.users <= self._wanted:
            left_s = (next_ns - now_ns()) / 1e9
            if left_s <= 0:
                return True
            gevent.sleep(min(left_s, _LOOK_S))
        return False
