"""A bare runner: faults armed, injected, held and reverted as a run does it, without load or judgement, and killed where it is told.

The driver contract, the kill matrix and ``gameday doctor --undo`` let it die at every point, to prove that its faults are undone.

It reads one line of JSON on stdin: ``{"run_folder", "world", "driver", "params"}`` or, for several faults, ``"faults": {name:
{"driver", "params"}}``; ``"hold_ms"`` (default: for ever), ``"lease_seconds"``, and ``"end": {"at", "fault", "after_ms", "signal",
"watchdog"}``: at that journal record (or at ``told``, when the watchdog knows of the fault), of that fault or any, so many milliseconds
later, it sends itself that signal, after having killed its watchdog if so asked. It writes ``{"event": "active", "pid": …}`` on stdout
once every fault is measured as on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from gameday.journal.writer import Journal
from gameday.model import Event, Plan
from gameday.spi import DriverError, World
from gameday.spi.driver import ACTIVE_SECONDS, INJECT_SECONDS
from gameday.spi.processes import boot_id
from gameday.undo.driving import drive
from gameday.undo.guardian import HEARTBEAT_SECONDS, LEASE_SECONDS, Guardian, arm
from gameday.undo.hosts import HostPool, HostSetup
from gameday.undo.steps import Revertible, revert_steps

FAULT = "fault"


@dataclass(slots=True, kw_only=True)
class End:
    """Where this runner is to die, and how."""

    at: str = ""
    fault: str = ""
    after_ms: float = 0.0
    signal: str = "SIGKILL"
    watchdog: bool = False
    """Kill the watchdog first: nobody is left to undo anything."""
    watchdog_pid: int = 0

    def reach(self, point: str, fault: str) -> None:
        """Die here, if here it is."""
        if point != self.at or self.fault not in ("", fault):
            return
        if self.after_ms:
            threading.Timer(self.after_ms / 1000, self._die).start()
        else:
            self._die()

    def hear(self, event: Event) -> None:
        """Take in one journal record, just written."""
        self.reach(event.kind, str(event.data.get("fault", "")))

    def _die(self) -> None:
        if self.watchdog and self.watchdog_pid:
            os.kill(self.watchdog_pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.Signals[self.signal])


@dataclass(frozen=True, slots=True)
class _Bare:
    """One run without load."""

    journal: Journal
    guardian: Guardian
    pool: HostPool
    end: End

    async def ask(self, fault: str, plan: Plan | None, op: str, seconds: float) -> dict[str, Any]:
        return await self.pool.ask(fault, op, None if plan is None else plan.to_json(), seconds)

    async def bring_on(self, fault: str, driver: str) -> Plan:
        """Plan, arm, inject and prove; raise DriverError when one of them fails."""
        plan = Plan.from_json(_good(await self.ask(fault, None, "plan", INJECT_SECONDS))["plan"])
        self.journal.write(
            "planned", {"fault": fault, "driver": driver, "targets": list(plan.targets), "reversible": True}
        )
        await arm(self.journal, self.guardian, fault, plan)
        self.end.reach("told", fault)
        self.journal.write("inject-called", {"fault": fault})
        _good(await self.ask(fault, plan, "inject", INJECT_SECONDS))
        self.journal.write("injected", {"fault": fault})
        with anyio.fail_after(ACTIVE_SECONDS):
            while not _good(await self.ask(fault, plan, "active", ACTIVE_SECONDS))["active"]:  # noqa: ASYNC110 - the world is measured
                await anyio.sleep(0.01)
        self.journal.write("active", {"fault": fault, "active": True, "when": "proof"})
        return plan

    async def take_off(self, fault: str, plan: Plan) -> None:
        """Revert and prove; raise DriverError when it is not proven gone."""
        steps = revert_steps(Revertible(name=fault, plan=plan, provable=True), by="runner")
        undone = await drive(steps, partial(self.ask, fault, plan), self.journal.write)
        if not undone.clean:
            raise DriverError(undone.error)
        self.guardian.tell_reverted(fault)


async def run_bare(request: Mapping[str, Any]) -> None:
    """Do what ``request`` asks; raise DriverError when a fault cannot be injected, proven or undone."""
    folder, world = Path(request["run_folder"]), World.from_json(request["world"])
    faults: dict[str, Any] = request.get("faults") or {
        FAULT: {"driver": request["driver"], "params": request["params"]}
    }
    end = End(**request.get("end", {}))
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    _write_plan(folder, world, faults)
    journal = Journal.create(folder / "journal.ndjson")
    journal.listener = end.hear
    journal.write(
        "opened", {"run_id": world.run_id, "boot_id": boot_id(), "epoch_ns": journal.epoch_ns, "pid": os.getpid()}
    )
    guardian = await Guardian.start(
        run_id=world.run_id,
        journal=journal.path,
        faults=faults,
        world=world,
        log=folder / "logs" / "watchdog.log",
        lease_seconds=float(request.get("lease_seconds", LEASE_SECONDS)),
    )
    end.watchdog_pid = guardian.ref.pid
    journal.write("watchdog-started", {"pid": guardian.ref.pid, "start": guardian.ref.start, "place": guardian.place})
    setup = HostSetup(
        faults=faults, world=world, pipe=guardian.pipe, logs=folder / "logs", register=guardian.register_host
    )
    bare = _Bare(journal, guardian, HostPool(setup, standbys=0), end)
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, guardian)
        group.start_soon(guardian.listen)
        await bare.pool.start(faults)
        plans = {name: await bare.bring_on(name, spec["driver"]) for name, spec in faults.items()}
        print(json.dumps({"event": "active", "pid": os.getpid()}), flush=True)  # noqa: T201 - stdout is the protocol
        await anyio.sleep(request.get("hold_ms", 86_400_000) / 1000)
        for name in reversed(plans):
            await bare.take_off(name, plans[name])
        await bare.pool.end()
        group.cancel_scope.cancel()
    await guardian.goodbye()
    journal.write("closed", {"undone": True})


def _write_plan(folder: Path, world: World, faults: Mapping[str, Any]) -> None:
    """Write what ``gameday recover`` needs."""
    specs = [{"name": name, "do": spec["driver"], "with": spec["params"]} for name, spec in faults.items()]
    proxies = {
        name: {"control": ref.control, "name": ref.name, "token": ref.token} for name, ref in world.proxies.items()
    }
    sources = {name: {"kind": source.kind, "url": source.url} for name, source in world.sources.items()}
    experiment = {"faults": specs, "proxies": proxies, "sources": sources}
    plan = {"schema": "gameday/plan/1", "run_id": world.run_id, "experiment": experiment}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")


async def _beat(guardian: Guardian) -> None:
    while True:
        guardian.beat()
        await anyio.sleep(HEARTBEAT_SECONDS)


def _good(reply: dict[str, Any]) -> dict[str, Any]:
    if "error" in reply:
        raise DriverError(str(reply["error"]))
    return reply


def main() -> None:
    """Do what stdin asks."""
    anyio.run(run_bare, json.loads(sys.stdin.readline()))


if __name__ == "__main__":
    main()
