"""A locustfile whose tasks arrivals can drive, for tests: plain functions of two users, one of which logs in."""

# A locustfile as people write it: Locust's own types are not strict.
# mypy: ignore-errors
# pyright: basic, reportAttributeAccessIssue=false, reportAssignmentType=false

from __future__ import annotations

import os

from locust import FastHttpUser, HttpUser, between, tag, task


class Buyer(FastHttpUser):
    weight = 3
    wait_time = between(5, 10)
    started = 0

    def on_start(self) -> None:
        self.client.get("/login", name="login")

    @tag("read")
    @task(3)
    def browse(self) -> None:
        self.client.get(os.environ.get("BROWSE", "/browse"), name="browse")

    @tag("write")
    @task(1)
    def buy(self) -> None:
        self.client.post("/buy", json={}, name="buy")
        self.client.get("/receipt", name="receipt")


class Reader(HttpUser):
    weight = 1

    @tag("read")
    @task
    def read(self) -> None:
        self.client.get("/read", name="read")
