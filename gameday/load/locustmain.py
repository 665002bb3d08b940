"""A locustfile, unchanged, by Locust's own main. Load child only: imports locust.

What is not Locust's: the run decides when the load begins and ends; rows, pulses and ticks are ours; nothing reads ~/.locust.conf,
locust.conf or pyproject.toml. The working directory is the locustfile's folder.
"""

from __future__ import annotations

import locust  # isort: skip - first, because it patches the modules that the others import
import os
import socket
import sys
from pathlib import Path
from typing import Any, TextIO, cast

import locust.main
from locust import runners

from gameday.load.arguments import locust_arguments
from gameday.load.locusthooks import AfterInit, Masked, forget_config_files
from gameday.load.locustrun import LocustRun


def run_locust(config: dict[str, Any], *, began: float) -> None:
    """Run Locust's main with the file's wishes as arguments; never returns."""
    asked = config["locust"]
    control = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    if asked["hidden"]:
        sys.stdout = cast("TextIO", Masked(sys.stdout, asked["hidden"]))
        sys.stderr = cast("TextIO", Masked(sys.stderr, asked["hidden"]))
    os.chdir(Path(asked["file"]).parent)
    forget_config_files()
    runners.WORKER_REPORT_INTERVAL = 1.0
    run = LocustRun(config, control=control, began=began)
    events: Any = locust.events
    events.init = AfterInit(run.initialised)
    events.quitting.add_listener(run.quitting)
    sys.argv = locust_arguments(config, users=run.first_users, spawn_rate=run.spawn_rate, port=_free_port())
    start: Any = locust.main.main
    start()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
