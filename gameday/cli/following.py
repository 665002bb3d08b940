"""Follow a run folder from outside: new records and messages as they are written, until the run is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gameday.journal.folder import RunFolder
from gameday.model import Event, ProcessRef
from gameday.spi.errors import GamedayError
from gameday.spi.processes import alive

GONE_SECONDS = 8.0
"""How long a run whose runner is gone may still be written to: its watchdog's lease and what it takes to undo."""
JUDGED_SECONDS = 60.0
"""How long the verdict and the reports may take after the last record, while the runner lives."""
_POLL_SECONDS = 0.2
_CHUNK = 4 * 1024 * 1024


@dataclass(slots=True)
class Tail:
    """The whole lines of a file that grows; a last line without its end waits for the rest of it."""

    path: Path
    _offset: int = 0
    _rest: bytes = b""

    def lines(self) -> list[bytes]:
        """Return the lines that are new since the last call; none while there is no file."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_CHUNK)
        except FileNotFoundError:
            return []
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines


@dataclass(slots=True)
class Followed:
    """A run folder that is read while it is written."""

    folder: RunFolder
    runner: ProcessRef | None = None
    closed: bool = False
    last: float = field(default_factory=time.monotonic)
    """When the journal last grew."""

    def over(self) -> bool:
        """Whether nothing more will come: the journal is closed, or its runner is gone and so is whoever undid for it."""
        if self.closed:
            return True
        gone = self.runner is not None and not alive(self.runner)
        return gone and time.monotonic() - self.last >= GONE_SECONDS


def follow(
    folder: RunFolder, on_event: Callable[[Event], None], on_message: Callable[[Mapping[str, Any]], None]
) -> Followed:
    """Hand over every record and message, old ones at once and new ones as they come; return when the run is over.

    Raises GamedayError when nothing is ever written to the journal.
    """
    followed = Followed(folder=folder)
    journal, samples = Tail(folder.journal), Tail(folder.samples)
    while True:
        for event in _events(journal.lines()):
            followed.last = time.monotonic()
            followed.closed = event.kind == "closed"
            if event.kind == "opened":
                followed.runner = _runner(event)
            on_event(event)
        for line in samples.lines():
            message = _object(line)
            if message is not None:
                on_message(message)
        if followed.over():
            return followed
        if followed.runner is None and time.monotonic() - followed.last >= GONE_SECONDS:
            raise GamedayError(f"{folder.path} has no journal: that run never began", hint="name a folder under runs/")
        time.sleep(_POLL_SECONDS)


def await_verdict(followed: Followed) -> dict[str, Any] | None:
    """Wait for verdict.json while the runner lives to write it; None when there is none."""
    end = time.monotonic() + JUDGED_SECONDS
    while not followed.folder.verdict.exists():
        if time.monotonic() >= end or followed.runner is None or not alive(followed.runner):
            break
        time.sleep(_POLL_SECONDS)
    try:
        return _object(followed.folder.verdict.read_bytes())
    except OSError:
        return None


def _events(lines: list[bytes]) -> Iterator[Event]:
    """Read records as they are; whether their chain holds is the judge's business."""
    for line in lines:
        raw = _object(line)
        if raw is not None and isinstance(raw.get("data"), dict):
            try:
                yield Event(
                    seq=int(raw["seq"]),
                    kind=str(raw["kind"]),
                    at_ms=int(raw["at_ms"]),
                    wall=float(raw["wall"]),
                    data=raw["data"],
                )
            except (KeyError, TypeError, ValueError):
                continue


def _runner(event: Event) -> ProcessRef | None:
    try:
        return ProcessRef(
            pid=int(event.data["pid"]), start=int(event.data["start"]), boot_id=str(event.data.get("boot_id") or "")
        )
    except (KeyError, TypeError, ValueError):
        return None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        raw: Any = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else None
