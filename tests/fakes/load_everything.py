"""A locustfile with most of what Locust has, for tests: it writes Locust's own totals to the file of its argument --totals."""

# A locustfile as people write it: Locust's own types are not strict.
# mypy: ignore-errors
# pyright: basic, reportAttributeAccessIssue=false, reportAssignmentType=false

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from locust import (
    FastHttpUser,
    HttpUser,
    LoadTestShape,
    SequentialTaskSet,
    TaskSet,
    constant,
    constant_pacing,
    events,
    tag,
    task,
)


@events.init_command_line_parser.add_listener
def add_arguments(parser: Any) -> None:
    parser.add_argument("--totals", default="")
    parser.add_argument("--item", default="none")


@events.quitting.add_listener
def write_totals(environment: Any, **_more: Any) -> None:
    if environment.parsed_options.totals and type(environment.runner).__name__ != "WorkerRunner":
        found = {
            name: [entry.num_requests, entry.num_failures] for (name, _), entry in environment.stats.entries.items()
        }
        Path(environment.parsed_options.totals).write_text(json.dumps(found))


class Browsing(TaskSet):
    @task(2)
    def look(self) -> None:
        self.client.get("/browse")

    @task
    class Deeper(SequentialTaskSet):
        @task
        def first(self) -> None:
            self.client.get("/first")

        @task
        def second(self) -> None:
            self.client.get("/second", name="second")
            self.interrupt()

    @task
    def stop(self) -> None:
        self.interrupt()


class Fast(FastHttpUser):
    wait_time = constant(0.05)
    tasks = {Browsing: 1}  # noqa: RUF012 - Locust's own way

    def on_start(self) -> None:
        self.client.get("/login", name="login")

    def on_stop(self) -> None:
        self.client.get("/logout", name="logout")

    @tag("pay")
    @task(2)
    def pay(self) -> None:
        with self.client.post("/pay", json={"a": 1}, catch_response=True) as answer:
            if answer.status_code == 200:
                answer.failure("not paid")

    @tag("read")
    @task(3)
    def read(self) -> None:
        self.client.get(f"/item/{self.environment.parsed_options.item}", name="item")


class Slow(HttpUser):
    wait_time = constant_pacing(0.1)

    @tag("read")
    @task
    def missing(self) -> None:
        self.client.get("/status/404", name="missing")

    @tag("broken")
    @task
    def broken(self) -> None:
        self.client.get("/status/503", name="broken", timeout=2)


if os.environ.get("WITH_SHAPE"):

    class Steps(LoadTestShape):
        def tick(self) -> tuple[int, float] | None:
            if os.environ["WITH_SHAPE"] == "short" and self.get_run_time() > 1.5:
                return None
            return (4, 100) if self.get_run_time() < 1.5 else (8, 100)
