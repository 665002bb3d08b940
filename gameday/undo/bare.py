"""A bare runner: one fault, armed, injected and held by heartbeats alone, without load or judgement.

The driver contract kills it to prove the watchdog's undo. It reads ``{"run_folder", "driver", "params", "world"}`` as JSON on stdin, and
writes ``{"event": "active", "pid": …}`` on stdout once the fault is measured as on; then it holds it until it is killed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from gameday.journal.writer import Journal
from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday.spi.driver import ACTIVE_SECONDS, INJECT_SECONDS
from gameday.spi.processes import boot_id
from gameday.undo.guardian import HEARTBEAT_SECONDS, Guardian, arm
from gameday.undo.hosts import HostPool, HostSetup

FAULT = "fault"


async def hold_one_fault(request: dict[str, Any]) -> None:
    """Inject the fault of ``request`` and hold it; raise DriverError when it cannot be injected or proven."""
    folder = Path(request["run_folder"])
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    world = World.from_json(request["world"])
    faults = {FAULT: {"driver": request["driver"], "params": request["params"]}}
    journal = Journal.create(folder / "journal.ndjson")
    journal.write(
        "opened", {"run_id": world.run_id, "boot_id": boot_id(), "epoch_ns": journal.epoch_ns, "pid": os.getpid()}
    )
    guardian = await Guardian.start(
        run_id=world.run_id, journal=journal.path, faults=faults, world=world, log=folder / "logs" / "watchdog.log"
    )
    journal.write("watchdog-started", {"pid": guardian.ref.pid})
    pool = HostPool(
        HostSetup(faults=faults, world=world, pipe=guardian.pipe, logs=folder / "logs", register=guardian.register_host)
    )
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, guardian)
        await pool.start(faults)
        plan = Plan.from_json(_good(await pool.ask(FAULT, "plan", None, INJECT_SECONDS))["plan"])
        await arm(journal, guardian, FAULT, plan)
        journal.write("inject-called", {"fault": FAULT})
        _good(await pool.ask(FAULT, "inject", plan.to_json(), INJECT_SECONDS))
        journal.write("injected", {"fault": FAULT})
        with anyio.fail_after(ACTIVE_SECONDS):
            while not _good(  # noqa: ASYNC110 - the world is measured
                await pool.ask(FAULT, "active", plan.to_json(), ACTIVE_SECONDS)
            )["active"]:
                await anyio.sleep(0.01)
        journal.write("active", {"fault": FAULT, "active": True, "when": "proof"})
        print(json.dumps({"event": "active", "pid": os.getpid()}), flush=True)  # noqa: T201 - stdout is the protocol


async def _beat(guardian: Guardian) -> None:
    while True:
        guardian.beat()
        await anyio.sleep(HEARTBEAT_SECONDS)


def _good(reply: dict[str, Any]) -> dict[str, Any]:
    if "error" in reply:
        raise DriverError(str(reply["error"]))
    return reply


def main() -> None:
    """Hold the fault that stdin describes."""
    anyio.run(hold_one_fault, json.loads(sys.stdin.readline()))


if __name__ == "__main__":
    main()
