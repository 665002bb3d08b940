"""What is installed: entry points, read from the metadata of the distributions on ``sys.path``.

The same as ``importlib.metadata.entry_points(group=…)``, which brings a mail library and an archive library along and doubles the
time in which a small command starts. What only it can read (a zip file on the path) is left to it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

_METADATA = re.compile(r"(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?\.(?:dist|egg)-info")
_LARGEST = 1024 * 1024


class EntryPoint(NamedTuple):
    """A name that a distribution gives to something of its own."""

    name: str
    value: str
    """``module:attribute``"""
    distribution: str = "an unknown distribution"

    def load(self) -> Any:
        """Import what it names; raise ImportError or AttributeError."""
        module, _, attributes = self.value.partition("[")[0].strip().partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group; of two distributions of one name only the first on ``sys.path`` counts."""
    seen: set[str] = set()
    found: list[EntryPoint] = []
    for folder in map(Path, dict.fromkeys(sys.path)):
        if folder.is_file():
            found += _archived(group, folder)
            continue
        for name, text in _declared(folder.absolute()):
            normal = _normal(name)
            if normal not in seen:
                seen.add(normal)
                found += [EntryPoint(key, value, normal) for key, value in _section(text, group)]
    return found


def version(distribution: str) -> str:
    """Return the version of the first distribution of this name on ``sys.path``; empty when it is not installed."""
    wanted = _normal(distribution)
    for folder in map(Path, dict.fromkeys(sys.path)):
        for path in _metadata(folder):
            match = _METADATA.fullmatch(path.name)
            if match and match["version"] and _normal(match["name"]) == wanted:
                return str(match["version"])
    from importlib import metadata  # noqa: PLC0415 - only for an archive on the path, or what is not there

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _metadata(folder: Path) -> list[Path]:
    """Return what describes the distributions in a folder; nothing where there is none."""
    try:
        return [path for path in folder.iterdir() if path.name.endswith("-info")]
    except OSError:
        return []


@cache
def _declared(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return the name and the ``entry_points.txt`` of each distribution in a folder, read once: what is installed is installed."""
    named = [(path, match["name"]) for path in _metadata(folder) if (match := _METADATA.fullmatch(path.name))]
    return tuple((name, _entries(path / "entry_points.txt")) for path, name in named)


def _entries(path: Path) -> str:
    """Return what a file says; nothing where it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST)
    except (OSError, UnicodeDecodeError):
        return ""


def _section(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of one section of an INI file."""
    inside = False
    for line in map(str.strip, text.splitlines() if f"[{group}]" in text else ()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if equals:
                yield name.strip(), value.strip()


def _archived(group: str, path: Path) -> list[EntryPoint]:
    from importlib.metadata import distributions  # noqa: PLC0415 - only where an archive is on the path

    points = [(dist.name, point) for dist in distributions(path=[str(path)]) for point in dist.entry_points]
    return [EntryPoint(point.name, point.value, name) for name, point in points if point.group == group]
