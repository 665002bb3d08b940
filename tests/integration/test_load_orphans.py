"""No part of a load outlives the process that asked for it, in any mode, however it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gameday.spi.processes import await_gone, identify
from tests.fakes.load_run import TASKS, stall_server

PARENT = """
import anyio, json, sys, time
from pathlib import Path
from gameday.load.generator import LoadChild
from gameday.schema.experiment import LoadProfile
from gameday.spi.world import Secrets

async def main():
    load = LoadProfile.model_validate(json.loads(sys.argv[1]))
    epoch = time.monotonic_ns()
    child = await LoadChild.start(load, limits_us=(), epoch_ns=epoch, seed=1, logs=Path(sys.argv[2]), secrets=Secrets())
    await child.begin((time.monotonic_ns() - epoch) // 1_000_000)
    async for message in child.messages():
        if message["t"] == "pulse" and message["completed"]:
            print(child.pid, flush=True)

anyio.run(main)
"""
HOME = {"requests": [{"name": "home", "get": "/"}]}
LOCUST = {"locustfile": str(TASKS), "tags": ["read"]}


def session(leader: int) -> list[int]:
    """Return every process of the session that ``leader`` leads."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "processes"),
    [
        ({**HOME, "rate": "50/s", "processes": 2}, 3),
        ({**HOME, "users": 20}, 1),
        ({**LOCUST, "users": 4}, 1),
        ({**LOCUST, "users": 4, "processes": 2}, 3),
        ({**LOCUST, "rate": "50/s"}, 1),
        ({**LOCUST, "rate": "50/s", "processes": 2}, 3),
    ],
    ids=("rate-processes", "users", "locust-users", "locust-users-processes", "locust-rate", "locust-rate-processes"),
)
def test_everything_is_gone_within_a_second_of_the_parents_sigkill(
    tmp_path: Path, load: dict[str, Any], processes: int
) -> None:
    with stall_server() as address:
        document = json.dumps({"target": f"http://{address}", **load})
        parent = subprocess.Popen([sys.executable, "-c", PARENT, document, tmp_path], stdout=subprocess.PIPE, text=True)
        try:
            assert parent.stdout is not None
            members = session(int(parent.stdout.readline()))
            refs = [ref for pid in members if (ref := identify(pid)) is not None]
            assert len(refs) == processes
        finally:
            parent.kill()
            parent.communicate()
        end = time.monotonic() + 1.0
        for ref in refs:
            assert await_gone(ref, max(0.0, end - time.monotonic())), ref
