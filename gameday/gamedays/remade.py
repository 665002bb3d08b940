"""Whether what can be made again from the rest of a run folder, its verdict and its reports, comes out the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gameday.gamedays.checked import Checked, altered, intact, unknown
from gameday.journal.folder import RunFolder
from gameday.journal.reader import parse_until, read_journal
from gameday.judge import judge, to_bytes
from gameday.model import Json, Run
from gameday.registry import renderers
from gameday.runner.folder import environment
from gameday.spi import GamedayError


def check_remade(folder: RunFolder, run: Run) -> Iterator[Checked]:
    """Judge the run and render its reports again, and compare them with those in the folder."""
    yield from _same(folder, folder.verdict, lambda run: to_bytes(judge(run)), run, "judged")
    for renderer in renderers(()):
        path = folder.path / renderer.filename
        if path.exists():
            yield from _same(folder, path, renderer.render, run, "rendered")


def _same(folder: RunFolder, path: Path, again: Callable[[Run], bytes], run: Run, done: str) -> Iterator[Checked]:
    """Compare one file with what is made again, the same bytes by the same version of gameday."""
    try:
        found = path.read_bytes()
    except OSError as error:
        yield unknown(path.name, f"not there ({error.strerror}); gameday judge writes it again")
        return
    try:
        same, earlier = found == again(run), _judged_earlier(folder, run)
        of_then = not same and earlier is not None and found == again(earlier)
    except (GamedayError, ValueError, LookupError, TypeError) as error:  # what it is made of was altered beyond reading
        yield altered(path.name, f"it cannot be {done} again: {error}")
        return
    if same:
        yield intact(path.name, f"the same bytes when {done} again")
    elif of_then and earlier is not None:
        count, all_of_them = len(earlier.events), len(run.events)
        says = f"the same bytes when {done} after record {count} of {all_of_them}"
        yield unknown(path.name, f"{says}; what was written since is not in it: gameday judge {folder.path}")
    elif _version(run) != environment()["gameday"]:
        yield unknown(path.name, f"{done} by gameday {_version(run)}; this is {environment()['gameday']}")
    else:
        yield altered(path.name, f"it differs when {done} again")


def _judged_earlier(folder: RunFolder, run: Run) -> Run | None:
    """Return the run as it was when its verdict was written, where others (a watchdog, ``recover``) have gone on in its journal."""
    head = str((run.verdict or {}).get("journal_head", ""))
    text = parse_until(folder.journal.read_bytes(), head) if head != run.head else None
    if text is None:
        return None
    torn = any(after == len(text.events) for after, _ in read_journal(folder.journal).torn)
    return replace(run, events=text.events, head=text.head, closed=text.closed, torn=torn)


def _version(run: Run) -> str:
    written: Json = run.plan.get("environment") or {}
    return str(written.get("gameday", "unknown"))
