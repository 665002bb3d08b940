"""Which old folders may go: runs and game days that are over for good, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.journal.folder import RunFolder
    from gameday.journal.reader import JournalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run folder, or that of a game day with the runs in it."""

    path: Path
    began: float
    """Seconds since the epoch."""
    keep: str
    """Why it must stay; empty for one that may go."""
    runs: tuple[Path, ...] = ()
    """The run folders that go with it."""

    def delete(self) -> None:
        """Delete it, so that nobody looks for it any more; raises OSError."""
        from gameday.undo.state import forget_run  # noqa: PLC0415 - heavy

        shutil.rmtree(self.path)
        for run in self.runs:
            forget_run(run)


def choose(found: Iterable[Found], *, keep: int, older_than: float, now: float) -> list[Found]:
    """Return those that may go, oldest first: not among the newest ``keep``, and older than that many seconds."""
    newest_first = sorted(found, key=lambda one: (one.began, one.path.name), reverse=True)
    rest = newest_first[keep:]
    return [one for one in reversed(rest) if not one.keep and now - one.began >= older_than]


def old_folders(output: Path) -> Iterable[Found]:
    """Yield every folder of a run or a game day directly below this folder."""
    for path in sorted(output.iterdir()):
        found = look(path)
        if found is not None:
            yield found


def look(path: Path) -> Found | None:
    """Return what a folder is; None for anything that is surely neither: a link, a stranger's folder, a renamed one."""
    from gameday.gamedays.day.verify import is_day_folder  # noqa: PLC0415 - heavy

    if path.is_symlink() or not path.is_dir():
        return None
    return _day(path) if is_day_folder(path) else _run(path)


def _day(path: Path) -> Found | None:
    from gameday.gamedays.day.folder import read_day  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import read_progress  # noqa: PLC0415 - heavy
    from gameday.spi.errors import GamedayError  # noqa: PLC0415 - heavy

    try:
        day = read_day(path)
        runs = tuple(old_folders(day.folder.runs))
    except (GamedayError, OSError):
        return None
    if day.plan.get("day") != path.name:
        return None
    began = day.events[0].wall if day.events else path.stat().st_mtime
    if leader := day.leader:
        keep = f"it is led: {leader}"
    elif not read_progress(day.events).closed or day.torn:
        keep = "it is not finished: gameday day resume DAY"
    else:
        keep = next((f"{one.path.name} in it: {one.keep}" for one in runs if one.keep), "")
    return Found(path=path, began=began, keep=keep, runs=tuple(one.path for one in runs))


def _run(path: Path) -> Found | None:
    from gameday.journal.folder import RunFolder  # noqa: PLC0415 - heavy
    from gameday.journal.reader import read_journal  # noqa: PLC0415 - heavy
    from gameday.spi.errors import GamedayError  # noqa: PLC0415 - heavy

    folder = RunFolder(path)
    try:
        plan = folder.read_plan()
        journal = read_journal(folder.journal)
    except (GamedayError, OSError):
        return None
    if plan.get("run_id") != path.name:
        return None
    if not journal.events:
        return Found(path=path, began=path.stat().st_mtime, runs=(path,), keep="it has no journal that can be read")
    return Found(path=path, began=journal.events[0].wall, keep=_why_it_stays(folder, journal), runs=(path,))


def _why_it_stays(folder: RunFolder, journal: JournalText) -> str:
    """Say why a run is not over for good; empty when it is: closed with everything undone, or lost and nothing left of it."""
    from gameday.journal.writer import held_by  # noqa: PLC0415 - heavy
    from gameday.undo.leftover import open_work  # noqa: PLC0415 - heavy

    if holder := held_by(folder.journal):
        return f"it is on: {holder}"
    if journal.tail:
        return "its journal has a torn end: gameday recover RUN"
    closed = journal.events[-1].kind == "closed"
    if closed and journal.events[-1].data.get("undone") is not True:
        return "it may have left a fault on: gameday recover RUN"
    if not closed and not open_work(folder.path).nothing:
        return "it was lost, and something may be left: gameday recover RUN"
    return ""
