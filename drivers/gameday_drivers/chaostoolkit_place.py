"""Where a Chaos Toolkit experiment leaves its traces: what it told, its journal, its log; on the disk, for whoever undoes it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from gameday.model import Json, ProcessRef
from gameday.spi import World

ONLY = "experiment"
"""The fault's name when it is all that a run does: its files carry no name then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The files of one experiment."""

    folder: Path
    suffix: str = ""

    @classmethod
    def of(cls, world: World) -> Place:
        """In the run's folder; without a run, in a folder of its own."""
        named = "".join(c if c.isalnum() or c in "-_" else "-" for c in world.fault)[:60]
        suffix = "" if world.fault in ("", ONLY) else f"-{named}"
        folder = Path(world.folder) if world.folder else Path(tempfile.gettempdir()) / f"gameday-{world.run_id}"
        return cls(folder=folder, suffix=suffix)

    @classmethod
    def from_json(cls, raw: Json) -> Place:
        """As a plan gives it back."""
        return cls(folder=Path(raw["folder"]), suffix=str(raw["suffix"]))

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return {"folder": str(self.folder), "suffix": self.suffix}

    @property
    def journal(self) -> Path:
        """Its journal, in Chaos Toolkit's own format."""
        return self.folder / f"chaos-journal{self.suffix}.json"

    @property
    def events(self) -> Path:
        """What it told while it ran, a JSON object a line."""
        return self.folder / f"chaos-events{self.suffix}.ndjson"

    @property
    def log(self) -> Path:
        """What Chaos Toolkit and the extensions log and print."""
        logs = self.folder / "logs"
        return (logs if logs.is_dir() else self.folder) / f"chaostoolkit{self.suffix}.log"

    def copy(self, source: str) -> Path:
        """Return where the experiment itself is kept, byte for byte: what runs, and what is rolled back."""
        return self.folder / f"chaos-experiment{self.suffix}{Path(source).suffix}"


def say(place: Place, what: str, *, sure: bool = False, **data: Any) -> None:
    """Add one line to what is told; with ``sure`` it is on the disk when this returns. Raises OSError."""
    line = json.dumps({"what": what, "at_ns": time.monotonic_ns(), **data}, default=str)
    descriptor = os.open(place.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, line.encode() + b"\n")
        if sure:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Told:
    """All that an experiment has told so far."""

    events: Sequence[Json]

    @classmethod
    def at(cls, place: Place) -> Told:
        """Read whole lines; what is torn was never told."""
        try:
            *lines, _ = place.events.read_bytes().split(b"\n")
        except OSError:
            return cls(())
        return cls(tuple(event for line in lines if (event := _object(line)) is not None))

    def of(self, *what: str) -> Iterator[Json]:
        """Yield the events of these kinds."""
        return (event for event in self.events if event.get("what") in what)

    def has(self, *what: str) -> bool:
        """Whether there is one."""
        return any(True for _ in self.of(*what))

    @property
    def child(self) -> ProcessRef | None:
        """The process that carries it out."""
        last = max(self.of("child"), key=lambda event: int(event["at_ns"]), default=None)
        return None if last is None else ProcessRef.from_json(last)

    def left(self, rollbacks: Sequence[str]) -> list[int]:
        """Return the indices of the rollbacks that have not succeeded; none while nothing was done that they could undo."""
        if not self.has("method"):
            return []
        done = Counter(
            str(event.get("name"))
            for event in self.of("activity")
            if event.get("section") == "rollbacks" and event.get("status") == "succeeded"
        )
        found: list[int] = []
        for index, name in enumerate(rollbacks):
            if done[name]:
                done[name] -= 1
            else:
                found.append(index)
        return found


@lru_cache(maxsize=16_384)
def _object(line: bytes) -> Json | None:
    """Return a line's object; whoever follows an experiment reads every line again and again."""
    try:
        raw: Any = json.loads(line)
    except ValueError:
        return None
    return cast("Json", raw) if isinstance(raw, dict) else None
