"""A game day's folder → the draft of its postmortem, as files beside its journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from gameday.journal.folder import read_run
from gameday.journal.reader import read_journal
from gameday.judge import judge
from gameday.model import Event, GameDay, Run
from gameday.registry import postmortem, postmortems
from gameday.spi import GamedayError


def read_day(folder: Path) -> GameDay:
    """Read the folder of a day; raise GamedayError when it is none. A run in it that cannot be read is missing."""
    about = _json(folder / "day.json")
    if about is None or about.get("schema") != "gameday/day/1":
        raise GamedayError(f"{folder} is no folder of a game day", hint="name one like runs/day-20261123T101500Z-…")
    text = read_journal(folder / "journal.ndjson")
    return GameDay(
        name=folder.resolve().name,
        day=about,
        events=text.events,
        head=text.head,
        closed=text.closed,
        torn=bool(text.tail),
        verdict=_json(folder / "verdict.json"),
        runs=_runs(folder, text.events),
    )


def write_postmortem(folder: Path, forms: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write the postmortem of a day in these forms, or in all that are installed; return the files."""
    day, written = read_day(folder), list[Path]()
    for name in forms or postmortems():
        form = postmortem(name)
        path = folder / form.filename
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_bytes(form.render(day))
        beside.replace(path)
        written.append(path)
    return tuple(written)


def _runs(folder: Path, events: Sequence[Event]) -> dict[str, Run]:
    names = {str(event.data.get("run", "")) for event in events if event.kind in ("run-started", "run-ended")}
    found: dict[str, Run] = {}
    for name in sorted(names):
        if not name.startswith("runs/") or ".." in Path(name).parts:
            continue
        try:
            run = read_run(folder / name)
            found[name] = run if run.verdict is not None else replace(run, verdict=judge(run))
        except (GamedayError, OSError, ValueError, KeyError):
            continue
    return found


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
