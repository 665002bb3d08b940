"""How a run is shown: lines for a pipe, a log or a CI job; lines and a panel below them for a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol, TextIO

from gameday.cli.picture import Picture
from gameday.cli.terminal import Block, coloured, encodable, interactive, size_of
from gameday.cli.words import PHASES

HEARTBEAT_SECONDS = 30.0
REDRAW_SECONDS = 0.5
HINT = "Ctrl-C stops it and reverts every fault; a second one skips the wait for the recovery"


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


def stamped(text: str, wall: float) -> str:
    """Put the time of day before a line."""
    return f"{time.strftime('%H:%M:%S', time.localtime(wall))} {text}"


def now_ms(picture: Picture) -> float:
    """Return the run's clock now; zero before the run has one."""
    return 0.0 if picture.epoch_ns is None else (time.monotonic_ns() - picture.epoch_ns) / 1e6
