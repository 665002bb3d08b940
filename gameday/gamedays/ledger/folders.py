"""A run folder → the facts that the ledger keeps of it; nothing is judged here, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from gameday.gamedays.ledger.facts import Debit, ObjectiveFacts, Occurrence, Read, RunFacts, Statement, variant_of
from gameday.journal.folder import RunFolder
from gameday.model import Json, Verdict
from gameday.runner.site import run_folders
from gameday.schema.remarks import read_remarks, read_remarks_file
from gameday.spi import GamedayError
from gameday.spi.reading import PARAGRAPH, bounded, number, part, parts, text, texts
from gameday.spi.sameness import only_checked

DAY_FILE = "day.yaml"
"""In the folder of a game day, whose runs lie in ``runs/`` beside it."""
_MOST = 200
"""Objectives or findings that are kept of one run."""
_NAME = 120


def ledger_folders(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield run folders: those that are named, those in the folders that are, and those of game days in them; each once."""
    seen: set[Path] = set()
    for folder in folders:
        for path in _inside(folder):
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _inside(folder: Path) -> Iterator[Path]:
    if _is_day(folder):
        yield from sorted(plan.parent for plan in (folder / "runs").glob("*/plan.json"))
        return
    days = [] if (folder / "plan.json").exists() else [path for path in sorted(folder.iterdir()) if _is_day(path)]
    for path in run_folders([folder]):
        if path not in days and not (days and path == folder):
            yield path
    for day in days:
        yield from _inside(day)


def _is_day(folder: Path) -> bool:
    return (folder / DAY_FILE).is_file() and not (folder / "plan.json").exists()


def read_folder(folder: Path) -> Read | None:
    """Read one judged run; None for one that only checked the steady state and tested nothing.

    Raises GamedayError for what is no run folder, is not judged, or does not say when it began.
    """
    paths = RunFolder(folder.resolve())
    plan = paths.read_plan()
    verdict = paths.read_verdict()
    if verdict is None or verdict.get("schema") != "gameday/verdict/1":
        raise GamedayError(
            f"{folder} has no verdict that can be read", hint=f"gameday judge {folder} writes it, once the run is over"
        )
    if only_checked(verdict):
        return None
    started = number(verdict, "started_wall")
    if started is None or text(verdict, "verdict", 20) not in {one.word for one in Verdict}:
        raise GamedayError(
            f"{folder} does not say when it began or what it came to", hint=f"gameday judge {folder} writes it anew"
        )
    said = paths.remarks.read_bytes() if paths.remarks.is_file() else b""
    stamp = sha256(paths.verdict.read_bytes() + b"\0" + said).hexdigest()
    facts = facts_of(paths.name, plan, verdict, started=float(started), stamp=stamp, day=_day(paths.path))
    entries = read_remarks(paths.remarks.name, said).entries
    return Read(facts=facts, statements=_statements(entries, facts.started, f"run:{facts.run}"))


def read_file(path: Path) -> tuple[Statement, ...]:
    """Return what a findings.yaml says, as of the time when it was last written; raise GamedayError where anything in it is wrong."""
    remarks = read_remarks_file(path)
    if remarks.errors:
        raise GamedayError(
            f"{path} has mistakes, and nothing of it was taken", hint=f"gameday validate {path} shows them"
        )
    return _statements(remarks.entries, path.stat().st_mtime, f"file:{sha256(path.read_bytes()).hexdigest()[:16]}")


def facts_of(name: str, plan: Json, verdict: Json, *, started: float, stamp: str, day: str = "") -> RunFacts:
    """Return the facts of a verdict document; what is missing in it is empty or None."""
    experiment, load = part(plan, "experiment"), part(verdict, "load")
    variant = part(plan, "variant")
    objectives = parts(verdict, "objectives")[:_MOST]
    return RunFacts(
        run=bounded(name, _NAME),
        title=text(verdict, "title") or text(experiment, "title"),
        variant=variant_of({bounded(key, 60): bounded(variant[key], 60) for key in list(variant)[:20]}),
        source=text(plan, "source"),
        digest=text(verdict, "digest", 64),
        verdict=text(verdict, "verdict", 20),
        reasons=texts(verdict, "reasons")[:20],
        summary=text(verdict, "summary", PARAGRAPH),
        started=started,
        ended_ms=int(number(verdict, "ended_ms") or 0),
        rate=_float(number(load, "rate")),
        offered=_whole(load, "offered"),
        completed=_whole(load, "completed"),
        day=bounded(day, _NAME),
        stamp=stamp,
        objectives=tuple(map(_objective, objectives)),
        findings=tuple(map(_occurrence, parts(verdict, "findings")[:_MOST])),
        debits=tuple(debit for raw in objectives if (debit := _debit(raw)) is not None),
    )


def _day(folder: Path) -> str:
    above = folder.parent.parent
    return above.name if folder.parent.name == "runs" and (above / DAY_FILE).is_file() else ""


def _statements(entries: Mapping[str, Mapping[str, str]], at: float, origin: str) -> tuple[Statement, ...]:
    return tuple(
        Statement(fingerprint=fingerprint, key=key, value=bounded(value, 2_000), at=at, origin=origin)
        for fingerprint, entry in entries.items()
        for key, value in entry.items()
    )


def _objective(raw: Json) -> ObjectiveFacts:
    phases = [part(part(row, "phases"), "fault") for row in parts(raw, "criteria")]
    known = [(margin, phase) for phase in phases if (margin := margin_of(phase)) is not None]
    phase: Json = min(known, key=lambda pair: pair[0])[1] if known else {}
    return ObjectiveFacts(
        name=text(raw, "name", _NAME),
        verdict=text(raw, "verdict", 20),
        reason=text(raw, "reason", 40),
        criterion=text(phase, "criterion", _NAME),
        bad=_whole(phase, "k"),
        total=_whole(phase, "n"),
        budget=_float(number(phase, "budget")),
        value=_float(number(phase, "value")),
        bound=_float(number(phase, "limit")),
        recovery_seconds=_float(number(part(raw, "recovery"), "seconds")),
    )


def margin_of(phase: Json) -> float | None:
    """Return 1 with nothing used of a limit, 0 at the limit, less beyond it; None where nothing was measured."""
    value, limit = number(phase, "value"), number(phase, "limit")
    if value is not None and limit:
        left = abs(limit - value) / abs(limit)
        return left if text(phase, "result") == "pass" else -left
    n, k, budget = number(phase, "n"), number(phase, "k"), number(phase, "budget")
    if not n or k is None:
        return None
    return 1 - k / n / budget if budget else -float(k)


def _occurrence(raw: Json) -> Occurrence:
    return Occurrence(
        fingerprint=text(raw, "fingerprint", 32),
        rule=text(raw, "rule", 40),
        severity=text(raw, "severity", 20).lower(),
        title=text(raw, "title"),
        saw=text(raw, "saw", PARAGRAPH),
        next=text(raw, "next", PARAGRAPH),
        objective=text(raw, "objective", _NAME),
        phase=text(raw, "phase", _NAME),
    )


def _debit(raw: Json) -> Debit | None:
    """Return what the objective's own account says; None for one that has no error budget."""
    budget = part(raw, "budget")
    bad, total = _whole(budget, "bad"), _whole(budget, "total")
    if bad is None or total is None:
        return None
    slo = part(budget, "slo")
    return Debit(
        objective=text(raw, "name", _NAME),
        bad=bad,
        total=total,
        bad_seconds=_whole(part(raw, "recovery"), "bad_seconds"),
        outage_ms=_whole(budget, "outage_ms"),
        slo=text(slo, "name", _NAME),
        target=_float(number(slo, "target")),
        window_ms=_whole(slo, "window_ms"),
        share=_float(number(slo, "share")),
    )


def _whole(raw: Json, key: str) -> int | None:
    found = number(raw, key)
    return None if found is None else round(found)


def _float(found: float | None) -> float | None:
    return None if found is None else float(found)
