"""What people see of a run while it is on, written by a thread of its own: a terminal that hangs or is gone never holds up a run."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Self, TextIO

from gameday.cli.faces import HINT, Face, face_for, stamped
from gameday.cli.picture import Picture
from gameday.cli.terminal import printable
from gameday.cli.words import describe
from gameday.model import Event, Json
from gameday.schema.experiment import Experiment

END_SECONDS = 2.0
"""How long the end waits for what is still to be written."""
_BACKLOG = 1000
"""Messages of the load that may wait; beyond it they are dropped, because nobody is reading."""


class Progress:
    """Takes in what happens without ever blocking, and shows it from a thread of its own."""

    def __init__(
        self,
        experiment: Experiment,
        *,
        check_only: bool = False,
        label: str = "",
        hint: str = HINT,
        stream: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._picture = Picture(experiment, check_only=check_only)
        self._face = face_for(
            stream or sys.stderr,
            self._picture,
            environ=os.environ if environ is None else environ,
            label=label,
            hint=hint,
        )
        self._queue: SimpleQueue[Event | Json | str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="progress", daemon=True)

    def __call__(self, event: Event) -> None:
        """Take in one journal record."""
        self._queue.put(event)

    def pulses(self, message: Json) -> None:
        """Take in one message of the load."""
        if self._queue.qsize() < _BACKLOG:
            self._queue.put(message)

    def say(self, text: str) -> None:
        """Show one line of ours."""
        self._queue.put(stamped(printable(text), time.time()))

    def __enter__(self) -> Self:
        """Begin to show."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show what is still to be shown, as far as that takes no longer than two seconds."""
        self._queue.put(None)
        self._thread.join(END_SECONDS)

    def _work(self) -> None:
        face: Face | None = self._face
        on = True
        while on:
            items = self._wait(self._face.period)
            on = None not in items
            lines = [line for item in items if item is not None and (line := self._take(item))]
            if face is not None and not _shown(face, lines, ended=not on):
                face = None

    def _wait(self, seconds: float) -> list[Event | Json | str | None]:
        """Return everything that has come in, waiting for the first of it at most this long."""
        found: list[Event | Json | str | None] = []
        end = time.monotonic() + seconds
        try:
            while not _worth_a_look(found):
                found.append(self._queue.get(timeout=max(0.0, end - time.monotonic())))
            while True:
                found.append(self._queue.get_nowait())
        except Empty:
            return found

    def _take(self, item: Event | Json | str) -> str:
        if isinstance(item, str):
            return item
        if isinstance(item, Event):
            self._picture.note(item)
            text = describe(item)
            return stamped(text, item.wall) if text else ""
        return "\n".join(stamped(said, time.time()) for said in self._picture.measure(item))


def _worth_a_look(items: list[Event | Json | str | None]) -> bool:
    """Whether something came that is shown at once; what the load says is shown at the next look."""
    return bool(items) and (items[-1] is None or isinstance(items[-1], (Event, str)))


def _shown(face: Face, lines: list[str], *, ended: bool) -> bool:
    """Show it; return False when nobody can see it any more."""
    try:
        face.show(lines)
        if ended:
            face.end()
    except (OSError, ValueError):
        return False
    return True
