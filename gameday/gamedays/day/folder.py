"""The folder of a game day: its names, how it is made, and how it is read back."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from gameday.journal.reader import read_journal
from gameday.journal.writer import held_by
from gameday.model import Event, Json
from gameday.runner.folder import environment
from gameday.schema.day.file import DayFile
from gameday.schema.day.loader import LoadedDay
from gameday.schema.section import InvalidError
from gameday.spi.errors import GamedayError

PREFIX = "day-"
SCHEMA = "gameday/day/1"


@dataclass(frozen=True, slots=True)
class DayFolder:
    """Where each file of a day lies."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is also the day's id."""
        return self.path.name

    @property
    def file(self) -> Path:
        """The game-day file, byte for byte."""
        return self.path / "day.yaml"

    @property
    def plan(self) -> Path:
        """What the file came to with its variables."""
        return self.path / "day.json"

    @property
    def journal(self) -> Path:
        """What happened."""
        return self.path / "journal.ndjson"

    @property
    def runs(self) -> Path:
        """The run folders of its experiments."""
        return self.path / "runs"

    @property
    def evidence(self) -> Path:
        """Copies of files that people handed in."""
        return self.path / "evidence"

    @property
    def inbox(self) -> Path:
        """What other terminals said, until it is in the journal."""
        return self.path / "inbox"

    @property
    def verdict(self) -> Path:
        """What the day came to."""
        return self.path / "verdict.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A game day, read back from its folder."""

    folder: DayFolder
    plan: Json
    """day.json."""
    file: DayFile
    events: tuple[Event, ...]
    head: str
    torn: bool = False
    """What follows the last whole record is none."""

    @property
    def leader(self) -> str:
        """Who leads it now, as ``leader 12``; empty when nobody does."""
        return held_by(self.folder.journal)


def new_day_id(source: Path, now: datetime) -> str:
    """Name a day by its time (UTC), its file and four random digits; safe as a folder name."""
    slug = re.sub(r"[^a-z0-9]+", "-", source.stem.lower()).strip("-")[:40] or "day"
    return f"{PREFIX}{now:%Y%m%dT%H%M%SZ}-{slug}-{secrets.token_hex(2)}"


def make_folder(loaded: LoadedDay, variables: Mapping[str, str], *, output: Path, day_id: str) -> DayFolder:
    """Make the folder of a new day and write what is known; raise GamedayError when that cannot be done."""
    folder = DayFolder((output / day_id).absolute())
    plan: dict[str, Any] = {
        "schema": SCHEMA,
        "day": day_id,
        "source": str(loaded.path.absolute()),
        "digest": loaded.digest,
        "file": loaded.day.to_json(),
        "variables": dict(variables),
        "environment": environment(),
    }
    try:
        for path in (folder.runs, folder.evidence, folder.inbox):
            path.mkdir(parents=True)
        _write(folder.file, loaded.text)
        _write(folder.plan, (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise GamedayError(
            f"cannot make the day's folder {folder.path}: {error.strerror}", hint="choose another --output"
        ) from error
    return folder


def read_day(path: Path) -> Day:
    """Read a day's folder; raise GamedayError when it is none. What is torn or missing stays missing."""
    folder = DayFolder(path.resolve())
    try:
        raw: Any = json.loads(folder.plan.read_bytes())
        plan = cast("dict[str, Any]", raw)
        file = DayFile.model_validate(plan["file"] if plan["schema"] == SCHEMA else None)
    except (OSError, ValueError, LookupError, TypeError, InvalidError) as error:
        raise GamedayError(
            f"{path} is not the folder of a game day: it has no readable day.json",
            hint="name one under runs/, which begins with day-",
        ) from error
    text = read_journal(folder.journal)
    return Day(folder=folder, plan=plan, file=file, events=text.events, head=text.head, torn=bool(text.tail))


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
