"""Locust's own HTML report of a run of ours: every request of its samples told to Locust's statistics, at its own time.

    python -m tests.fakes.locust_report SECONDS FILE     of sample_run("fail"), a third of SECONDS for each phase

In a process of its own, for Locust takes gevent's sockets and this takes the clock. A history entry every five seconds, as Locust's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from locust import User, events, task
from locust import html as locust_html
from locust import stats as locust_stats
from locust.env import Environment

from gameday.spi.histogram import value
from tests.fakes.sample_facts import WALL
from tests.fakes.sample_run import sample_run

EVERY_S = 5


class _Shopper(User):
    """A user class, for the report names one."""

    host = "http://127.0.0.1:8080"

    @task
    def checkout(self) -> None:
        """Do nothing: nothing is run."""


def write(seconds: int, path: Path) -> None:
    """Write the report."""
    part = seconds // 3
    run = sample_run("fail", baseline_s=part, fault_s=part, recovery_s=part)
    environment = Environment(user_classes=[_Shopper], events=events)
    runner = environment.create_local_runner()
    clock = [WALL]
    time.time = lambda: clock[0]
    stats: Any = runner.stats
    stats.reset_all()
    failed: dict[tuple[int, str], int] = {}
    for row in run.load.rows:
        key = (row.slot // 10, row.endpoint)
        failed[key] = failed.get(key, 0) + (row.count if row.kind != "ok" else 0)
    by_second: dict[int, list[tuple[str, float, int]]] = {}
    for found in run.load.histograms:
        by_second.setdefault(found.second, []).extend(
            (found.endpoint, value(bucket) / 1000, count) for bucket, count in found.buckets.items()
        )
    for second in sorted(by_second):
        clock[0] = WALL + second
        for endpoint, ms, count in by_second[second]:
            for _ in range(count):
                stats.log_request("GET", endpoint, ms, 300)
        for endpoint in ("browse", "checkout"):
            for _ in range(failed.get((second, endpoint), 0)):
                stats.log_error("GET", endpoint, "timed out")
        if second % EVERY_S == 0:
            locust_stats.update_stats_history(runner)
    reports: Any = locust_html
    path.write_text(reports.get_html_report(environment, show_download_link=False), encoding="utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
