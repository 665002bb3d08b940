"""Write a journal: one writer at a time, each record chained to the one before, nothing ever rewritten."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gameday.journal.reader import GENESIS, digest, read_journal
from gameday.model import Event
from gameday.spi.errors import GamedayError
from gameday.spi.processes import boot_id

MAX_RECORD = 256 * 1024
"""Bytes of one record; longer text is cut before it is written."""


class JournalError(GamedayError):
    """The journal cannot be written: nothing may be injected from here on."""


class JournalHeldError(JournalError):
    """Somebody else is its writer: a run that is still alive, or whoever is undoing it."""


class Journal:
    """The one writer of a run's journal. Records are on their way to the disk when ``write`` returns, and there after ``sync``."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        *,
        seq: int,
        prev: str,
        epoch_ns: int,
        floor_ms: int = 0,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.path = path
        self._clock = clock
        self.epoch_ns = epoch_ns
        self._descriptor = descriptor
        self._seq, self._prev, self._floor_ms = seq, prev, floor_ms
        self._broken: str = ""
        self.listener: Callable[[Event], None] | None = None

    @classmethod
    def create(cls, path: Path, *, clock: Callable[[], int] = time.monotonic_ns) -> Journal:
        """Begin a new journal; raise JournalError when it exists, is locked or cannot be made. ``clock`` counts nanoseconds."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"cannot make the journal {path}: {error.strerror}") from error
        _lock(descriptor, path, seconds=1)  # whoever asks held_by of a journal has it for a moment
        _sync_folder(path.parent)
        return cls(path, descriptor, seq=0, prev=GENESIS, epoch_ns=clock(), clock=clock)

    @classmethod
    def take_over(cls, path: Path, *, by: str, why: str, lock_seconds: float = 2.0) -> Journal:
        """Continue the journal of a run whose writer is gone, sealing a torn tail.

        A journal that is ours but cannot be written (full disk, read-only) is returned with ``broken`` saying why: an undo goes on
        without it. Raises JournalHeldError while somebody else holds it, JournalError when there is none.
        """
        descriptor, broken = _open_for_more(path)
        _lock(descriptor, path, seconds=lock_seconds)
        text = read_journal(path)
        opened = text.events[0] if text.events else None
        same_boot = opened is not None and opened.data.get("boot_id") == boot_id()
        floor = text.events[-1].at_ms if text.events else 0
        epoch = (
            int(opened.data.get("epoch_ns", 0))
            if opened is not None and same_boot
            else time.monotonic_ns() - floor * 1_000_000
        )
        journal = cls(path, descriptor, seq=len(text.events), prev=text.head, epoch_ns=epoch, floor_ms=floor)
        journal._broken = broken
        with suppress(JournalError):
            journal._seal(text.tail)
            journal.write("taken-over", {"by": by, "why": why, "pid": os.getpid()})
        return journal

    def _seal(self, tail: bytes) -> None:
        """Account for what a writer left half done: it is never truncated, and never counted."""
        if not tail:
            return
        torn = tail.removesuffix(b"\n")
        self._raw(b"" if tail.endswith(b"\n") else b"\n")
        self.write("sealed", {"length": len(torn), "sha256": digest(torn)})

    @property
    def broken(self) -> str:
        """Why nothing can be written any more; empty while all is well."""
        return self._broken

    def now_ms(self) -> int:
        """Milliseconds of the run's clock; never less than what the journal already says."""
        return max(self._floor_ms, (self._clock() - self.epoch_ns) // 1_000_000)

    def write(self, kind: str, data: Mapping[str, Any] | None = None) -> Event:
        """Append one record; raise JournalError (now and ever after) when it cannot be written whole."""
        event = Event(seq=self._seq, kind=kind, at_ms=self.now_ms(), wall=round(time.time(), 3), data=dict(data or {}))
        raw = {
            "seq": event.seq,
            "kind": kind,
            "at_ms": event.at_ms,
            "wall": event.wall,
            "prev": self._prev,
            "data": event.data,
        }
        line = json.dumps(raw, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        if len(line) > MAX_RECORD:
            raise JournalError(f"a {kind} record of {len(line)} bytes is longer than the journal takes")
        self._raw(line + b"\n")
        self._seq, self._prev, self._floor_ms = self._seq + 1, digest(line), event.at_ms
        if self.listener is not None:
            self.listener(event)
        return event

    def _raw(self, data: bytes) -> None:
        if self._broken:
            raise JournalError(self._broken)
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._broken = f"cannot write the journal {self.path}: {error.strerror}"
            raise JournalError(
                self._broken, hint="free space on that disk; nothing is injected without a journal"
            ) from error
        if written != len(data):
            self._broken = f"cannot write the journal {self.path}: the disk is full"
            raise JournalError(self._broken, hint="free space on that disk; nothing is injected without a journal")

    def sync(self) -> None:
        """Return when every record is on the disk; raise JournalError when that fails. Blocks: call it off the event loop."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._broken = f"cannot write the journal {self.path}: {error.strerror}"
            raise JournalError(self._broken) from error

    @property
    def head(self) -> str:
        """SHA-256 of the last record: printed at the end of a run, so that damage to the file can be noticed."""
        return self._prev

    def close(self) -> None:
        """Let go of the lock; the file stays as it is."""
        os.close(self._descriptor)


def held_by(path: Path) -> str:
    """Say who is writing this journal now, as ``runner 12`` or ``watchdog 34``; empty when nobody is, or there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _writer(path)
    finally:
        os.close(descriptor)
    return ""


def _writer(path: Path) -> str:
    """Name the last one that said it took the journal."""
    said = [event for event in read_journal(path).events if event.kind in ("opened", "day-opened", "taken-over")]
    if not said:
        return "somebody"
    who = "leader" if said[-1].kind == "day-opened" else said[-1].data.get("by", "runner")
    return f"{who} {said[-1].data.get('pid', '?')}"


def _open_for_more(path: Path) -> tuple[int, str]:
    """Open a journal to be continued; where it may only be read, say why, because the lock is worth having all the same."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), ""
    except OSError as error:
        why = f"cannot write the journal {path}: {error.strerror}"
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC), why
    except OSError as error:
        raise JournalError(f"cannot open the journal {path}: {error.strerror}") from error


def _lock(descriptor: int, path: Path, *, seconds: float) -> None:
    """Take the exclusive lock within ``seconds``: the writer's death frees it."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(descriptor)
                who, _, pid = _writer(path).partition(" ")
                raise JournalHeldError(
                    f"{path} is being written by a process that is still alive: {who} {pid}".rstrip(),
                    hint=f"end that run first: kill {pid}; if it hangs: kill -9 {pid}"
                    if who == "runner"
                    else "it is undoing that run; wait until it has",
                ) from None
            time.sleep(0.01)
        else:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
