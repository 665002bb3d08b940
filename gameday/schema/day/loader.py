"""A game-day file → its sections, or everything that is wrong with it, each mistake at its place.

The experiments that it names are looked for, and not read: who plans, runs or validates a day reads them, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.schema.day.file import DayFile
from gameday.schema.day.notify import check_channels
from gameday.schema.document import Document, split_lines
from gameday.schema.errors import ExperimentErrors, Located, Span, did_you_mean
from gameday.schema.marks import Mistake
from gameday.schema.nodes import Entries, Node, Value, find, locate, plain
from gameday.schema.nodes import Path as Place
from gameday.schema.variables import Given, Substitution, Variables, declare, references
from gameday.schema.wording import word
from gameday.schema.yamlfile import parse, read_bytes
from gameday.spi.world import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDay:
    """A valid game-day file."""

    path: Path
    text: bytes
    """The file, byte for byte, as the day's folder keeps it."""
    day: DayFile
    secrets: Secrets
    declared: frozenset[str]
    """Every variable that the file declares."""
    lines: Mapping[str, int]
    """``title``, ``agenda.INDEX`` and ``prerequisites.INDEX`` → line, counted from 1."""
    needed: tuple[str, ...] = ()
    """Secrets without a value."""

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.text).hexdigest()

    def beside(self, name: str) -> Path:
        """Return a file that the day names, which is relative to its folder."""
        return self.path.absolute().parent / name

    def undeclared(self, place: tuple[str, int], given: Iterable[str], declared: Iterable[str]) -> list[Located]:
        """Return what is wrong with variables that an item (of ``agenda`` or ``prerequisites``) gives and its experiment lacks."""
        document = Document(path=str(self.path), lines=split_lines(self.text.decode("utf-8-sig")))
        span, known = Span(self.lines[f"{place[0]}.{place[1]}"], 1), frozenset(declared)
        for name in given:
            if name not in known:
                hint = did_you_mean(name, known, "it declares none")
                document.add(span, "undefined-variable", f"the experiment has no variable {name!r}", hint)
        return document.errors


def is_day(data: bytes) -> bool:
    """Whether a file means to be a game day: it has an ``agenda:``, which no experiment has. Never raises."""
    try:
        document = parse("", data)
    except ExperimentErrors:
        return any(line.startswith(b"agenda:") for line in data.splitlines())
    return isinstance(document.root, Entries) and "agenda" in document.root.entries


def load_day(
    path: str | Path,
    *,
    variables: Mapping[str, str] | None = None,
    secret_values: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    require_values: bool = True,
) -> LoadedDay:
    """Read a game-day file; raise ExperimentErrors that holds everything that is wrong with it.

    ``variables``, ``secret_values`` and ``environ`` are as for an experiment. A secret stays ``${name}`` in every section; its value is
    in ``secrets``. With ``require_values`` a secret without a value is an error; otherwise it is listed as ``needed``.
    """
    source = Path(path)
    data = read_bytes(source)
    document = parse(str(path), data)
    top = _top(document)
    section = top.entries.pop("variables", None)
    given = Given(variables=variables or {}, secret_values=secret_values or {}, environ=environ or {})
    known = declare(document, section[1] if section else None, given, require_values=require_values)
    root = Substitution(document=document, variables=known, builtins={}).resolve(top)
    mistakes: list[Mistake] = []
    day = DayFile.read(plain(root), (), mistakes)
    _note(document, root, mistakes, known)
    check_channels(document, root, plain(root))
    if day is not None:
        _check_roles(document, root, day)
        _check_files(document, root, day)
    if document.errors or day is None:
        raise ExperimentErrors(document.errors)
    return LoadedDay(
        path=source,
        text=data,
        day=day,
        secrets=Secrets(values={name: value for name, value in known.secrets.items() if value is not None}),
        declared=frozenset(known.names),
        lines=dict(_lines(root, day)),
        needed=tuple(name for name, value in known.secrets.items() if value is None),
    )


def _top(document: Document) -> Entries:
    root = document.root
    if not isinstance(root, Entries):
        hint = "begin with version: 1, title: … and agenda: […]"
        document.refuse(root.span, "wrong-type", "a game day is a mapping", hint)
    return root


def _note(document: Document, root: Entries, mistakes: list[Mistake], known: Variables) -> None:
    """Note each mistake at its place, but for what was said where a variable was put in."""
    for mistake in mistakes:
        unresolved = isinstance(mistake.value, str) and any(
            name not in known.secrets for name in references(mistake.value)
        )
        if not unresolved:
            wording = word(mistake, mistake.path, root, DayFile)
            span = locate(root, mistake.path, key=wording.at_key)
            document.add(span, wording.code, wording.message, wording.hint)


def _check_roles(document: Document, root: Entries, day: DayFile) -> None:
    """Note a step, check or decision of somebody whom ``roles:`` does not name; without ``roles:`` everybody may."""
    if day.roles is None:
        return
    asked: list[tuple[Place, str | None]] = [
        (("prerequisites", index, "by"), one.by) for index, one in enumerate(day.prerequisites)
    ]
    for index, item in enumerate(day.agenda):
        part = item.manual or item.go_no_go
        asked.append((("agenda", index, item.kind, "by"), part.by if part is not None else None))
    for path, role in asked:
        if role is not None and not day.roles.people(role):
            name = "responders" if role == "responder" else role
            hint = f"name one: roles: {{{name}: NAME, …}}"
            document.add(locate(root, path), "unknown-name", f"nobody is the {role} of this day", hint)


def _check_files(document: Document, root: Entries, day: DayFile) -> None:
    """Note files that are not there: experiments and calendars."""
    for path, name in _named_files(day):
        node: Node | None = find(root, path)
        target = Path(document.path).parent / name
        if _is_file(target):
            continue
        span = node.span if isinstance(node, Value) else Span(1, 1)
        hint = "its path is relative to the game-day file"
        document.add(span, "missing-file", f"no such file: {target}", hint)


def _named_files(day: DayFile) -> Iterator[tuple[Place, str]]:
    for index, one in enumerate(day.prerequisites):
        if one.experiment is not None:
            yield ("prerequisites", index, "experiment"), one.experiment
    for index, item in enumerate(day.agenda):
        if item.experiment is not None:
            yield ("agenda", index, "experiment"), item.experiment
    for index, blackout in enumerate(day.schedule.blackout if day.schedule is not None else ()):
        if blackout.file is not None:
            yield ("schedule", "blackout", index, "file"), blackout.file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _lines(root: Entries, day: DayFile) -> Iterator[tuple[str, int]]:
    yield "title", locate(root, ("title",)).line
    sections: dict[str, tuple[Any, ...]] = {"prerequisites": day.prerequisites, "agenda": day.agenda}
    for name, items in sections.items():
        for index, _ in enumerate(items):
            yield f"{name}.{index}", locate(root, (name, index)).line
