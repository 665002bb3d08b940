"""Whether the folder of a game day still says what happened: its chain, its file, its evidence, and the runs that hang on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gameday.gamedays.checked import Checked, Finding, altered, intact, unknown
from gameday.gamedays.day.folder import Day, DayFolder, read_day
from gameday.gamedays.day.verdict import judge_day, verdict_bytes
from gameday.gamedays.verify import check_head, check_journal, verify
from gameday.journal.folder import file_digest
from gameday.journal.reader import read_journal
from gameday.model import Json
from gameday.spi.errors import GamedayError


def is_day_folder(path: Path) -> bool:
    """Whether a folder is one of a game day."""
    return DayFolder(path).plan.is_file()


def verify_day(path: Path, head: str = "", approvers: bytes | None = None) -> tuple[Checked, ...]:
    """Check a day's folder; raise GamedayError when it is none. ``head`` and ``approvers`` as for a run."""
    day, journal = read_day(path), read_journal(DayFolder(path.resolve()).journal)
    return (
        *check_journal(journal),
        *check_head(journal, head),
        *_noted(day),
        *_evidence(day),
        *_runs(day, approvers),
        *_verdict(day),
    )


def _noted(day: Day) -> Iterator[Checked]:
    """Check what the first record has the hashes of."""
    opened: Json = day.events[0].data if day.events and day.events[0].kind == "day-opened" else {}
    for path, key in ((day.folder.file, "digest"), (day.folder.plan, "plan")):
        yield _same(path, path.name, opened.get(key), "what the day was begun with")


def _same(path: Path, name: str, sha256: object, says: str) -> Checked:
    try:
        found = file_digest(path)
    except OSError as error:
        return altered(name, f"it cannot be read: {error.strerror}")
    if not sha256:
        return unknown(name, "its hash was not written down")
    return intact(name, says) if found == sha256 else altered(name, f"it is not {says}")


def _evidence(day: Day) -> Iterator[Checked]:
    """Check every file that somebody handed in, each once."""
    rows = [row for event in day.events for row in event.data.get("evidence") or () if row.get("kind") == "file"]
    for name, sha256 in {str(row["file"]): row.get("sha256") for row in rows}.items():
        yield _same(day.folder.path / name, name, sha256, "what was handed in")


def _runs(day: Day, approvers: bytes | None) -> Iterator[Checked]:
    """Check each run whose end is written down, against the head that it had then; what is loose in it is its own affair."""
    for event in day.events:
        if event.kind != "run-ended":
            continue
        name, head = str(event.data["run"]), str(event.data.get("head") or "")
        try:
            checks = verify(day.folder.path / name, head, approvers)
        except (GamedayError, OSError) as error:
            yield altered(name, str(error))
            continue
        wrong = [one for one in checks if one.finding is Finding.ALTERED]
        yield from (altered(f"{name}/{one.what}", one.says) for one in wrong)
        if not wrong:
            yield intact(name, "its journal is the one that the day's names, and nothing of it was altered")


def _verdict(day: Day) -> Iterator[Checked]:
    name = day.folder.verdict.name
    try:
        found = day.folder.verdict.read_bytes()
    except OSError as error:
        yield unknown(name, f"not there ({error.strerror}); gameday day report writes it again")
        return
    if found == verdict_bytes(judge_day(day)):
        yield intact(name, "the same bytes when judged again")
    else:
        yield altered(name, "it differs when judged again")
