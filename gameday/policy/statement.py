"""What one person signs: the subject, its targets, the policies that ask, who signs, and until when it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gameday.model import Json
from gameday.policy.subject import Counted, Subject, canonical
from gameday.schema.nodes import as_mapping
from gameday.spi.errors import GamedayError

SCHEMA = "gameday/approval/1"
MOST = timedelta(days=7)
"""How long an approval may hold."""
CLOCKS = timedelta(minutes=5)
"""By how much the clock of who signed may be ahead."""
MAX_FILES, MAX_BYTES = 100, 16 * 1024
"""Files that are read from a folder of approvals, and bytes of each: several fit into one record of the journal."""
_WHEN = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A signed statement as it was found; nothing of it is believed before its signature is checked."""

    name: str
    """Of its file."""
    text: str
    signature: str

    @property
    def statement(self) -> Json:
        """What it says; empty where it says nothing that can be read."""
        try:
            raw: Any = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        said = as_mapping(raw)
        return said if said.get("schema") == SCHEMA else {}

    @property
    def by(self) -> str:
        """Who says to have signed it; empty where nobody does."""
        said = self.statement.get("by")
        return said if isinstance(said, str) and said.isprintable() and " " not in said else ""

    def to_json(self) -> dict[str, str]:
        """As its file has it."""
        return {"schema": SCHEMA, "statement": self.text, "signature": self.signature}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Who signs, and from when until when it holds."""

    by: str
    at: datetime
    until: datetime


def statement(subject: Subject, title: str, targets: Counted, policies: Mapping[str, Sequence[str]], term: Term) -> str:
    """Write what is signed; ``policies`` are the hash of each policy and the environments of it that the run is in."""
    return canonical(
        {
            "schema": SCHEMA,
            "title": title,
            **subject.to_json(),
            "targets": {fault: dict(found) for fault, found in targets.items()},
            "policies": {digest: sorted(names) for digest, names in policies.items()},
            "by": term.by,
            "at": term.at.astimezone(UTC).strftime(_WHEN),
            "until": term.until.astimezone(UTC).strftime(_WHEN),
        }
    )


def when(said: Json, name: str) -> datetime | None:
    """Return a moment of a statement; None where it has none."""
    try:
        return datetime.strptime(str(said.get(name)), _WHEN).replace(tzinfo=UTC)
    except ValueError:
        return None


def timely(said: Json, now: datetime) -> str:
    """Say why a statement does not hold now; empty when it does."""
    begins, ends = when(said, "at"), when(said, "until")
    if begins is None or ends is None:
        return "it does not say when it holds"
    if ends - begins > MOST:
        return f"it would hold for more than {MOST.days} days"
    if now + CLOCKS < begins:
        return f"it is dated {said['at']}, which is to come"
    return f"it has expired at {said['until']}" if now >= ends else ""


def about(said: Json, subject: Subject) -> str:
    """Say how what a statement speaks of differs from a subject; empty when it does not."""
    if said.get("digest") != subject.digest:
        return "it is for another version of the file, or of a fragment"
    if said.get("variant") != dict(subject.variant):
        return "it is for another combination of the matrix"
    return "" if said.get("composed") == subject.composed else "it is for other values of the variables"


def read_approvals(folder: Path) -> tuple[Approval, ...]:
    """Return the approvals in a folder, by the names of their files; what is none says nothing."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError:
        return ()
    return tuple(map(_read, paths[:MAX_FILES]))


def _read(path: Path) -> Approval:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        raw: Any = json.loads(data) if len(data) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        raw = None
    found = as_mapping(raw)
    text, signature = found.get("statement"), found.get("signature")
    whole = isinstance(text, str) and isinstance(signature, str)
    return Approval(name=path.name, text=str(text) if whole else "", signature=str(signature) if whole else "")


def write_approval(folder: Path, approval: Approval) -> Path:
    """Put an approval beside its file; raise GamedayError when that cannot be."""
    path = folder / approval.name
    try:
        folder.mkdir(exist_ok=True)
        path.write_text(json.dumps(approval.to_json(), indent=2) + "\n", encoding="ascii")
    except OSError as error:
        raise GamedayError(
            f"cannot write {path}: {error.strerror}", hint="approvals lie beside the experiment file"
        ) from error
    return path
