"""A Locust worker that measures for gameday: ``python -m gameday.load.worker -f LOCUSTFILE --master-host HOST --master-port PORT``.

Start as many as the experiment file expects (``load: {workers: {expect: N}}``), before or while `gameday run` waits for them, here or
on other machines, with any of Locust's own arguments; ``--worker`` is added. It is Locust's own worker with a listener that counts
every request and tells the master, whose run it takes part in. It ends with the master, at the latest some seconds after it was last heard.
"""

from __future__ import annotations

import locust  # isort: skip - first, because it patches the modules that the others import
import sys
from typing import Any

import locust.main
from locust import runners

from gameday.load.locusthooks import AfterInit, forget_config_files
from gameday.load.member import Member

_MASTER_SILENT_S = 5
"""Locust itself waits for a minute, with its users at work."""


def _joined(environment: Any, runner: Any, **_more: Any) -> None:
    Member(environment, runner, token="", headers={}, verify=True).join()


def main() -> None:
    """Run Locust's main as a worker."""
    forget_config_files()
    runners.WORKER_REPORT_INTERVAL = 1.0
    runners.MASTER_HEARTBEAT_TIMEOUT = _MASTER_SILENT_S
    events: Any = locust.events
    events.init = AfterInit(_joined)
    sys.argv = ["locust", "--worker", *sys.argv[1:]]
    start: Any = locust.main.main
    start()


if __name__ == "__main__":
    main()
