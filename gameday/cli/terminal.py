"""What the terminal is, decided by ourselves, and a block of lines at its bottom that is drawn over and over.

Libraries differ in what they call interactive: with FORCE_COLOR some send cursor movements into pipes, with NO_COLOR some hide their
progress. Here those two mean colour and nothing else, and nothing that is not a terminal ever gets an escape.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

_NO = ("", "0", "false", "no")
_FALLBACK = os.terminal_size((80, 24))
CLEAR_BELOW = "\x1b[J"
_COMMANDS = re.compile(r"^\s*::|##\w*\[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the block, as it is written and as wide as it looks."""

    text: str
    cells: int


def interactive(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a display may be drawn: a terminal, not a CI job, and one that can move its cursor."""
    try:
        terminal = stream.isatty()
    except ValueError:
        return False
    ci = environ.get("CI", "").lower() not in _NO
    return terminal and not ci and environ.get("TERM", "") not in ("", "dumb")


def can_ask() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin is not None and sys.stdin.isatty()


def coloured(environ: Mapping[str, str]) -> bool:
    """Whether a terminal may be drawn in colour: https://no-color.org, any value but an empty one says no."""
    return not environ.get("NO_COLOR")


def printable(text: str) -> str:
    """Keep one line one line: what others wrote (an error, a title) may hold escapes, which a terminal would obey.

    And commands that a CI system would take from its log: ``::error::`` and ``##[error]`` of GitHub, ``##vso[`` of Azure, ``##teamcity[``.
    """
    shown = "".join(c if c.isprintable() else " " if c in "\t\n\r" else "?" for c in text)
    return _COMMANDS.sub(lambda match: f"{match[0][:-1]} {match[0][-1]}", shown)


def encodable(text: str, stream: TextIO) -> str:
    """Replace what the stream's encoding cannot say."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def size_of(stream: TextIO) -> os.terminal_size:
    """Return columns and rows as they are now; 80 by 24 where nobody knows."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return _FALLBACK
    return size if size.columns > 0 and size.lines > 0 else _FALLBACK


@dataclass(slots=True)
class Block:
    """The lines at the bottom of a terminal; whatever is printed above them scrolls away as usual.

    A terminal that was made narrower has wrapped the lines that it shows: their rows are counted by their cells.
    """

    stream: TextIO
    _shown: list[int] = field(default_factory=list[int])

    def draw(self, above: Sequence[str], block: Sequence[Line]) -> None:
        """Print ``above`` for good, and ``block`` below it in place of the one before; raise OSError or ValueError when it is gone."""
        width = size_of(self.stream).columns
        parts = [self._erase(width), *(f"{line}\n" for line in above), "\n".join(line.text for line in block)]
        self.stream.write(encodable("".join(parts), self.stream))
        self.stream.flush()
        self._shown = [line.cells for line in block]

    def _erase(self, width: int) -> str:
        if not self._shown:
            return ""
        rows = sum(max(1, -(-cells // width)) for cells in self._shown)
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + CLEAR_BELOW
