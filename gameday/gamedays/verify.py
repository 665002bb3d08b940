"""Whether a run folder still says what its run wrote: the hash chain, and every file that hangs on it.

The chain has no key. Whoever can write the folder can write all of it anew, chain included, and nothing in it would show; what
proves the rest is the head, noted somewhere else when the run ended (a CI log, a ticket, a commit).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gameday.gamedays.approved import check_approvals
from gameday.gamedays.checked import Checked, altered, intact, unknown
from gameday.gamedays.remade import check_remade
from gameday.journal.folder import RunFolder, file_digest, read_run
from gameday.journal.reader import JournalText, read_journal
from gameday.model import Json, Run
from gameday.schema.loader import files_digest

_LOOSE = ("logs", "stop", "previous.json", "findings.yaml")
"""Files of a run that its journal says nothing of."""


def verify(path: Path, head: str = "", approvers: bytes | None = None) -> tuple[Checked, ...]:
    """Check a run folder; raise GamedayError when it is none.

    ``head`` is that of its journal and ``approvers`` the list of who may approve, as they were noted elsewhere.
    """
    run = read_run(path)
    folder, journal = RunFolder(path.resolve()), read_journal(RunFolder(path.resolve()).journal)
    return (
        *check_journal(journal),
        *check_head(journal, head),
        *_plan(folder, run),
        *check_approvals(run, approvers),
        _file(folder, run),
        *_samples(folder, run),
        *check_remade(folder, run),
        *_others(folder),
    )


def check_journal(journal: JournalText) -> Iterator[Checked]:
    """Check the chain itself."""
    count = len(journal.events)
    if journal.tail:
        yield altered("journal", f"{len(journal.tail)} bytes after record {count} are not part of the chain")
    else:
        yield intact("journal", f"{count} records, each carries the hash of the one before")
    for after, torn in journal.sealed:
        yield unknown("journal", f"{len(torn)} bytes after record {after} were torn and sealed by a successor")
    if not journal.closed:
        yield unknown("journal", "it was never closed: records at its end could be missing")


def check_head(journal: JournalText, head: str) -> Iterator[Checked]:
    """Check a journal against a head that was noted elsewhere, where one is given."""
    if not head:
        yield unknown("head", "not compared with one that was noted elsewhere: a chain written anew would not show")
    elif journal.head == head.lower():
        yield intact("head", "it is the one that you noted: no record was changed, added or taken away since")
    else:
        yield altered("head", f"it is {journal.head}, not the one that you noted")


def _plan(folder: RunFolder, run: Run) -> Iterator[Checked]:
    noted = _opened(run).get("plan")
    if not noted:
        yield unknown(folder.plan.name, "its run did not write down its hash")
    elif file_digest(folder.plan) != noted:
        yield altered(folder.plan.name, "it is not what the run was started with")
    else:
        yield intact(folder.plan.name, "it is what the run was started with")


def _opened(run: Run) -> Json:
    first = run.events[0] if run.events else None
    return first.data if first is not None and first.kind == "opened" else {}


def _file(folder: RunFolder, run: Run) -> Checked:
    """Check the user's file and the fragments that it uses, which have one digest together."""
    noted = _opened(run).get("digest")
    try:
        same = _experiment_digest(folder) == noted
    except OSError as error:
        return altered(folder.experiment.name, f"it cannot be read: {error.strerror}")
    if same:
        return intact(folder.experiment.name, "the file (and the fragments that it uses) that was run")
    return altered(folder.experiment.name, "it, or a fragment that it uses, is not the file that was run")


def _experiment_digest(folder: RunFolder) -> str:
    kept = folder.path / "fragments"
    files = (path for path in kept.rglob("*") if path.is_file()) if kept.is_dir() else ()
    fragments = {path.relative_to(kept).as_posix(): path.read_bytes() for path in files}
    return files_digest(folder.experiment.read_bytes(), fragments)


def _samples(folder: RunFolder, run: Run) -> Iterator[Checked]:
    """Check what was measured, and what else the run kept, by the digests that hang on its chain."""
    noted = {str(event.data.get("file")): event.data.get("sha256") for event in run.of_kind("kept")}
    name = folder.samples.name
    if name not in noted:
        yield unknown(name, "the run ended before it wrote down its hash")
    else:
        yield _kept(folder.samples, name, noted[name], "what the run measured")
    for other in sorted(noted.keys() - {name}):
        path = folder.path / other
        if path.resolve().is_relative_to(folder.path.resolve()):
            yield _kept(path, other, noted[other], "what the run kept")


def _kept(path: Path, name: str, sha256: object, words: str) -> Checked:
    try:
        found = file_digest(path)
    except OSError as error:
        return altered(name, f"it cannot be read: {error.strerror}")
    return intact(name, words) if found == sha256 else altered(name, f"it is not {words}")


def _others(folder: RunFolder) -> Iterator[Checked]:
    """Name what hangs on nothing: nobody can say whether it was changed."""
    loose = [name for name in _LOOSE if (folder.path / name).exists()]
    if loose:
        yield unknown("others", f"{', '.join(loose)}: on no chain, so that nothing shows what was changed there")
