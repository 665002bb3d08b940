"""What is wrong with a file, and where: one place, one message and one hint each, all of them at once.

GamedayError
├── ExperimentErrors     the file cannot be used; nothing was touched
└── ParameterError       a driver refuses its parameters
    └── UnknownDriverError   no such driver, or kind of probe, is installed
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from gameday.spi.driver import Driver
from gameday.spi.errors import GamedayError

DriverCheck: TypeAlias = Callable[[str, Mapping[str, Any]], Driver]
"""Make a driver of its name and its parameters; raises UnknownDriverError or ParameterError."""
ProbeCheck: TypeAlias = Callable[[str, Mapping[str, Any]], object]
"""Make a probe of its kind and its parameters; raises UnknownDriverError or ParameterError."""
SHOWN_ERRORS = 100
"""How many errors of one file are printed; the rest is counted."""
_LONGEST_MESSAGE = 400
_WINDOW = 160
_LONGEST_WORD = 32
_MOST_NAMES = 50
"""How many names a misspelt one is compared with, those with its first letter first: each costs up to 50 µs."""


class Span(NamedTuple):
    """Where something stands in a file, counted from 1."""

    line: int
    column: int
    width: int = 1
    file: int = 0
    """0 is the experiment file; its fragments count from 1, in the order in which they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One thing that is wrong, or worth a warning, at its place in the file."""

    path: str
    line: int
    column: int
    """Counted from 1, in characters."""
    width: int
    code: str
    """For machines and for search: ``unknown-key``."""
    message: str
    hint: str = ""
    source: str = ""
    """The line of the file; empty where there is none to show."""
    level: Literal["error", "warning"] = "error"
    file: int = 0
    """As in its Span."""

    def render(self) -> str:
        """Write it as compilers do: place, code and message, then the line with a caret, then the help."""
        text = f"{_clean(self.path)}:{self.line}:{self.column}: {self.level}[{self.code}] {_clean(self.message)}"
        gutter = " " * len(str(self.line))
        if self.source.strip():
            line, caret = _picture(self.source, self.column - 1, self.width)
            text += f"\n{gutter} |\n{self.line} | {line}\n{gutter} | {caret}"
        return text + (f"\n{gutter} = help: {_clean(self.hint)}" if self.hint else "")

    def to_json(self) -> dict[str, Any]:
        """As ``gameday validate --format json`` prints it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "width": self.width,
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }


class ExperimentErrors(GamedayError):  # noqa: N818 - it is many errors
    """Everything that is wrong with one file, by position; its text is what a person is shown."""

    def __init__(self, errors: Iterable[Located]) -> None:
        self.errors = tuple(sorted(set(errors), key=lambda e: (e.file, e.line, e.column, e.code, e.message)))
        super().__init__(render(self.errors))


class ParameterError(GamedayError):
    """A driver refuses its parameters: which one, and what kind of mistake, so that it can be shown at its place."""

    def __init__(
        self,
        message: str,
        *,
        parameter: str = "",
        kind: Literal["unknown", "missing", "value"] = "value",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter
        self.kind = kind


class UnknownDriverError(ParameterError):
    """No such driver, or kind of probe, is installed."""


def render(errors: Iterable[Located]) -> str:
    """Write each of them, at most SHOWN_ERRORS, with an empty line between."""
    listed = tuple(errors)
    blocks = [error.render() for error in listed[:SHOWN_ERRORS]]
    if len(listed) > SHOWN_ERRORS:
        blocks.append(f"… and {len(listed) - SHOWN_ERRORS} more")
    return "\n\n".join(blocks)


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint that names the nearest of ``known``, or lists them (or says ``otherwise``) when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a file that is wrong pays for it

    names = sorted(known)
    alike = sorted(names, key=lambda name: name[:1] != word[:1])[:_MOST_NAMES] if len(names) > _MOST_NAMES else names
    if near := get_close_matches(word[:_LONGEST_WORD], alike, 1):
        return f"did you mean {near[0]!r}?"
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")  # noqa: PLR2004 - more is no help
    return otherwise or (f"known: {listed}" if listed else "")


def _clean(text: str) -> str:
    """Make anything safe for a terminal and a log: one line, printable, bounded."""
    line = "".join(ch if ch.isprintable() else " " if ch.isspace() else "\ufffd" for ch in text[: _LONGEST_MESSAGE + 1])
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def _picture(source: str, start: int, width: int) -> tuple[str, str]:
    """Return the line, windowed and printable, and the carets below it, aligned also under wide characters."""
    first = max(0, start - _WINDOW // 2) if len(source) > _WINDOW else 0
    shown = "".join(
        ch if ch.isprintable() else " " if ch in "\t " else "\ufffd" for ch in source[first : first + _WINDOW]
    )
    lead, rest = shown[: start - first], shown[start - first :]
    marked = rest[: max(1, width)].rstrip() or " "
    left = "…" if first else ""
    right = "…" if first + _WINDOW < len(source) else ""
    return left + shown.rstrip() + right, " " * (len(left) + _columns(lead)) + "^" * max(1, _columns(marked))


def _columns(text: str) -> int:
    """Count terminal columns: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)
