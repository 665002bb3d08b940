"""One run of a locustfile: its users as it wrote them, or its tasks driven by arrivals. Load child only: imports locust."""

from __future__ import annotations

import locust  # isort: skip - first, because it patches the modules that the others import
import logging
import os
import secrets
import time
from collections.abc import Mapping
from random import Random
from typing import Any

import gevent
from gevent.event import Event
from locust import log as locust_log
from locust import runners

from gameday.load.arrivals import share
from gameday.load.beat import Beat
from gameday.load.coordinator import Coordinator
from gameday.load.hostguard import guard_hosts
from gameday.load.hosts import host_patterns
from gameday.load.member import CLIENTS, Member
from gameday.load.outlet import Outlet, obey_commands
from gameday.load.recorder import Recorder
from gameday.load.requestwatch import RequestWatch
from gameday.load.schedule import FAR_NS, Schedule, Timetable, mix
from gameday.load.session import CAP_FACTOR, EXIT_REFUSED
from gameday.load.tasks import TaskModel, check_open
from gameday.spi.errors import LoadError

_FASTEST = 100
"""Users per second when the file does not say: above it Locust warns of trouble."""
_STEER_S = 0.5
_SLACK_S = 0.2
_LAST_WORDS_S = 2.0
_log = logging.getLogger("gameday.load")


class LocustRun:
    """One run of a locustfile: the master, or the only process."""

    def __init__(self, config: dict[str, Any], *, control: int, began: float) -> None:
        self._config = config
        self._control = control
        self._began = began
        self._token = secrets.token_hex(16)
        self._epoch_ns = int(config["epoch_ns"])
        self._timeout_s = config["timeout_ms"] / 1000
        self._first, self._stride = config["share"]
        self._levels = self._schedule(0)
        self.first_users = 0 if config["open"] else round(self._levels.rate_at(self._epoch_ns))
        """Users at the very beginning; none in the open model, where arrivals need none."""
        self._started, self._finished = Event(), Event()
        self._begun = self._stopping = False
        self._outlet: Outlet | None = None
        self._beat: Beat | None = None
        self._watch: RequestWatch | None = None
        self._tasks: TaskModel | None = None
        self._coordinator: Coordinator | None = None
        self._environment: Any = None
        self._runner: Any = None

    def _schedule(self, at_ms: int) -> Schedule:
        curve = self._config["curve"]
        return Schedule.of(self._epoch_ns + at_ms * 1_000_000, curve["legs"], curve["last"])

    @property
    def spawn_rate(self) -> float:
        """Users started in a second."""
        return float(self._config["spawn_rate"] or _FASTEST)

    def initialised(self, environment: Any, runner: Any, **_more: Any) -> None:
        """Go on when Locust and the locustfile are set up: a worker joins; the rest is ready, and waits for the start."""
        if isinstance(runner, runners.WorkerRunner):
            os.close(int(self._config["out_fd"]))
            os.close(self._control)
            self._member(environment, runner).join()
            return
        if locust_log.unhandled_greenlet_exception:
            return  # a listener of the locustfile failed: Locust ends, and its log says why
        self._environment, self._runner = environment, runner
        self._outlet = Outlet(int(self._config["out_fd"]))
        try:
            self._prepare()
        except LoadError as error:
            self._outlet.put({"t": "refused", "text": str(error)})
            self._outlet.close()
            os._exit(EXIT_REFUSED)
        gevent.spawn(obey_commands, self._control, self._obey, self._outlet.put)
        boot_s = round(time.monotonic() - self._began, 3)
        self._outlet.put({"t": "ready", "pid": os.getpid(), "boot_s": boot_s, "locust": locust.__version__})
        self._started.wait()
        self._begin()

    def _member(self, environment: Any, runner: Any) -> Member:
        return Member(
            environment,
            runner,
            token=self._token,
            headers=self._config["headers"],
            verify=bool(self._config["verify_tls"]),
        )

    def _prepare(self) -> None:
        """Check that the locustfile can do what is asked, and set up what measures it."""
        assert self._outlet is not None  # noqa: S101 - made just before
        self._choose_shape()
        if isinstance(self._runner, runners.MasterRunner):
            workers = self._config["locust"]["workers"]
            expect = workers["expect"] if workers else int(self._config["processes"])
            token = "" if workers else self._token
            self._coordinator = Coordinator(self._runner, self._config, self._outlet.put, expect=expect, token=token)
            self._coordinator.gather(float(self._config["gather_s"]))
            return
        recorder = Recorder(endpoints=(), limits_us=self._config["limits_us"], epoch_ns=self._epoch_ns)
        self._watch = RequestWatch(
            recorder,
            timeout_ns=int(self._config["timeout_ms"]) * 1_000_000,
            put=self._outlet.put,
            headers=self._config["headers"],
            verify=bool(self._config["verify_tls"]),
        )
        guard_hosts(host_patterns(self._config))
        self._watch.install(CLIENTS, self._environment.events)
        self._watch.bound(self._environment.stats)
        self._beat = Beat(recorder=recorder, put=self._outlet.put, users=self._users, expire=self._watch.expire)
        if self._config["open"]:
            self._prepare_tasks(self._watch, self._beat)

    def _choose_shape(self) -> None:
        """Let the file's own decision about the load win over the locustfile's shape."""
        if self._config["locust"]["shape"]:
            if self._environment.shape_class is None:
                raise LoadError("the locustfile has no LoadTestShape; write users or rate instead of shape: true")
        elif self._environment.shape_class is not None:
            _log.warning(
                "the locustfile's LoadTestShape is not used: the experiment file decides how much load there is"
            )
            self._environment.shape_class = None

    def _prepare_tasks(self, watch: RequestWatch, beat: Beat) -> None:
        self._environment._filter_tasks_by_tags()  # noqa: SLF001 - as Locust does before its users start
        check_open(self._environment.user_classes)
        turns = mix([user.weight for user in self._environment.user_classes], int(self._config["seed"]) + self._first)
        cap = share(self._config["cap"], self._first, self._stride)
        self._tasks = tasks = TaskModel(self._environment, watch, turns=turns, cap=cap)
        beat.due_ns = lambda: tasks.pacer.due_ns if self._begun else FAR_NS
        beat.rate = lambda now_ns: self._levels.rate_at(now_ns) / self._stride if self._begun else 0.0
        self._environment.events.spawning_complete.add_listener(self._drive)

    def _drive(self, **_more: Any) -> None:
        """Let arrivals begin, when Locust has fired ``test_start`` and set the host of every user class."""
        tasks = self._tasks
        if tasks is not None and tasks.pacer.timetable is None:
            poisson = Random(int(self._config["seed"])) if self._config["arrivals"] == "poisson" else None  # noqa: S311 - repeatable
            timetable = Timetable(self._levels, random=poisson, first=self._first, stride=self._stride)
            gevent.spawn(tasks.pacer.run, timetable)

    def _users(self) -> int:
        return int(self._runner.user_count)

    def _begin(self) -> None:
        """Let Locust begin at the agreed time, and tell of it from now on; stopped before that, it never begins."""
        if self._stopping:
            self._finished.wait()
            os._exit(0)
        if self._coordinator is not None:
            self._coordinator.begin()
        elif self._beat is not None:
            gevent.spawn(self._beat.run)
        if not self._config["open"]:
            gevent.sleep(max(0.0, (self._levels.base_ns - time.monotonic_ns()) / 1e9))
            if not self._config["locust"]["shape"]:
                gevent.spawn(self._steer)

    def _steer(self) -> None:
        """Keep to the number of users that the file asks for, which may change with its stages or by command."""
        asked = self.first_users
        while not self._stopping:
            gevent.sleep(_STEER_S)
            wanted = round(self._levels.rate_at(time.monotonic_ns()))
            if wanted != asked and not self._stopping:
                asked = wanted
                self._runner.start(wanted, self.spawn_rate)

    def _obey(self, command: Mapping[str, Any]) -> str | None:
        at_ns = self._epoch_ns + int(command.get("at_ms", 0)) * 1_000_000
        match command:
            case {"cmd": "start", "at_ms": int(at_ms)} if not self._begun:
                self._levels, self._begun = self._schedule(at_ms), True
                self._started.set()
            case {"cmd": "stop"} if not self._stopping:
                self._stopping = True
                self._started.set()
                gevent.spawn(self._finish)
            case {"cmd": "stop"}:
                pass
            case {"cmd": "rate", "rate": rate} if self._tasks is not None and self._begun:
                self._change(self._tasks, at_ns, float(rate))
            case {"cmd": "users", "users": int(users)} if self._begun and not self._config["open"]:
                if self._config["locust"]["shape"]:
                    return "the locustfile's shape decides how many users there are"
                self._levels = self._levels.changed(at_ns, float(users))
            case _:
                return f"cannot do this now: {command}"
        return None

    def _change(self, tasks: TaskModel, at_ns: int, rate: float) -> None:
        timetable = tasks.pacer.timetable
        if timetable is not None:
            timetable.change(at_ns, rate)
        self._levels = self._levels.changed(at_ns, rate) if timetable is None else timetable.schedule
        if not self._config["cap_fixed"]:
            tasks.cap = max(tasks.cap, share(int(CAP_FACTOR * rate * self._timeout_s) + 1, self._first, self._stride))

    def _finish(self) -> None:
        """Stop the load, decide what is left, say the last word, and let Locust end."""
        assert self._outlet is not None  # noqa: S101 - commands come after it
        if (shape := self._environment.shape_class) is not None:
            last = self._runner.shape_last_tick
            shape.tick = lambda: last
        if self._coordinator is not None:
            self._coordinator.stop(self._timeout_s + _LAST_WORDS_S)
            self._coordinator.merger.bye(time.monotonic_ns())
        elif self._watch is not None and self._beat is not None:
            self._stop_users()
            self._watch.close(time.monotonic_ns())
            self._beat.bye(drained=True)
        self._outlet.close()
        self._finished.set()
        self._runner.quit()

    def _stop_users(self) -> None:
        """Let the tasks that are on end, at most for the timeout; users that only wait end at once."""
        if self._tasks is not None:
            self._tasks.pacer.stop()
            self._tasks.finish(self._timeout_s + _SLACK_S)
        self._environment.stop_timeout = self._timeout_s + _SLACK_S
        self._runner.stop()

    def quitting(self, environment: Any, **_more: Any) -> None:
        """Keep Locust from ending before the last word; an end that nobody asked for is told, and never taken for a whole run."""
        if isinstance(environment.runner, runners.WorkerRunner):
            return
        environment.process_exit_code = 0
        if self._stopping:
            self._finished.wait(self._timeout_s + 2 * _LAST_WORDS_S)
        elif self._outlet is not None:
            self._outlet.put(
                {"t": "log", "text": "the locustfile ended its load itself (its shape is over, or it called quit)"}
            )
            self._outlet.put({"t": "bye", "offered": 0, "completed": 0, "drained": False})
            self._outlet.close()
