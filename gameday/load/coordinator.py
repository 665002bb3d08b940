"""The master's side of Locust's own workers: who measures, whose clock is known, and their messages as one stream. Load child only.

Everything travels as one custom message of Locust's, ``gameday``. A worker says ``hello``, its clock is read, it is told the run's clock in
its own (``setup``, and again every two seconds, since clocks drift), says ``joined``, and from ``begin`` on sends the messages of
gameday.load.protocol. A worker that takes part without all that is a stranger: what it sends cannot be counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import gevent

from gameday.load.clock import ENOUGH, Clock
from gameday.load.hosts import host_patterns
from gameday.load.merge import Merger
from gameday.load.outlet import Put
from gameday.load.protocol import SLOT_NS, TEXT_LIMIT, check_message
from gameday.load.shapes import is_object
from gameday.spi.errors import LoadError

CHANNEL = "gameday"
_PULSES = 10
_TICK_BEAT = 2
_ASK_S = 0.1
_ASK_AGAIN_S = 2.0
_STRANGE_NS = 5_000_000_000
"""A worker that has not joined this long after it connected is a stranger."""
_OWN = ("hello", "joined", "clock")


class _Member:
    def __init__(self, now_ns: int) -> None:
        self.clock = Clock()
        self.joined = False
        self.set_up = False
        self.asked_ns = 0
        self.since_ns = now_ns


class Coordinator:
    """What the master knows of its workers."""

    def __init__(self, runner: Any, config: Mapping[str, Any], put: Put, *, expect: int, token: str) -> None:
        self._runner = runner
        self._config = config
        self._put = put
        self._token = token
        self._expect = expect
        self._epoch_ns = int(config["epoch_ns"])
        self._members: dict[str, _Member] = {}
        self._connected: dict[str, int] = {}
        self._begun = False
        self.merger = Merger(put, expect=expect)
        runner.register_message(CHANNEL, self._on_message)

    def gather(self, seconds: float) -> None:
        """Wait until the expected workers have joined; raise LoadError when they do not come."""
        end_s = time.monotonic() + seconds
        while sum(member.joined for member in self._members.values()) < self._expect:
            if time.monotonic() > end_s:
                raise LoadError(self._absent(seconds))
            self._ask_clocks()
            gevent.sleep(_ASK_S / 2)

    def _absent(self, seconds: float) -> str:
        joined = sum(member.joined for member in self._members.values())
        others = len(set(self._runner.clients) - {name for name, member in self._members.items() if member.joined})
        plain = f", and {others} without gameday's listener or a known clock" if others else ""
        return (
            f"{joined} of {self._expect} workers came within {seconds:g} s{plain}; start each with: "
            "python -m gameday.load.worker -f LOCUSTFILE --master-host HOST --master-port PORT"
        )

    def begin(self) -> None:
        """Let every worker measure from now on, and tell of them."""
        self._begun = True
        for name in self._members:
            self._begin(name)
        gevent.spawn(self._beat)

    def stop(self, seconds: float) -> None:
        """Have every worker stop its users and say its last word; wait for that, at most for ``seconds``."""
        for name in self._members:
            self._tell(name, {"t": "stop"})
        end_s = time.monotonic() + seconds
        while not self.merger.over(time.monotonic_ns()) and time.monotonic() < end_s:
            gevent.sleep(0.01)

    def _tell(self, name: str, message: dict[str, Any]) -> None:
        self._runner.send_message(CHANNEL, message, name)

    def _begin(self, name: str) -> None:
        self.merger.add(name, time.monotonic_ns())
        self._tell(name, {"t": "begin"})

    def _on_message(self, msg: Any, **_more: Any) -> None:
        """Take what a worker says; anything else than what it may say makes it a stranger."""
        now = time.monotonic_ns()
        name: str = str(msg.node_id)
        data: dict[str, Any] = msg.data if is_object(msg.data) else {}
        member = self._members.get(name)
        match data:
            case {"t": "hello", "token": str(token)} if member is None and (not self._token or token == self._token):
                self._members[name] = _Member(now)
            case {"t": "clock", "m": int(sent), "w": int(theirs)} if member is not None:
                member.clock.read(sent, theirs, now)
                self._set_up(name, member)
            case {"t": "joined"} if member is not None and not member.joined:
                member.joined = True
                if self._begun:
                    self._begin(name)
            case {"t": str()} if member is not None and member.joined and self._begun and data["t"] not in _OWN:
                self._feed(name, data, now)
            case _:
                pass

    def _feed(self, name: str, data: dict[str, Any], now: int) -> None:
        try:
            message = check_message(data)
        except LoadError as error:
            self.merger.lose(name)
            self._put({"t": "log", "text": f"worker {name}: {error}"[:TEXT_LIMIT]})
            return
        self.merger.feed(name, message, now)

    def _ask_clocks(self) -> None:
        """Ask each worker for the time: often at first, then every two seconds."""
        now = time.monotonic_ns()
        for name, member in self._members.items():
            pause_s = _ASK_AGAIN_S if member.clock.readings >= ENOUGH and member.clock.known else _ASK_S
            if now - member.asked_ns >= pause_s * 1e9:
                member.asked_ns = now
                self._tell(name, {"t": "clock", "m": time.monotonic_ns()})

    def _set_up(self, name: str, member: _Member) -> None:
        """Tell a worker the run's zero in its own clock, once that is known."""
        if not member.clock.known:
            return
        setup: dict[str, Any] = {"t": "setup", "epoch_ns": member.clock.theirs(self._epoch_ns)}
        if not member.set_up:
            member.set_up = True
            setup |= {"limits_us": self._config["limits_us"], "timeout_ms": self._config["timeout_ms"]}
            setup["hosts"] = host_patterns(self._config)
        self._tell(name, setup)

    def _find_strangers(self, now: int) -> None:
        connected = set(self._runner.clients)
        for name in connected:
            self._connected.setdefault(name, now)
        self.merger.strangers = {
            name
            for name in connected
            if now - self._connected[name] > _STRANGE_NS
            and not ((m := self._members.get(name)) and m.joined and m.clock.known)
        }

    def _beat(self) -> None:
        while True:
            now = time.monotonic_ns()
            beat = (now - self._epoch_ns) // SLOT_NS + 1
            gevent.sleep((self._epoch_ns + beat * SLOT_NS - now) / 1e9)
            now = time.monotonic_ns()
            self._ask_clocks()
            self._find_strangers(now)
            self.merger.pulse((now - self._epoch_ns) // 1_000_000)
            if beat % _PULSES == _TICK_BEAT:
                self.merger.tick(now)
