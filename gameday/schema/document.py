"""One file while it is read: its lines, its tree, and what is wrong with it so far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from gameday.schema.errors import ExperimentErrors, Located, Span
from gameday.schema.nodes import Entries, Node

MAX_ERRORS = 200
"""A file with more mistakes is not read on: each costs time and memory, and no person reads so many."""
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def split_lines(text: str) -> list[str]:
    """Split a text into lines as YAML counts them."""
    return _LINE_END.split(text)


@dataclass(slots=True, kw_only=True)
class Document:
    """One file, read: its tree, its lines, and what is wrong with it so far."""

    path: str
    lines: list[str]
    root: Node = field(default_factory=lambda: Entries(span=Span(1, 1)))
    errors: list[Located] = field(default_factory=list[Located])
    places: set[tuple[int, int, int]] = field(default_factory=set[tuple[int, int, int]])
    """File, line and column of each error."""
    file: int = 0
    """Which file this is, as its places say: 0 for the experiment, from 1 for its fragments."""
    fragments: dict[int, Document] = field(default_factory=dict[int, "Document"])
    """The files that this one uses."""

    def located(self, span: Span, code: str, message: str, hint: str = "") -> Located:
        """Make an error at a place, with the line that a reader is shown."""
        here = self.fragments.get(span.file, self)
        source = here.lines[span.line - 1] if 0 < span.line <= len(here.lines) else ""
        return Located(
            path=here.path,
            line=span.line,
            column=span.column,
            width=span.width,
            code=code,
            message=message,
            hint=hint,
            source=source,
            file=span.file,
        )

    def add(self, span: Span, code: str, message: str, hint: str = "") -> None:
        """Note an error and go on; raise ExperimentErrors when there are too many to go on."""
        self.errors.append(self.located(span, code, message, hint))
        self.places.add((span.file, span.line, span.column))
        if len(self.errors) >= MAX_ERRORS:
            raise ExperimentErrors(self.errors)

    def adopt(self, errors: Iterable[Located]) -> None:
        """Note errors that were found in a file that this one uses."""
        for error in errors:
            self.errors.append(error)
            self.places.add((error.file, error.line, error.column))

    def has_error_at(self, span: Span) -> bool:
        """Whether something is already wrong at a place, so that nothing more needs to be said about it."""
        return (span.file, span.line, span.column) in self.places

    def refuse(self, span: Span, code: str, message: str, hint: str = "") -> NoReturn:
        """Stop at an error that leaves nothing to go on with."""
        self.add(span, code, message, hint)
        raise ExperimentErrors(self.errors)
