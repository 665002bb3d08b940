"""How other terminals speak to the one that leads: a file for each thing said, put whole into the day's inbox.

A message is removed when it is in the journal, which keeps its id: after a crash in between it is met again, and known. When a day
is over its inbox is moved away at once, so that nothing can be said to nobody: whoever comes later is told that the day is finished.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from gameday.gamedays.day.folder import DayFolder
from gameday.schema.day.words import ROLES
from gameday.spi.errors import GamedayError

What = Literal["note", "mark", "stop", "answer"]
MARKS = ("paged", "noticed", "mitigated")
MAX_TEXT = 10_000
_MAX_BYTES = 64 * 1024
_MOST = 500
_KEPT = re.compile(r"evidence/[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that somebody said."""

    id: str
    what: What
    by: str
    role: str
    at: float
    """Wall-clock time of saying."""
    text: str = ""
    mark: str = ""
    answer: str = ""
    """The word of an answer: ``done``, ``skip``, ``fail``, ``yes``, ``no``, ``go``, ``no-go``, ``begin``."""
    place: tuple[str, int] | None = None
    """Section and index that an answer is for."""
    evidence: tuple[dict[str, Any], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As the inbox keeps it."""
        return {name: getattr(self, name) for name in self.__slots__}


def new_message(what: What, *, by: str, role: str, **more: Any) -> Message:
    """Make a message of now; its id sorts by time."""
    now = time.time()
    text = " ".join(str(more.pop("text", "")).split("\0"))[:MAX_TEXT]
    return Message(
        id=f"{time.time_ns():020d}-{secrets.token_hex(4)}",
        what=what,
        by=by,
        role=role,
        at=round(now, 3),
        text=text,
        **more,
    )


def drop(folder: DayFolder, message: Message) -> Path:
    """Put a message into the inbox, whole or not at all; raise GamedayError when the day takes none any more."""
    partial = folder.path / f".said-{message.id}"
    target = folder.inbox / f"{message.id}.json"
    try:
        with partial.open("xb") as file:
            file.write(json.dumps(message.to_json(), ensure_ascii=False).encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    except FileNotFoundError as error:
        raise GamedayError(f"{folder.name} is finished: it takes nothing any more") from error
    except OSError as error:
        raise GamedayError(f"cannot write into {folder.inbox}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def waiting(inbox: Path) -> Iterator[tuple[Path, Message | None]]:
    """Yield what is in an inbox, the oldest first, with its file; None for what is no message."""
    try:
        names = sorted(path.name for path in inbox.iterdir() if path.suffix == ".json")[:_MOST]
    except OSError:
        return
    for name in names:
        yield inbox / name, _read(inbox / name)


def close(folder: DayFolder) -> Path:
    """Move the inbox away, so that nothing more is said to this day; return where it is now."""
    moved = folder.path / ".inbox-closed"
    if folder.inbox.is_dir():
        folder.inbox.rename(moved)
    return moved


def _read(path: Path) -> Message | None:
    try:
        with path.open("rb") as file:
            raw: Any = json.loads(file.read(_MAX_BYTES))
        found = cast("dict[str, Any]", raw)
        place: Any = found.get("place")
        made = Message(
            id=str(found["id"])[:64],
            what=found["what"],
            by=str(found["by"])[:200],
            role=found["role"],
            at=_moment(found["at"]),
            text=str(found.get("text", ""))[:MAX_TEXT],
            mark=str(found.get("mark", ""))[:40],
            answer=str(found.get("answer", ""))[:40],
            place=None if place is None else (str(place[0]), int(place[1])),
            evidence=tuple(_evidence(one) for one in found.get("evidence", ())),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    known = made.what in get_args(What) and made.role in ROLES and path.stem == made.id
    return made if known and (made.what != "mark" or made.mark in MARKS) else None


def _moment(raw: Any) -> float:
    """Return a wall-clock time, which may not be in the future; raise ValueError for what is none."""
    at = float(raw)
    if not 0 < at < time.time() + 60:
        raise ValueError("no time at which something was said")
    return round(at, 3)


def _evidence(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry of evidence may hold, and nothing else; raise ValueError or LookupError."""
    if raw["kind"] == "link":
        url = str(raw["url"])
        if not url.startswith(("https://", "http://")):
            raise ValueError("no link")
        return {"kind": "link", "url": url[:2_000]}
    name, file, sha256 = (str(raw[key]) for key in ("name", "file", "sha256"))
    if raw["kind"] != "file" or not _KEPT.fullmatch(file):
        raise ValueError("no file that was handed in")
    return {"kind": "file", "name": name[:200], "file": file, "bytes": int(raw["bytes"]), "sha256": sha256[:64]}
