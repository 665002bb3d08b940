"""One run of a file's own requests inside Locust: its user, its commands, its messages. Load child only: imports locust."""

from __future__ import annotations

import locust  # isort: skip - first, because it patches the modules that the others import
import os
from random import Random
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.exception import StopUser

from gameday.load.arrivals import OpenModel, share
from gameday.load.beat import Beat
from gameday.load.client import Client
from gameday.load.outlet import Outlet, obey_commands
from gameday.load.recorder import Recorder
from gameday.load.schedule import Schedule, Timetable, mix
from gameday.load.sending import Sender
from gameday.load.templates import Templates
from gameday.load.users import ClosedModel
from gameday.load.wire import compile_requests
from gameday.spi.errors import LoadError

EXIT_BUG = 70
EXIT_REFUSED = 2
_GRACE_S = 0.5
CAP_FACTOR = 1.2


class Session:
    """Everything of one run: a Locust environment with a single user, in whose task the whole load is made."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._outlet = Outlet(int(config["out_fd"]))
        self._first, self._stride = config["share"]
        self._epoch_ns = int(config["epoch_ns"])
        self._timeout_ns = int(config["timeout_ms"]) * 1_000_000
        self._levels = Schedule.of(self._epoch_ns, config["curve"]["legs"], config["curve"]["last"])
        self._started = Event()
        self._left = Event()
        self._begun = False
        environment = Environment(user_classes=[_user(self._work)], catch_exceptions=False)
        self._runner = environment.create_local_runner()

    def run(self, *, boot_s: float) -> None:
        """Say ready, work until stopped, account for everything, and end the process."""
        try:
            self._prepare()
        except LoadError as error:
            self._outlet.put({"t": "refused", "text": str(error)})
            self._outlet.close()
            os._exit(EXIT_REFUSED)
        gevent.spawn(obey_commands, 0, self._obey, self._outlet.put)
        self._outlet.put({"t": "ready", "pid": os.getpid(), "boot_s": round(boot_s, 3), "locust": locust.__version__})
        self._started.wait()
        gevent.spawn(self._beat.run)
        if self._begun:
            self._runner.start(1, spawn_rate=1)
            self._left.wait()
        self._beat.bye(drained=self._sender.drain(_GRACE_S))
        self._outlet.close()
        os._exit(0)

    def _prepare(self) -> None:
        config, put = self._config, self._outlet.put
        seed = int(config["seed"])
        templates = Templates(config["data"], seed=seed, first=self._first, stride=self._stride)
        requests = compile_requests(config, templates.compile)
        names = [request.name for request in requests]
        recorder = Recorder(endpoints=names, limits_us=config["limits_us"], epoch_ns=self._epoch_ns)
        self._sender = Sender(
            requests=requests,
            client=Client(verify_tls=bool(config["verify_tls"])),
            recorder=recorder,
            timeout_ns=self._timeout_ns,
            report=put,
        )
        turns = mix([request.weight for request in requests], seed + self._first)
        self._open = OpenModel(
            sender=self._sender, recorder=recorder, mix=turns, cap=share(config["cap"], self._first, self._stride)
        )
        spawn_rate = config["spawn_rate"]
        self._closed = ClosedModel(
            sender=self._sender,
            recorder=recorder,
            mix=turns,
            spawn_rate=None if spawn_rate is None else spawn_rate / self._stride,
        )
        self._beat = Beat(
            recorder=recorder, put=put, due_ns=lambda: self._open.pacer.due_ns, rate=self._rate, users=self._users
        )

    def _rate(self, now_ns: int) -> float:
        return self._levels.rate_at(now_ns) / self._stride if self._config["open"] and self._begun else 0.0

    def _users(self) -> int:
        return self._closed.users

    def _work(self) -> None:
        """Make the load, as the task of the Locust user; a bug ends the process without a bye, so that nobody trusts it."""
        returned = False
        try:
            if self._config["open"]:
                poisson = Random(int(self._config["seed"])) if self._config["arrivals"] == "poisson" else None  # noqa: S311 - repeatable
                self._open.pacer.run(Timetable(self._levels, random=poisson, first=self._first, stride=self._stride))
            else:
                self._closed.run(self._levels.base_ns, self._wanted)
            returned = True
        finally:
            if not returned:
                gevent.spawn_later(0.1, os._exit, EXIT_BUG)  # after gevent has printed the traceback to the log
            else:
                self._left.set()

    def _wanted(self, now_ns: int) -> int:
        return share(round(self._levels.rate_at(now_ns)), self._first, self._stride)

    def _obey(self, command: dict[str, Any]) -> str | None:
        match command:
            case {"cmd": "start", "at_ms": int(at_ms)} if not self._begun:
                curve = self._config["curve"]
                self._levels = Schedule.of(self._epoch_ns + at_ms * 1_000_000, curve["legs"], curve["last"])
                self._begun = True
                self._started.set()
            case {"cmd": "stop"}:
                self._open.pacer.stop()
                self._closed.stop()
                self._started.set()
            case {"cmd": "rate", "rate": rate, "at_ms": int(at_ms)} if self._config["open"] and self._begun:
                self._change(at_ms, float(rate))
            case {"cmd": "users", "users": int(users), "at_ms": int(at_ms)} if not self._config["open"] and self._begun:
                self._levels = self._levels.changed(self._epoch_ns + at_ms * 1_000_000, float(users))
            case _:
                return f"cannot do this now: {command}"
        return None

    def _change(self, at_ms: int, rate: float) -> None:
        """Go on at another rate, with as many requests in flight as it may need."""
        at_ns = self._epoch_ns + at_ms * 1_000_000
        timetable = self._open.pacer.timetable
        if timetable is None:
            self._levels = self._levels.changed(at_ns, rate)
            return
        timetable.change(at_ns, rate)
        self._levels = timetable.schedule
        if not self._config["cap_fixed"]:
            needed = int(CAP_FACTOR * rate * self._timeout_ns / 1e9) + 1
            self._open.cap = max(self._open.cap, share(needed, self._first, self._stride))


def _user(work: Any) -> type[locust.User]:
    """Make the class of the one Locust user, whose one task is the whole load."""

    class Arrivals(locust.User):
        fixed_count = 1
        wait_time = locust.constant(0)

        @locust.task
        def arrive(self) -> None:
            work()
            raise StopUser

    return Arrivals
