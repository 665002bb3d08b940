"""Read a journal as far as its hash chain holds: whole records, sealed tears, and what is torn at the end."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gameday.model import Event

GENESIS = "0" * 64
"""``prev`` of the first record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalText:
    """What a journal says, and how sure that is."""

    events: tuple[Event, ...]
    head: str
    """SHA-256 of the last whole line, without its newline; GENESIS when there is none."""
    tail: bytes = b""
    """What follows the last whole record and is not one: torn by a death or a full disk, or damaged."""
    sealed: tuple[tuple[int, bytes], ...] = ()
    """Earlier tails that a successor has sealed, each with the number of whole records before it."""

    @property
    def torn(self) -> tuple[tuple[int, bytes], ...]:
        """Everything that is no record of the chain, sealed or not, each with the number of whole records before it."""
        return (*self.sealed, (len(self.events), self.tail)) if self.tail else self.sealed

    @property
    def closed(self) -> bool:
        """The last record is the runner's own ``closed``, and nothing follows it."""
        return bool(self.events) and self.events[-1].kind == "closed" and not self.tail


def digest(line: bytes) -> str:
    """Return the link that the next record carries as ``prev``."""
    return hashlib.sha256(line).hexdigest()


def read_journal(path: Path) -> JournalText:
    """Read the journal at ``path``; a missing file is an empty journal."""
    return parse_journal(path.read_bytes() if path.exists() else b"")


def parse_until(data: bytes, head: str) -> JournalText | None:
    """Return the journal as it was when its last whole record was the one whose SHA-256 is ``head``; None when it never was."""
    lines = data.split(b"\n")[:-1]
    ends = [index for index, line in enumerate(lines, 1) if digest(line) == head]
    text = parse_journal(b"".join(line + b"\n" for line in lines[: ends[0]])) if ends else None
    return text if text is not None and text.head == head else None


def parse_journal(data: bytes) -> JournalText:
    """Follow the chain from the first line; stop, and keep the rest as ``tail``, where it breaks."""
    *lines, rest = data.split(b"\n")
    events: list[Event] = []
    torn: list[tuple[int, bytes]] = []
    head, index = GENESIS, 0
    while index < len(lines):
        event = _record(lines[index], len(events), head)
        sealed = _sealed_until(lines, index, head, limit=None if event is None else 1)
        if sealed:
            torn.append((len(events), b"\n".join(lines[index:sealed])))
            index = sealed
            continue
        if event is None:
            rest = b"\n".join([*lines[index:], rest])
            break
        events.append(event)
        head = digest(lines[index])
        index += 1
    return JournalText(events=tuple(events), head=head, tail=rest, sealed=tuple(torn))


def _sealed_until(lines: list[bytes], start: int, head: str, *, limit: int | None) -> int:
    """Return the index of the ``sealed`` record that covers the lines from ``start`` on; 0 when there is none."""
    stop = len(lines) if limit is None else min(len(lines), start + 1 + limit)
    for index in range(start + 1, stop):
        if b'"sealed"' in lines[index] and _seals(lines[index], b"\n".join(lines[start:index]), head):
            return index
    return 0


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        raw: Any = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else None


def _record(line: bytes, seq: int, prev: str) -> Event | None:
    """Return the record, or None when it is not whole, not in sequence or not chained."""
    raw = _object(line)
    if raw is None or raw.get("seq") != seq or raw.get("prev") != prev or not isinstance(raw.get("data"), dict):
        return None
    try:
        return Event(seq=seq, kind=str(raw["kind"]), at_ms=int(raw["at_ms"]), wall=float(raw["wall"]), data=raw["data"])
    except (KeyError, TypeError, ValueError):
        return None


def _seals(line: bytes, torn: bytes, prev: str) -> bool:
    """Whether ``line`` is a successor's record that the line before it was torn."""
    raw = _object(line)
    if raw is None or raw.get("kind") != "sealed" or raw.get("prev") != prev:
        return False
    data: Any = raw.get("data")
    return bool(data == {"length": len(torn), "sha256": digest(torn)})
