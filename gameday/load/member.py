"""A worker's side of Locust's own workers: it measures its requests and tells the master. Load child, and gameday.load.worker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import gevent
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from gameday.load.beat import Beat
from gameday.load.coordinator import CHANNEL
from gameday.load.hostguard import guard_hosts
from gameday.load.recorder import Recorder
from gameday.load.requestwatch import RequestWatch

CLIENTS = (HttpSession, FastHttpSession)
_HELLO_S = 0.5
_KILL_SLACK_S = 0.2


class Member:
    """One worker of a run."""

    def __init__(self, environment: Any, runner: Any, *, token: str, headers: Mapping[str, str], verify: bool) -> None:
        self._environment = environment
        self._runner = runner
        self._token = token
        self._headers = headers
        self._verify = verify
        self._timeout_s = 0.0
        self._watch: RequestWatch | None = None
        self._beat: Beat | None = None
        self._begun = False

    def join(self) -> None:
        """Tell the master that this worker can measure, until it answers."""
        self._runner.register_message(CHANNEL, self._on_message)
        gevent.spawn(self._hello)

    def _hello(self) -> None:
        while self._beat is None:
            self._send({"t": "hello", "token": self._token})
            gevent.sleep(_HELLO_S)

    def _send(self, message: dict[str, Any]) -> None:
        self._runner.send_message(CHANNEL, message)

    def _on_message(self, msg: Any, **_more: Any) -> None:
        match msg.data:
            case {"t": "clock", "m": sent}:
                self._send({"t": "clock", "m": sent, "w": time.monotonic_ns()})
            case {"t": "setup", "limits_us": list(), "hosts": list()}:
                self._set_up(msg.data)
            case {"t": "setup", "epoch_ns": int(epoch_ns)} if self._beat is not None:
                self._beat.recorder.epoch_ns = epoch_ns
            case {"t": "begin"} if self._beat is not None and not self._begun:
                self._begun = True
                gevent.spawn(self._beat.run)
            case {"t": "stop"}:
                gevent.spawn(self._finish)
            case _:
                pass

    def _set_up(self, told: Mapping[str, Any]) -> None:
        if self._beat is None:
            recorder = Recorder(endpoints=(), limits_us=told["limits_us"], epoch_ns=told["epoch_ns"])
            self._timeout_s = told["timeout_ms"] / 1000
            self._watch = RequestWatch(
                recorder,
                timeout_ns=told["timeout_ms"] * 1_000_000,
                put=self._send,
                headers=self._headers,
                verify=self._verify,
            )
            guard_hosts(told["hosts"])
            self._watch.install(CLIENTS, self._environment.events)
            self._watch.bound(self._environment.stats)
            self._beat = Beat(
                recorder=recorder, put=self._send, users=lambda: self._runner.user_count, expire=self._watch.expire
            )
        self._send({"t": "joined"})

    def _finish(self) -> None:
        """Let the users end their tasks, decide what is left, and say the last word."""
        self._environment.stop_timeout = self._timeout_s + _KILL_SLACK_S
        self._runner.stop()
        if self._watch is not None and self._beat is not None:
            self._watch.close(time.monotonic_ns())
            self._beat.bye(drained=True)
