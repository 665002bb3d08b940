"""A file's bytes → its tree. Everything a hostile file could do is bounded while it is read, not after."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from gameday.schema.compose import Builder
from gameday.schema.document import Document, split_lines
from gameday.schema.errors import Span

MAX_BYTES = 1024 * 1024
MAX_LINES = 50_000


def read_bytes(path: FilePath, file: int = 0) -> bytes:
    """Read a file of at most 1 MiB; raise ExperimentErrors when it is larger or cannot be read."""
    empty = Document(path=str(path), lines=[], file=file)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        empty.refuse(Span(1, 1, 1, file), "unreadable", f"cannot read this file: {error.strerror or error}")
    if len(data) > MAX_BYTES:
        empty.refuse(Span(1, 1, 1, file), "too-large", "the file is larger than 1 MiB")
    return data


def parse(path: str, data: bytes, file: int = 0) -> Document:
    """Read YAML; raise ExperimentErrors when it is no YAML or beyond a limit. Duplicate keys are noted, not raised.

    ``file`` is the number that all of its places carry.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        Document(path=path, lines=[], file=file).refuse(
            _end_of(before, file), "encoding", "not UTF-8", "save the file as UTF-8"
        )
    document = Document(path=path, lines=split_lines(text), file=file)
    if len(document.lines) > MAX_LINES:
        document.refuse(Span(MAX_LINES + 1, 1, 1, file), "too-large", f"the file has more than {MAX_LINES:,} lines")
    builder = Builder(document)
    try:
        reader: Any = YAML(typ="safe", pure=True)
        builder.build(reader.parse(text))
    except MarkedYAMLError as error:
        _syntax(document, error)
    except ReaderError as error:
        unreadable: Any = error
        span = _end_of(text[: int(unreadable.position)], file)
        document.refuse(span, "yaml-syntax", "a control character that YAML does not allow")
    except (YAMLError, ValueError, RecursionError) as error:
        document.refuse(Span(1, 1, 1, file), "yaml-syntax", f"not YAML: {error}")
    if builder.root is not None:
        document.root = builder.root
    return document


def _end_of(before: str, file: int) -> Span:
    """Return the place just after a text."""
    lines = split_lines(before)
    return Span(len(lines), len(lines[-1]) + 1, 1, file)


def _syntax(document: Document, error: MarkedYAMLError) -> NoReturn:
    """Say what the YAML parser found, where, and what is mostly the cause."""
    found: Any = error
    mark, problem = found.problem_mark or found.context_mark, str(found.problem or found.context or "not YAML")
    line, column = (mark.line, mark.column) if mark else (0, 0)
    source = document.lines[line] if line < len(document.lines) else ""
    hint = ""
    if source[max(0, column - 1) : column + 1] == "${":
        hint = 'quote it: inside { } and [ ] a variable is written "${name}"'
    elif "{{" in source[max(0, column - 1) : column + 2]:
        hint = 'quote it: a text with {{ in it is written "{{ pick(NAME) }}"'
    elif "\t" in source[: column + 1]:
        hint = "YAML forbids tabs for indentation; use spaces"
    elif "mapping values are not allowed" in problem:
        hint = "a text with ': ' in it needs quotes"
    document.refuse(Span(line + 1, column + 1, 1, document.file), "yaml-syntax", problem, hint)
