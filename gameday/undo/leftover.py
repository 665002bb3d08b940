"""What a run left, as far as its folder and this machine tell: read without taking anything over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gameday.journal.folder import RunFolder
from gameday.journal.reader import read_journal
from gameday.journal.writer import held_by
from gameday.model import Event, Json, Plan, ProcessRef
from gameday.schema.experiment import Experiment
from gameday.spi import GamedayError
from gameday.spi.processes import alive, marked
from gameday.undo.state import open_runs, remembered_proxies


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is left of one run, and what would be done about it."""

    folder: RunFolder
    experiment: Json
    """As plan.json has it."""
    faults: tuple[tuple[str, Plan], ...]
    """Armed and not reverted, oldest first."""
    processes: tuple[tuple[str, ProcessRef], ...]
    """Started under ``system:`` and still there."""
    proxy: Mapping[str, Any] | None
    """How to reach the run's own fault proxy, if it still runs."""
    holder: str
    """Who writes its journal now, as ``watchdog 12``; empty when nobody does."""

    @property
    def command(self) -> str:
        """What finishes the job."""
        return f"gameday recover {self.folder.path}"

    @property
    def nothing(self) -> bool:
        """There is nothing to do."""
        return not (self.faults or self.processes or self.proxy)

    def lines(self) -> list[str]:
        """Say what is left, for people."""
        said = [
            f"would revert {name}: {plan.driver} on {', '.join(plan.targets)}" for name, plan in reversed(self.faults)
        ]
        said += [f"would stop {name} (pid {ref.pid})" for name, ref in self.processes]
        said += ["would end the fault proxy, which passes traffic through"] if self.proxy else []
        said += [f"first it would wait for {self.holder}, which is at work" if said else ""] if self.holder else []
        return [line for line in said if line] or ["nothing is left of this run"]


def open_faults(events: Iterable[Event], torn: Iterable[tuple[int, bytes]] = ()) -> tuple[tuple[str, Plan], ...]:
    """Return the reversible faults that were armed and are not known to be undone, oldest first: pure.

    Of ``torn``, what is no record of the chain, nothing is believed that says a fault is undone; but one that it says was armed is
    undone once more, which does no harm.
    """
    known = list(events)
    reversible = {e.data["fault"]: bool(e.data.get("reversible", True)) for e in known if e.kind == "planned"}
    armed = [(e.seq, str(e.data["fault"]), Plan.from_json(e.data["plan"])) for e in known if e.kind == "armed"]
    armed += [(place, name, plan) for place, piece in torn for name, plan in _armed_in(piece)]
    undone = {str(e.data["fault"]): e.seq for e in known if e.kind == "reverted"}
    found: dict[str, Plan] = {}
    for place, name, plan in sorted(armed, key=lambda one: one[0]):
        if reversible.get(name, True) and place > undone.get(name, -1):
            found.pop(name, None)
            found[name] = plan
    return tuple(found.items())


def _armed_in(piece: bytes) -> Iterator[tuple[str, Plan]]:
    for line in piece.split(b"\n"):
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            raw: Any = json.loads(line)
            if raw["kind"] == "armed":
                yield str(raw["data"]["fault"]), Plan.from_json(raw["data"]["plan"])


def open_work(path: Path) -> Work:
    """Find what the run in this folder left; raise GamedayError when it is not a run folder."""
    folder = RunFolder(path.resolve())
    plan = folder.read_plan()
    text = read_journal(folder.journal)
    kept = remembered_proxies().get(folder.name)
    if kept is not None and not alive(ProcessRef(**kept["process"])):
        kept = None
    return Work(
        folder=folder,
        experiment=cast("Json", plan["experiment"]),
        faults=open_faults(text.events, text.torn),
        processes=marked(folder.name),
        proxy=kept,
        holder=held_by(folder.journal),
    )


def ended_runs() -> tuple[Path, ...]:
    """Return the folders of runs that have ended without it being known that they left nothing; the one being undone, too."""
    return tuple(path for path in open_runs() if not held_by(RunFolder(path).journal).startswith("runner"))


def held_runs() -> frozenset[str]:
    """Return the names of runs of this user that are alive here, or being undone."""
    return frozenset(path.name for path in open_runs() if held_by(RunFolder(path).journal))


def residue(experiment: Experiment, targets: Iterable[str] = ()) -> tuple[Work, ...]:
    """Return what ended runs left on what this experiment would touch.

    The same fault with the same parameters, a process under ``system:`` that is started the same way, or one of ``targets``, as far
    as they are planned. A proxy that passes traffic through is none: the next run takes it over.
    """
    found: list[Work] = []
    planned = frozenset(targets)
    for path in ended_runs():
        with suppress(GamedayError, LookupError, OSError):
            work = open_work(path)
            if _touches(work, experiment.to_json(), planned):
                found.append(work)
    return tuple(found)


def _touches(work: Work, mine: Json, targets: frozenset[str]) -> bool:
    specs = {spec["name"]: spec for spec in work.experiment.get("faults", ())}
    wanted = [(spec["do"], spec.get("with", {})) for spec in mine.get("faults", ())]
    for name, plan in work.faults:
        spec = specs.get(name, {})
        if targets.intersection(plan.targets) or (spec.get("do"), spec.get("with", {})) in wanted:
            return True
    left, own = work.experiment.get("system", {}), mine.get("system", {})
    return any(name in own and own[name].get("run") == left.get(name, {}).get("run") for name, _ in work.processes)


def describe(found: Iterable[Work]) -> str:
    """Say what is left and the commands that finish the job, in one line."""
    said: list[str] = []
    for work in found:
        names = [name for name, _ in work.faults] + [name for name, _ in work.processes]
        said.append(f"{work.folder.name} left {', '.join(names)}; finish the job with: {work.command}")
    return "; ".join(said)
