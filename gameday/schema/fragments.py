"""``faults: - use: FILE``: shared lists of faults, read from files beside the experiment.

A fragment is a file of its own: ``version: 1`` and ``faults: […]``. Its path is relative to the file that uses it, and stays inside
the folder of the experiment or the library that ships with gameday, links followed; what it refers to by ``${name}`` the
experiment declares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gameday.schema.document import Document
from gameday.schema.errors import ExperimentErrors, Span, did_you_mean
from gameday.schema.nodes import Entries, Node, Value, pairs
from gameday.schema.yamlfile import MAX_BYTES, parse, read_bytes

MAX_DEPTH = 4
MAX_FRAGMENTS = 20
_LIBRARY = "library/"
_KEYS = ("version", "faults")
_FORM = "write - use: ./fragments/NAME.yaml, and at: 30s if all of its faults come later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One fragment that was read."""

    path: Path
    """Absolute, links followed."""
    faults: Node


@dataclass(slots=True, kw_only=True)
class Fragments:
    """The fragments of one experiment file."""

    document: Document
    source: Path
    """The experiment file."""
    library: Path | None = None
    total: int = 0
    """Bytes of all fragments so far."""
    texts: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The bytes of each, by its path relative to the experiment's folder, or ``library/…``."""
    used_at: dict[int, Span] = field(default_factory=dict[int, Span])
    """Number of a fragment's places → where the experiment file itself asks for it."""

    def open(self, name: str, span: Span, within: tuple[Path, ...]) -> Opened | None:
        """Read the fragment that is asked for at ``span``, by the files ``within``; None when something is wrong, noted there."""
        found = self._find(name, span, within, "fragment")
        if found is None:
            return None
        path, kept = found
        read = self._read(path, kept, span, "fragment")
        faults = self._faults(*read) if read is not None else None
        return None if faults is None else Opened(path=path, faults=faults)

    def beside(self, node: Node, what: str) -> Entries | None:
        """Read a file of another kind that the experiment names, a mapping; None when something is wrong, noted there."""
        if not isinstance(node, Value) or not isinstance(node.value, str) or not node.value or "${" in node.value:
            self.document.add(node.span, "wrong-type", f"{what} names a file", f"write {what}: ./NAME.yaml")
            return None
        found = self._find(node.value, node.span, (), what)
        read = None if found is None else self._read(*found, node.span, what)
        if read is None:
            return None
        root, number = read
        if not isinstance(root, Entries):
            self.document.add(Span(1, 1, 1, number), "wrong-type", f"a file for {what} is a mapping")
            return None
        return root

    def _find(self, name: str, span: Span, within: tuple[Path, ...], what: str) -> tuple[Path, str] | None:
        """Return where a file is and the name it is kept under; None when it may not be read, noted at ``span``."""
        user = within[-1] if within else self.source.resolve()
        try:
            path = (user.parent / name).resolve()
            if self.library is not None and name.startswith(_LIBRARY) and not path.exists():
                path = (self.library / name.removeprefix(_LIBRARY)).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            self.document.add(span, "fragment", f"cannot find the {what}: {error}")
            return None
        kept = self._kept_as(path)
        if kept is None or Path(name).is_absolute():
            hint = f"keep {what}s in the experiment's folder, and write their path relative to the file"
            self.document.add(span, "fragment", f"a {what} outside the experiment's folder", hint)
        elif path in (*within, self.source.resolve()):
            self.document.add(span, "fragment", f"this {what} uses itself", "remove one of the uses")
        elif len(within) >= MAX_DEPTH or len(self.used_at) >= MAX_FRAGMENTS:
            deep = len(within) >= MAX_DEPTH
            most = f"fragments nested more than {MAX_DEPTH} deep" if deep else f"more than {MAX_FRAGMENTS} fragments"
            self.document.add(span, "too-large", most)
        else:
            return path, kept
        return None

    def _kept_as(self, path: Path) -> str | None:
        """Return the name under which the run folder keeps it; None for a file that no experiment may read."""
        roots = [("", self.source.resolve().parent)]
        if self.library is not None:
            roots.append((_LIBRARY, self.library.resolve()))
        return next(
            (prefix + path.relative_to(root).as_posix() for prefix, root in roots if path.is_relative_to(root)), None
        )

    def _read(self, path: Path, kept: str, span: Span, what: str) -> tuple[Node, int] | None:
        """Return the tree of a file and the number of its places; None when it cannot be read, noted at its place."""
        number = len(self.used_at) + 1
        self.used_at[number] = self.used_at.get(span.file, span)
        shown = path if kept.startswith(_LIBRARY) else self.source.parent / kept
        if not path.is_file():
            self.document.add(span, "fragment", f"no such {what}: {shown}", self._nearest(path, what))
            return None
        try:
            data = read_bytes(shown, number)
            self.total += len(data)
            if self.total > MAX_BYTES:
                self.document.refuse(span, "too-large", "the fragments together are larger than 1 MiB")
            found = parse(str(shown), data, number)
        except ExperimentErrors as errors:
            self.document.adopt(errors.errors)
            return None
        self.document.fragments[number] = found
        self.document.adopt(found.errors)
        self.texts[kept] = data
        return found.root, number

    def _nearest(self, path: Path, what: str) -> str:
        folder = path.parent
        form = _FORM if what == "fragment" else "its path is relative to the experiment file"
        names = [entry.name for entry in sorted(folder.iterdir())[:1000]] if folder.is_dir() else []
        return did_you_mean(path.name, names, form) if names else form

    def _faults(self, root: Node, number: int) -> Node | None:
        """Return the list of faults of a fragment, whose other keys may only say which grammar it is in."""
        if not isinstance(root, Entries):
            self.document.add(
                Span(1, 1, 1, number), "wrong-type", "a fragment is a mapping", "write version: 1 and faults: […]"
            )
            return None
        for key, place, _ in pairs(root):
            if key not in _KEYS:
                self.document.add(place, "unknown-key", f"unknown key {key!r} in a fragment", did_you_mean(key, _KEYS))
        version = root.get("version")
        if not isinstance(version, Value) or version.value != 1:
            span = Span(1, 1, 1, number) if version is None else version.span
            self.document.add(span, "bad-value", "a fragment is written in version 1", "write version: 1")
        faults = root.get("faults")
        if faults is None:
            self.document.add(
                Span(1, 1, 1, number), "missing-key", "this fragment has no faults", "write faults: [NAME: {do: …}]"
            )
        return faults
