"""The folder of a static site: which files in it are ours, and how they are replaced without touching anything else."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from gameday.runner.ending import replace_file
from gameday.spi.errors import GamedayError
from gameday.spi.locks import taken

INDEX = "gameday-site.json"
"""Not hidden: artifact stores leave hidden files out, and the next job goes on from here."""
_MARK = b"Made by gameday from run"
"""Stands at the end of every page and report of ours: a call that was killed left files that no index knows."""
SCHEMA = "gameday/site/1"


class SiteError(GamedayError):
    """The folder cannot be a site: something in it is not ours."""


@contextmanager
def alone(directory: Path, seconds: float = 30.0) -> Generator[None]:
    """Keep every other call from this site; raise SiteError when one has it for longer than that."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SiteError(f"cannot make the site {directory}: {error.strerror}", hint="choose another --site") from error
    try:
        if not taken(descriptor, seconds, pause=0.05):
            raise SiteError(f"another call is writing {directory}", hint="try again when it has ended")
        yield
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class SiteFolder:
    """One site on the disk, with the index of what is ours in it."""

    path: Path
    version: str
    """Of the records; those of another version are read again."""
    files: dict[str, str] = field(default_factory=dict[str, str])
    """Path below the folder → SHA-256 of what we wrote there."""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Run → {"digest": of what its record was made of, "report": of the report it was given, "record": …}."""
    changed: int = 0

    @classmethod
    def open(cls, path: Path, version: str) -> SiteFolder:
        """Open a folder that is there; raise SiteError when its index cannot be read."""
        site = cls(path=path.resolve(), version=version)
        index = path / INDEX
        if index.exists():
            site._read(index)
        return site

    def _read(self, index: Path) -> None:
        try:
            raw: Any = json.loads(index.read_bytes())
            if raw["schema"] != SCHEMA:
                raise SiteError(f"{index} is of another kind: {raw['schema']}", hint="choose another --site")
            self.files = {str(name): str(digest) for name, digest in raw["files"].items()}
            if raw["version"] == self.version:
                self.runs = {str(name): dict(entry) for name, entry in raw["runs"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SiteError(
                f"{index} cannot be read, so nobody knows which files there are ours: {error}",
                hint="delete the site's folder, or choose another --site",
            ) from error

    def holds(self, name: str) -> bool:
        """Whether a file of ours is still there."""
        return name in self.files and (self.path / name).is_file()

    def put(self, name: str, data: bytes) -> None:
        """Write a file if it is not what it was; raise SiteError where a file that is not ours has its name."""
        target, digest = self.path / name, sha256(data).hexdigest()
        if self.holds(name) and self.files[name] == digest:
            return
        if target.is_dir() or (name not in self.files and target.exists() and self._foreign(target, data)):
            raise SiteError(f"{target} was not written by a gameday site", hint="choose an empty folder for --site")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(self.path):
                raise SiteError(f"{target.parent} leads out of the site", hint="choose an empty folder for --site")
            replace_file(target, data)
        except OSError as error:
            raise SiteError(
                f"cannot write {target}: {error.strerror or error}", hint="run it again afterwards"
            ) from error
        self.files[name] = digest
        self.changed += 1

    def _foreign(self, target: Path, data: bytes) -> bool:
        """Whether a file that no index knows is somebody else's: none of our pages, not what we would write, no run's own file."""
        found = target.read_bytes()
        beside = target.with_name("report.html")
        return found != data and _MARK not in found and not (beside.is_file() and _MARK in beside.read_bytes())

    def close(self) -> None:
        """Write the index, last of all: what is in it is on the disk."""
        document: Mapping[str, Any] = {
            "schema": SCHEMA,
            "version": self.version,
            "files": dict(sorted(self.files.items())),
            "runs": dict(sorted(self.runs.items())),
        }
        data = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        index = self.path / INDEX
        try:
            if not index.exists() or index.read_bytes() != data:
                replace_file(index, data)
        except OSError as error:
            raise SiteError(
                f"cannot write {index}: {error.strerror or error}", hint="run it again afterwards"
            ) from error

    def records(self) -> list[dict[str, Any]]:
        """Return the record of each run that the site has, with the path of its report."""
        return [cast("dict[str, Any]", entry["record"]) for entry in self.runs.values()]
