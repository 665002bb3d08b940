"""What shows that something was done: a link, or a copy of a file in the day's folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gameday.gamedays.day.folder import DayFolder
from gameday.spi.errors import GamedayError

MAX_BYTES = 50 * 1024 * 1024
MOST = 20
_LONGEST_LINK = 2_000
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)


class EvidenceError(GamedayError):
    """This shows nothing: no link, and no file that can be kept."""


def keep(folder: DayFolder, named: Iterable[str]) -> list[dict[str, Any]]:
    """Return each link as it is and each file copied into ``evidence/``, as records have them; raise EvidenceError.

    Nothing is copied when one of several is wrong. A file that was copied before is the same entry again.
    """
    words = [word for word in named if word.strip()]
    if len(words) > MOST:
        raise EvidenceError(f"more than {MOST} pieces of evidence at once", hint="put the files into one archive")
    contents = [(word, None if _is_link(word) else _read(Path(word))) for word in words]
    return [{"kind": "link", "url": word} if data is None else _copied(folder, word, data) for word, data in contents]


def _is_link(word: str) -> bool:
    if not _LINK.fullmatch(word):
        return False
    if len(word) > _LONGEST_LINK:
        raise EvidenceError(f"a link of more than {_LONGEST_LINK:,} characters")
    return True


def _read(path: Path) -> bytes:
    hint = "name a file, or a link that begins with https://"
    try:
        if not path.is_file():
            raise EvidenceError(f"no such file: {path}", hint=hint)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}", hint=hint) from error
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"{path} is larger than 50 MiB", hint="keep it elsewhere, and give a link")
    return data


def _copied(folder: DayFolder, word: str, data: bytes) -> dict[str, Any]:
    name = Path(word).name
    sha256 = hashlib.sha256(data).hexdigest()
    kept = folder.evidence / f"{sha256[:12]}-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[-80:].lstrip('.-') or 'file'}"
    try:
        if not kept.exists():
            partial = kept.with_name(f".{kept.name}.{os.getpid()}")
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(kept)
    except OSError as error:
        raise EvidenceError(f"cannot keep {word}: {error.strerror}") from error
    return {
        "kind": "file",
        "name": name[:200],
        "file": f"{folder.evidence.name}/{kept.name}",
        "bytes": len(data),
        "sha256": sha256,
    }
