"""A game day's folder → the draft of its postmortem, as files beside its journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from gameday.gamedays.day.folder import read_day
from gameday.journal.folder import read_run
from gameday.judge import judge
from gameday.model import Event, GameDay, Run
from gameday.registry import postmortem, postmortems
from gameday.spi import GamedayError


def game_day(path: Path) -> GameDay:
    """Read what the postmortem of a day needs; raise GamedayError for another folder. A run that cannot be read is missing."""
    day = read_day(path)
    return GameDay(
        name=day.folder.name,
        day=day.plan,
        events=day.events,
        head=day.head,
        closed=bool(day.events) and day.events[-1].kind == "closed" and not day.torn,
        torn=day.torn,
        verdict=_json(day.folder.verdict),
        runs=_runs(day.folder.path, day.events),
    )


def write_postmortem(folder: Path, forms: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write the postmortem of a day in these forms, or in all that are installed; return the files."""
    day, written = game_day(folder), list[Path]()
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
