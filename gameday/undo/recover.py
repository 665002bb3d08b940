"""Undo whatever a lost run left, from its folder alone; idempotent, and it refuses to guess."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.journal.folder import RunFolder
from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal, JournalError
from gameday.model import Event, Plan, ProcessRef
from gameday.registry import load_driver
from gameday.schema.loader import read_secrets
from gameday.spi import GamedayError, ProxyRef, World
from gameday.spi.processes import alive, marked
from gameday.undo.fencing import stop_system
from gameday.undo.reverting import OpenFault, revert_all
from gameday.undo.state import forget_proxies, remembered_proxies
from gameday.undo.steps import Undone


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a lost run left, as far as its folder and this machine tell."""

    folder: RunFolder
    faults: tuple[tuple[str, Plan], ...]
    """Armed and not reverted, oldest first."""
    processes: tuple[tuple[str, ProcessRef], ...]
    """Started under ``system:`` and still there."""
    proxy: Mapping[str, Any] | None
    """How to reach the run's own fault proxy, if it still runs."""

    def lines(self) -> list[str]:
        """Say what is left, for people."""
        said = [
            f"would revert {name}: {plan.driver} on {', '.join(plan.targets)}" for name, plan in reversed(self.faults)
        ]
        said += [f"would stop {name} (pid {ref.pid})" for name, ref in self.processes]
        said += ["would end the fault proxy"] if self.proxy else []
        return said or ["nothing is left of this run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What recover did."""

    undone: tuple[Undone, ...]
    stopped: tuple[str, ...]
    left: tuple[str, ...]
    folder: Path

    @property
    def clean(self) -> bool:
        """Nothing is left."""
        return not self.left and all(one.clean for one in self.undone)

    def lines(self) -> list[str]:
        """Say what was done, the loudest first."""
        said = [
            f"DIRTY: {one.fault} may still be on ({', '.join(one.targets)}): {one.error}; then: gameday recover {self.folder}"
            for one in self.undone
            if not one.clean
        ]
        said += [f"DIRTY: {name} would not end" for name in self.left]
        said += [
            f"reverted {one.fault}: {'proven gone' if one.proven else 'reported undone'}"
            for one in self.undone
            if one.clean
        ]
        said += [f"stopped {name}" for name in self.stopped if name not in self.left]
        return said or ["nothing was left of this run"]


def open_faults(events: tuple[Event, ...]) -> tuple[tuple[str, Plan], ...]:
    """Return the reversible faults that were armed and are not known to be undone, oldest first: pure."""
    reversible = {e.data["fault"]: bool(e.data.get("reversible", True)) for e in events if e.kind == "planned"}
    found: dict[str, Plan] = {}
    for event in events:
        if event.kind == "armed" and reversible.get(event.data["fault"], True):
            found.pop(event.data["fault"], None)
            found[event.data["fault"]] = Plan.from_json(event.data["plan"])
        elif event.kind == "reverted":
            found.pop(event.data["fault"], None)
    return tuple(found.items())


def open_work(path: Path) -> Work:
    """Find what the run in this folder left; raise GamedayError when it is not a run folder."""
    folder = RunFolder(path.resolve())
    folder.read_plan()
    kept = remembered_proxies().get(folder.name)
    if kept is not None and not alive(ProcessRef(**kept["process"])):
        kept = None
    return Work(
        folder=folder,
        faults=open_faults(read_journal(folder.journal).events),
        processes=marked(folder.name),
        proxy=kept,
    )


def recover_run(path: Path) -> Recovered:
    """Take over the journal of a run whose runner is gone, revert newest first, prove, and stop what it started.

    Raises GamedayError while the run is alive, or when a secret that an undo needs is not in the environment.
    """
    folder = RunFolder(path.resolve())
    plan = folder.read_plan()
    journal = Journal.take_over(folder.journal, by="recover", why="gameday recover")
    try:
        work = open_work(path)
        undone = revert_all(_with_drivers(work, plan), _world(work, plan), by="recover", record=_recorder(journal))
        names = tuple(name for name, _ in work.processes)
        left = stop_system(folder.name)
        _end_proxy(work)
        with suppress(JournalError):
            journal.write("recovered", {"clean": not left and all(one.clean for one in undone), "stopped": list(names)})
            journal.sync()
    finally:
        journal.close()
    return Recovered(undone=undone, stopped=names, left=left, folder=folder.path)


def _recorder(journal: Journal) -> Any:
    def record(kind: str, data: Mapping[str, Any]) -> None:
        with suppress(JournalError):
            journal.write(kind, data)

    return record


def _with_drivers(work: Work, plan: Mapping[str, Any]) -> list[OpenFault]:
    specs = {spec["name"]: spec for spec in plan["experiment"]["faults"]}
    return [
        OpenFault(name=name, plan=armed, driver=load_driver(specs[name]["do"], specs[name].get("with", {})))
        for name, armed in work.faults
    ]


def _world(work: Work, plan: Mapping[str, Any]) -> World:
    """Rebuild what the undo needs; secrets come from the environment again, and a missing one is named when it is needed."""
    secrets = read_secrets(work.folder.experiment, os.environ)
    proxies: dict[str, ProxyRef] = {}
    if work.proxy is not None:
        process = ProcessRef(**work.proxy["process"])
        for name in plan["experiment"].get("proxies", {}):
            proxies[name] = ProxyRef(
                control=work.proxy["control"], name=name, token=work.proxy["token"], process=process
            )
    return World(run_id=work.folder.name, proxies=proxies, secrets=secrets)


def _end_proxy(work: Work) -> None:
    """End the run's own proxy by its pid: it passes traffic through already, and nothing of the run needs it any more."""
    if work.proxy is None:
        return
    from gameday.undo.fencing import stop_groups  # noqa: PLC0415 - one use

    try:
        stop_groups([ProcessRef(**work.proxy["process"])])
    except GamedayError:
        return
    forget_proxies(work.folder.name)
