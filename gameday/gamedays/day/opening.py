"""Begin a day, or go on with one: who leads, where it is allowed, and what a lost leader left."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gameday.gamedays.day.desk import Desk
from gameday.gamedays.day.folder import Day, DayFolder, make_folder, new_day_id, read_day
from gameday.gamedays.day.progress import INTERRUPTED, Place, Progress, kind_of, next_place, read_progress, title_of
from gameday.journal.folder import file_digest
from gameday.journal.writer import Journal, JournalHeldError
from gameday.policy.found import find_policies
from gameday.policy.recognised import environments
from gameday.runner.ending import report_folder
from gameday.runner.folder import environment
from gameday.schema.day.loader import LoadedDay
from gameday.schema.loader import Loaded
from gameday.spi.errors import GamedayError
from gameday.spi.processes import boot_id, identify
from gameday.undo.recover import recover_run


class DayDirtyError(GamedayError):
    """What a lost leader left could not be undone: the day does not go on."""


def environment_refusals(name: str | None, experiments: Iterable[Loaded]) -> list[str]:
    """Return why experiments are not in the environment that a day names; none when they are, or it names none."""
    return [] if name is None else [why for one in experiments if (why := _elsewhere(name, one))]


def _elsewhere(name: str, loaded: Loaded) -> str:
    policies = find_policies(loaded.path)
    found = sorted({where for policy in policies for where in environments(policy, loaded.experiment)})
    if found == [name]:
        return ""
    if not policies:
        return f"{loaded.path}: no gameday.toml applies to it, so that nothing shows that it is in {name}"
    return f"{loaded.path}: it is in {', '.join(found) or 'no environment of the policy'}, and the day in {name}"


def open_day(loaded: LoadedDay, variables: Mapping[str, str], desk: Desk, *, output: Path) -> tuple[DayFolder, Journal]:
    """Make the folder of a new day and write its first record; raise GamedayError when that cannot be done."""
    folder = make_folder(loaded, variables, output=output, day_id=new_day_id(loaded.path, datetime.now(UTC)))
    journal = Journal.create(folder.journal)
    me, file = identify(os.getpid()), loaded.day
    roles: dict[str, list[str]] = {}
    for role, person in file.people.named():
        roles.setdefault(role, []).append(person)
    journal.write(
        "day-opened",
        {
            "day": folder.name,
            "title": file.title,
            "goal": file.goal or "",
            "environment": file.environment or "",
            "roles": roles,
            "digest": loaded.digest,
            "plan": file_digest(folder.plan),
            "by": desk.by,
            "attended": desk.attended,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "start": me.start if me else 0,
            "boot_id": boot_id(),
            "epoch_ns": journal.epoch_ns,
            "versions": environment(),
        },
    )
    journal.sync()
    return folder, journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A day that goes on."""

    day: Day
    journal: Journal


def resumable(path: Path) -> Day:
    """Return a day that can be resumed; raise GamedayError for one that is finished, or is led by somebody."""
    day = read_day(path)
    if read_progress(day.events).closed:
        raise GamedayError(f"{day.folder.name} is finished", hint="begin a new day: gameday day run FILE")
    if leader := day.leader:
        raise GamedayError(f"{day.folder.name} is led by a process that is still alive: {leader}", hint=_JOIN)
    if not day.events:
        raise GamedayError(f"{day.folder.name} was never begun: its journal is empty", hint="gameday day run FILE")
    return day


_JOIN = "join it: gameday day note, mark, watch or stop"


def resume_day(day: Day, desk: Desk, tell: Callable[[str], None]) -> Resumed:
    """Take a day over: undo first what its last run left, then write down that it goes on.

    Raises DayDirtyError when something is left on, and GamedayError when somebody was quicker.
    """
    try:
        journal = Journal.take_over(day.folder.journal, by="leader", why="resume", lock_seconds=0.5)
    except JournalHeldError as error:
        raise GamedayError(f"{day.folder.name} is led by a process that is still alive", hint=_JOIN) from error
    try:
        _go_on(read_day(day.folder.path), journal, desk, tell)
    except BaseException:
        journal.close()
        raise
    return Resumed(day=day, journal=journal)


def _go_on(day: Day, journal: Journal, desk: Desk, tell: Callable[[str], None]) -> None:
    progress = read_progress(day.events)
    place = next_place(day.file, progress)
    recovered = [one for name in progress.open_runs for one in _recover(day, name, tell)]
    journal.write(
        "resumed",
        {
            "by": desk.by,
            "after": "stop" if progress.stopped is not None else "crash",
            "section": place[0] if place is not None else None,
            "at_index": place[1] if place is not None else None,
            "interrupted": _interrupted(progress, place),
            "recovered": recovered,
        },
    )
    if place is not None and progress.at(place).broken_off and progress.at(place).outcome != INTERRUPTED:
        _end_lost(day, place, progress, journal)
    journal.sync()


def _interrupted(progress: Progress, place: Place | None) -> int | None:
    return place[1] if place is not None and progress.at(place).broken_off else None


def _recover(day: Day, name: str, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Undo what one run left, and judge it; raise DayDirtyError when something stays."""
    folder = day.folder.path / name
    if not (folder / "plan.json").is_file():  # its leader was lost before it was more than a name
        return []
    outcome = recover_run(folder, waiting=tell)
    for line in outcome.lines():
        tell(line)
    if not outcome.clean:
        raise DayDirtyError("the day does not go on: a fault may still be on", hint=f"gameday recover {folder}")
    report_folder(folder)
    return [{"run": name, "clean": True, "lines": outcome.lines()}]


def _end_lost(day: Day, place: Place, progress: Progress, journal: Journal) -> None:
    """Write down how the item ended that a lost leader was at, and its run with the verdict that it has now."""
    section, index = place
    for one in progress.at(place).runs:
        if one["verdict"] is None and (day.folder.path / one["run"] / "verdict.json").is_file():
            judged = report_folder(day.folder.path / one["run"])
            one |= {"verdict": judged.verdict.word, "reasons": [str(reason) for reason in judged.document["reasons"]]}
            head = judged.document["journal_head"]
            journal.write("run-ended", {"section": section, "index": index, **one, "head": head})
    said = {"by": "", "role": "", "why": "its leader was lost", "message": None}
    data = {
        "index": index,
        "kind": kind_of(day.file, place),
        "title": title_of(day.file, place),
        "outcome": INTERRUPTED,
    }
    data |= {**said, "runs": progress.at(place).runs}
    if section == "prerequisites":
        journal.write("prerequisite", data)
    else:
        journal.write("item-ended", {"section": section, **data, "evidence": [], "seconds": None})
