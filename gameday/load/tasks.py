"""The open model over a locustfile: each arrival runs one task of one of its users. Load child only: imports locust.

User classes and tasks are chosen by their weights; an instance is used again as soon as its task is done, and its ``on_start`` runs
once; ``wait_time`` is not used: the clock decides. The first request of an iteration counts from the arrival's intended start, the
others from when they are sent.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import gevent
from locust import TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, DefaultTaskSet

from gameday.load.arrivals import Pacer
from gameday.load.requestwatch import NOT_SENT, RequestWatch
from gameday.spi.errors import LoadError

_END_OF_ITERATION = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)

now_ns = time.monotonic_ns


def check_open(user_classes: Sequence[type[User]]) -> None:
    """Raise LoadError where the open model cannot run a locustfile: its users must have plain functions as tasks."""
    user: Any
    for user in user_classes:
        tasks = user.tasks
        nested = next((task for task in tasks if isinstance(task, type) and issubclass(task, TaskSet)), None)
        if nested is not None:
            raise LoadError(
                f"{user.__name__} has the TaskSet {nested.__name__}, which decides itself how long it goes on: arrivals cannot drive it; "
                "write users instead of rate, choose other classes, or make its tasks functions of the user"
            )
        if user.run is not User.run:
            raise LoadError(
                f"{user.__name__} has a run() of its own, which arrivals cannot drive; write users instead of rate"
            )
        if not tasks:
            raise LoadError(f"{user.__name__} has no task left; look at load.tags and load.exclude_tags")


class TaskModel:
    """Runs tasks at the times of a timetable, at most ``cap`` at once."""

    def __init__(self, environment: Any, watch: RequestWatch, *, turns: Iterator[int], cap: int) -> None:
        self._environment = environment
        self._watch = watch
        self._turns = turns
        self._idle: defaultdict[type[User], list[_Worker]] = defaultdict(list)
        self._names: dict[Any, str] = {}
        self._busy = 0
        self.cap = cap
        self.pacer = Pacer(self._arrive)

    def _arrive(self, intended_ns: int) -> None:
        user = self._environment.user_classes[next(self._turns)]
        task = random.choice(user.tasks)  # noqa: S311 - as Locust chooses
        recorder = self._watch.recorder
        if self._busy >= self.cap:
            recorder.capped_at(recorder.endpoint(self._names.get(task, NOT_SENT)), intended_ns, now_ns())
            return
        self._busy += 1
        gevent.spawn(self._iterate, user, task, self._watch.arrive(intended_ns), intended_ns)

    def _iterate(self, user: type[User], task: Any, k: int, intended_ns: int) -> None:
        self._watch.recorder.left(intended_ns, now_ns())
        idle = self._idle[user]
        try:
            if self._watch.claim(k, lambda name: self._names.setdefault(task, name)):
                worker = idle.pop() if idle else _Worker(user, self._environment)
                if worker.perform(task):
                    idle.append(worker)
        finally:
            self._busy -= 1
            self._watch.unclaim()

    def finish(self, seconds: float) -> None:
        """Wait for the tasks that are on, then let ``on_stop`` of every user run; together at most for ``seconds``."""
        end_s = time.monotonic() + seconds
        while self._busy and time.monotonic() < end_s:
            gevent.sleep(0.005)
        idle = [worker for workers in self._idle.values() for worker in workers]
        stopping: list[Any] = [gevent.spawn(worker.stop) for worker in idle]
        gevent.joinall(stopping, timeout=max(0.0, end_s - time.monotonic()))


class _Worker:
    """One user instance, used again and again."""

    def __init__(self, user: type[User], environment: Any) -> None:
        self._environment = environment
        self._user: Any = user(environment)
        self._tasks: Any = None

    def perform(self, task: Any) -> bool:
        """Run one task, ``on_start`` before the first; return whether the user goes on."""
        self._user._state = LOCUST_STATE_RUNNING  # noqa: SLF001 - Locust keeps it there
        self._user._greenlet = gevent.getcurrent()  # noqa: SLF001 - and this, which tasks may look at
        try:
            if self._tasks is None:
                self._user.on_start()
                self._tasks = DefaultTaskSet(self._user)
            self._tasks.execute_task(task)
        except _END_OF_ITERATION:
            return True
        except StopUser:
            return False
        except Exception as error:  # noqa: BLE001 - a mistake in a task is told by Locust's own event, as in the closed model
            self._environment.events.user_error.fire(user_instance=self._user, exception=error, tb=error.__traceback__)
            return self._tasks is not None
        return True

    def stop(self) -> None:
        """Let ``on_stop`` run."""
        try:
            self._user.on_stop()
        except Exception as error:  # noqa: BLE001 - as above
            self._environment.events.user_error.fire(user_instance=self._user, exception=error, tb=error.__traceback__)
