"""What people see of a run while it is on, written by a thread of its own: a terminal that hangs or is gone never holds up a run."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Protocol, Self, TextIO

from gameday.cli.picture import Picture
from gameday.cli.terminal import Block, coloured, encodable, interactive, printable, size_of
from gameday.cli.words import PHASES, describe
from gameday.model import Event, Json
from gameday.schema.experiment import Experiment

HEARTBEAT_SECONDS = 30.0
REDRAW_SECONDS = 0.5
END_SECONDS = 2.0
"""How long the end waits for what is still to be written."""
HINT = "Ctrl-C stops it and reverts every fault; a second one skips the wait for the recovery"
_BACKLOG = 1000
"""Messages of the load that may wait; beyond it they are dropped, because nobody is reading."""


class Face(Protocol):
    """How a run is shown."""

    period: float
    """Seconds after which it wants to look again although nothing happened."""

    def show(self, lines: list[str]) -> None:
        """Print these lines, and whatever it shows beside them; raise OSError or ValueError when nobody can see it."""
        ...

    def end(self) -> None:
        """Leave the terminal as it should be."""
        ...


class Lines:
    """Plain timestamped lines, and a heartbeat when nothing else was said for a while."""

    period = 1.0

    def __init__(self, stream: TextIO, picture: Picture) -> None:
        self._stream, self._picture = stream, picture
        self._last = time.monotonic()

    def show(self, lines: list[str]) -> None:
        """Print the lines, or the heartbeat when it is due."""
        if not lines and time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            lines = [stamped(self._heartbeat(), time.time())]
        if lines:
            self._last = time.monotonic()
            self._stream.write(encodable("".join(f"{line}\n" for line in lines), self._stream))
            self._stream.flush()

    def end(self) -> None:
        """Leave nothing to be done."""

    def _heartbeat(self) -> str:
        now = self._picture.snapshot(now_ms(self._picture))
        left = now.phase.left_ms
        words = [f"… {PHASES.get(now.phase.name, now.phase.name)} goes on"]
        words += [f"{left / 1000:.0f} s left"] if left else []
        bad = None if now.load is None else now.load.bad
        words += [f"{100 * bad:.1f}% failed in the last 5 s"] if bad is not None else []
        return ", ".join(words)


class Live:
    """Lines that scroll away, and below them how things are now; only for a terminal."""

    period = REDRAW_SECONDS

    def __init__(
        self, stream: TextIO, picture: Picture, *, environ: Mapping[str, str], label: str = "", hint: str = HINT
    ) -> None:
        self._stream, self._picture, self._label, self._hint = stream, picture, label, hint
        self._block = Block(stream)
        self._colour = coloured(environ)
        self._unicode = "utf" in (getattr(stream, "encoding", None) or "utf-8").lower()

    def show(self, lines: list[str]) -> None:
        """Print the lines and draw the panel below them again."""
        from gameday.cli.panel import panel  # noqa: PLC0415 - rich, and only for a terminal

        size = size_of(self._stream)
        drawn = panel(
            self._picture.snapshot(now_ms(self._picture)),
            width=size.columns,
            rows=size.lines - 1,
            colour=self._colour,
            unicode=self._unicode,
            label=self._label,
            hint=self._hint,
        )
        self._block.draw(lines, drawn)

    def end(self) -> None:
        """Take the panel away; the lines stay."""
        self._block.draw([], [])


def face_for(
    stream: TextIO, picture: Picture, *, environ: Mapping[str, str], label: str = "", hint: str = HINT
) -> Face:
    """Choose the display for a terminal that can show it, plain lines for everything else."""
    if interactive(stream, environ):
        return Live(stream, picture, environ=environ, label=label, hint=hint)
    return Lines(stream, picture)


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
        self._picture.measure(item)
        return ""


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


def stamped(text: str, wall: float) -> str:
    """Put the time of day before a line."""
    return f"{time.strftime('%H:%M:%S', time.localtime(wall))} {text}"


def now_ms(picture: Picture) -> float:
    """Return the run's clock now; zero before the run has one."""
    return 0.0 if picture.epoch_ns is None else (time.monotonic_ns() - picture.epoch_ns) / 1e6
