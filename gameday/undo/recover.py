"""Undo whatever a lost run left, from its folder alone; idempotent, and it refuses to guess."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.journal.folder import RunFolder
from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal, JournalError, JournalHeldError, held_by
from gameday.model import Plan, ProcessRef
from gameday.registry import load_driver
from gameday.schema.loader import read_secrets
from gameday.schema.silence import silence_of
from gameday.schema.source import SourceSpec
from gameday.spi import Driver, GamedayError, ProxyRef, Secrets, Source, World
from gameday.spi.processes import boot_id
from gameday.undo.deaths import ends_with
from gameday.undo.fencing import stop_groups, stop_system
from gameday.undo.host import import_ahead
from gameday.undo.leftover import Work, open_faults, open_work
from gameday.undo.reverting import OpenFault, Record, revert_all
from gameday.undo.sources import resolve
from gameday.undo.state import forget_proxies, forget_run, open_runs
from gameday.undo.steps import Undone

__all__ = ["Recovered", "Work", "find_run", "open_faults", "open_work", "recover_run"]
WAIT_SECONDS = 60.0
"""How long to wait for a watchdog, or another recover, that is at work on the same run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What recover did."""

    undone: tuple[Undone, ...]
    stopped: tuple[str, ...]
    left: tuple[str, ...]
    folder: Path
    unwritten: str = ""
    """Why the journal does not say so; empty when it does."""

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
        said += [f"DIRTY: {name} would not end; then: gameday recover {self.folder}" for name in self.left]
        said += [f"not in the journal: {self.unwritten}"] if self.unwritten and self.undone else []
        said += [
            f"reverted {one.fault}: {'proven gone' if one.proven else 'reported undone'}"
            for one in self.undone
            if one.clean
        ]
        said += [f"stopped {name}" for name in self.stopped if name not in self.left]
        return said or ["nothing was left of this run"]


def find_run(named: str) -> Path:
    """Return the folder of a run: a path, or the name of a run that is open; raise GamedayError when there is none."""
    path = Path(named)
    if path.is_dir():
        return path
    for folder in (*open_runs(), Path("runs") / named):
        if folder.name == named and folder.is_dir():
            return folder
    raise GamedayError(f"there is no run {named}", hint="name its folder, or: gameday recover --all --dry-run")


def recover_run(path: Path, *, waiting: Callable[[str], None] = print, wait_seconds: float = WAIT_SECONDS) -> Recovered:
    """Take over the journal of a run whose runner is gone, revert newest first, prove, and stop what it started.

    ``waiting`` is told once when somebody else is at work on it. Raises GamedayError while the run is alive.
    """
    work = open_work(path)
    folder = work.folder
    if work.nothing and not work.holder:
        forget_run(folder.path)
        return Recovered(undone=(), stopped=(), left=(), folder=folder.path)
    journal = _take_over(folder, waiting, wait_seconds)
    try:
        return _recover(open_work(path), journal)
    finally:
        if journal is not None:
            journal.close()


def _take_over(folder: RunFolder, waiting: Callable[[str], None], seconds: float) -> Journal | None:
    """Become the journal's one writer, waiting for a successor that is at work; None when there is no journal at all."""
    end, told = time.monotonic() + seconds, False
    while True:
        try:
            return Journal.take_over(folder.journal, by="recover", why="gameday recover")
        except JournalHeldError:
            holder = held_by(folder.journal)
            if holder.startswith("runner") or time.monotonic() >= end:
                raise
            if holder and not told:
                waiting(f"waiting for {holder}, which is undoing this run")
                told = True
        except JournalError:
            return None


def _recover(work: Work, journal: Journal | None) -> Recovered:
    record = _recorder(journal)
    lost, faults = _with_drivers(work)
    if _rebooted(work.folder):
        faults, voided = _void(faults, record)
    else:
        voided = ()
    undone = revert_all(faults, _world(work), by="recover", record=record)
    for one in lost:
        record("still-active", {"fault": one.fault, "by": "recover", "error": one.error})
    names = tuple(name for name, _ in work.processes)
    left = stop_system(work.folder.name)
    _end_proxy(work)
    outcome = Recovered(
        undone=(*lost, *undone, *voided),
        stopped=names,
        left=left,
        folder=work.folder.path,
        unwritten=journal.broken if journal is not None else "there is none",
    )
    record("recovered", {"clean": outcome.clean, "stopped": list(names)})
    if journal is not None and not journal.broken:
        with suppress(JournalError):
            journal.sync()
    if outcome.clean:
        forget_run(work.folder.path)
    return outcome


def _recorder(journal: Journal | None) -> Record:
    def record(kind: str, data: Mapping[str, Any]) -> None:
        if journal is not None:
            with suppress(JournalError):
                journal.write(kind, data)

    return record


def _with_drivers(work: Work) -> tuple[tuple[Undone, ...], list[OpenFault]]:
    """Load the driver of each open fault; one that cannot be loaded does not keep the others on."""
    specs = {spec["name"]: spec for spec in (*work.experiment.get("faults", ()), *silence_of(work.experiment))}
    lost: list[Undone] = []
    found: list[OpenFault] = []
    for name, plan in work.faults:
        try:
            found.append(OpenFault(name=name, plan=plan, driver=_driver(specs.get(name), plan)))
        except GamedayError as error:
            text = f"{error}" + (f" ({error.hint})" if error.hint else "")
            lost.append(Undone(fault=name, targets=plan.targets, clean=False, proven=False, error=text))
    return tuple(lost), found


def _driver(spec: Mapping[str, Any] | None, plan: Plan) -> Driver:
    if spec is None:
        raise GamedayError(f"plan.json does not know this fault of {plan.driver}")
    driver = load_driver(spec["do"], spec.get("with", {}))
    import_ahead((driver.name,))
    return driver


def _rebooted(folder: RunFolder) -> bool:
    events = read_journal(folder.journal).events
    then = str(events[0].data.get("boot_id", "")) if events else ""
    return bool(then and boot_id() and then != boot_id())


def _void(faults: list[OpenFault], record: Record) -> tuple[list[OpenFault], tuple[Undone, ...]]:
    """Take out what the reboot has undone: faults of the kernel and of processes; files, containers and clusters are still reverted."""
    voided = [fault for fault in faults if "boot" in ends_with(fault.driver, fault.plan)]
    for fault in voided:
        record("note", {"text": f"{fault.name} ended with the boot it was made in"})
        record("reverted", {"fault": fault.name, "by": "recover", "proven": True, "error": ""})
    gone = tuple(Undone(fault=f.name, targets=f.plan.targets, clean=True, proven=True) for f in voided)
    return [fault for fault in faults if fault not in voided], gone


def _world(work: Work) -> World:
    """Rebuild what the undo needs; secrets come from the environment again, and a missing one is named when it is needed."""
    try:
        secrets = read_secrets(work.folder.experiment, os.environ)
    except (GamedayError, OSError):
        secrets = Secrets()
    listed = work.experiment.get("proxies", {})
    proxies = {
        name: ProxyRef(
            control=str(raw["control"]), name=str(raw.get("name") or name), token=str(raw.get("token") or "")
        )
        for name, raw in listed.items()
        if raw.get("control")
    }
    if work.proxy is not None:
        process = ProcessRef(**work.proxy["process"])
        for name in (name for name in listed if name not in proxies):
            proxies[name] = ProxyRef(
                control=work.proxy["control"], name=name, token=work.proxy["token"], process=process
            )
    return World(
        run_id=work.folder.name,
        folder=str(work.folder.path),
        proxies=proxies,
        sources=_sources(work, secrets),
        secrets=secrets,
    )


def _sources(work: Work, secrets: Secrets) -> dict[str, Source]:
    """Rebuild each source whose secrets are there: only the undo of what asks another misses it, and says so."""
    base = Path(str(work.folder.read_plan().get("source", "."))).absolute().parent
    found: dict[str, Source] = {}
    for name, raw in work.experiment.get("sources", {}).items():
        with suppress(GamedayError, ValueError):
            found |= resolve({name: SourceSpec.model_validate(raw)}, secrets, base)
    return found


def _end_proxy(work: Work) -> None:
    """End the run's own proxy by its pid: it passes traffic through already, and nothing of the run needs it any more."""
    if work.proxy is None:
        return
    with suppress(GamedayError):
        stop_groups([ProcessRef(**work.proxy["process"])])
        forget_proxies(work.folder.name)
