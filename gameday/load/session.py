"""One run of the load inside Locust: its user, the commands from the parent, and the messages to it. Load child only: imports locust."""

from __future__ import annotations

import locust  # isort: skip - first, because it patches the modules that the others import
import json
import os
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.os import make_nonblocking, nb_read, nb_write
from gevent.queue import Queue
from locust.env import Environment
from locust.exception import StopUser

from gameday.load.arrivals import OpenModel
from gameday.load.client import Client
from gameday.load.protocol import SLOT_NS, TEXT_LIMIT, Message, encode
from gameday.load.recorder import Recorder
from gameday.load.schedule import Schedule
from gameday.load.tether import EXIT_ORPHAN
from gameday.load.wire import compile_requests

EXIT_DEAF = 4
"""The parent reads no more."""
EXIT_BUG = 70
_BACKLOG = 2_000
"""Messages that may wait for the parent: some minutes of them."""
_PULSES = 10
"""Pulses in a second; rows and a tick come with each tenth."""
_GRACE_S = 0.5
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Outlet:
    """Messages to the parent, in order; whoever puts one never waits for the pipe."""

    def __init__(self, descriptor: int) -> None:
        make_nonblocking(descriptor)
        self._descriptor = descriptor
        self._queue: Any = Queue()
        self._writer: Any = gevent.spawn(self._write)

    def put(self, message: Message) -> None:
        """Queue one message; end the process when the parent has read nothing for minutes."""
        if self._queue.qsize() >= _BACKLOG:
            os._exit(EXIT_DEAF)
        self._queue.put(encode(message))

    def close(self) -> None:
        """Write what is queued."""
        self._queue.put(None)
        self._writer.join()

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            while line:
                try:
                    line = line[nb_write(self._descriptor, line) :]
                except BrokenPipeError:
                    os._exit(EXIT_ORPHAN)


class Session:
    """Everything of one run: a Locust environment with a single user, in whose task all arrivals are made."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._epoch_ns = int(config["epoch_ns"])
        self._rate = float(config["rate"])
        self._outlet = Outlet(int(config["out_fd"]))
        requests = compile_requests(config)
        self._recorder = Recorder(
            endpoints=[request.name for request in requests], limits_us=config["limits_us"], epoch_ns=self._epoch_ns
        )
        self._model = OpenModel(
            requests=requests,
            client=Client(verify_tls=bool(config["verify_tls"])),
            recorder=self._recorder,
            cap=int(config["cap"]),
            timeout_ns=int(config["timeout_ms"]) * 1_000_000,
            seed=int(config["seed"]),
            report=self._outlet.put,
        )
        self._schedule: Schedule | None = None
        self._started = Event()
        self._left = Event()
        self._used_s = 0.0
        self._ticked_ns = time.monotonic_ns()
        environment = Environment(user_classes=[_user(self._work)], catch_exceptions=False)
        self._runner = environment.create_local_runner()

    def run(self, *, boot_s: float) -> None:
        """Say ready, work until stopped, account for everything, and end the process."""
        gevent.spawn(self._commands)
        self._outlet.put({"t": "ready", "pid": os.getpid(), "boot_s": round(boot_s, 3), "locust": locust.__version__})
        self._started.wait()
        gevent.spawn(self._beat)
        if self._schedule is not None:
            self._runner.start(1, spawn_rate=1)
            self._left.wait()
        drained = self._model.drain(_GRACE_S)
        self._second()
        self._outlet.put(
            {"t": "bye", "offered": self._recorder.offered, "completed": self._recorder.completed, "drained": drained}
        )
        self._outlet.close()
        os._exit(0)

    def _work(self) -> None:
        """Make the arrivals, as the task of the Locust user; a bug ends the process without a bye, so that nobody trusts it."""
        returned = False
        try:
            if self._schedule is not None:
                self._model.run(self._schedule)
            returned = True
        finally:
            if not returned:
                gevent.spawn_later(0.1, os._exit, EXIT_BUG)  # after gevent has printed the traceback to the log
            else:
                self._left.set()

    def _commands(self) -> None:
        make_nonblocking(0)
        pending = b""
        while chunk := nb_read(0, 65_536):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                self._obey(json.loads(line))
        os._exit(EXIT_ORPHAN)

    def _obey(self, command: dict[str, Any]) -> None:
        match command:
            case {"cmd": "start", "at_ms": int(at_ms)} if self._schedule is None:
                self._schedule = Schedule(base_ns=self._epoch_ns + at_ms * 1_000_000, rate=self._rate)
                self._started.set()
            case {"cmd": "stop"}:
                self._model.stop()
                self._started.set()
            case _:
                self._outlet.put({"t": "log", "text": f"unknown command: {command}"[:TEXT_LIMIT]})
                return
        self._outlet.put({"t": "ack", "cmd": command["cmd"]})

    def _beat(self) -> None:
        """Send a pulse at each tenth of a second of the run's clock, and in each second rows and a tick."""
        self._used_s, self._ticked_ns = time.process_time(), time.monotonic_ns()
        second = None
        while True:
            now = time.monotonic_ns()
            beat = (now - self._epoch_ns) // SLOT_NS + 1
            gevent.sleep((self._epoch_ns + beat * SLOT_NS - now) / 1e9)
            self._outlet.put(self._recorder.pulse(time.monotonic_ns()))
            if second is not None and beat // _PULSES != second:
                self._second()
            second = beat // _PULSES

    def _second(self) -> None:
        """Send the rows so far, and the generator's account of itself since the last time."""
        now, used_s = time.monotonic_ns(), time.process_time()
        cpu = (used_s - self._used_s) / max((now - self._ticked_ns) / 1e9, 1e-3)
        self._used_s, self._ticked_ns = used_s, now
        self._outlet.put(self._recorder.aggregate())
        self._outlet.put(
            self._recorder.tick(now, due_ns=self._model.due_ns, cpu=cpu, rss_mb=_resident_mb(), rate=self._rate)
        )


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


def _resident_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MB
    except (OSError, ValueError, IndexError):
        return 0.0
