"""The state directory: what outlives a run folder's owner and must not lie in the run folder, such as a proxy's token."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

VARIABLE = "GAMEDAY_STATE_DIR"


def state_dir() -> Path:
    """Return the directory, made for this user alone: $GAMEDAY_STATE_DIR, /run/gameday for root, or the XDG place."""
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named)
    elif os.geteuid() == 0 and Path("/run").is_dir():
        path = Path("/run/gameday")
    else:
        base = (
            os.environ.get("XDG_RUNTIME_DIR")
            or os.environ.get("XDG_STATE_HOME")
            or str(Path.home() / ".local" / "state")
        )
        path = Path(base) / "gameday"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _proxy_file(run_id: str) -> Path:
    folder = state_dir() / "proxies"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{run_id}.json"


def remember_proxies(run_id: str, proxies: Mapping[str, Any]) -> None:
    """Keep how to reach this run's own fault proxies, token included, readable by this user alone."""
    descriptor = os.open(_proxy_file(run_id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(proxies, file)


def forget_proxies(run_id: str) -> None:
    """Drop what was kept: the proxies have ended."""
    with suppress(FileNotFoundError):
        _proxy_file(run_id).unlink()


def remembered_proxies() -> dict[str, dict[str, Any]]:
    """Return what was kept, by run id; what cannot be read is left out."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((state_dir() / "proxies").glob("*.json")):
        with suppress(OSError, ValueError):
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found
