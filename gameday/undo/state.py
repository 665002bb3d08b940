"""The state directories: what outlives a run folder's owner and must not lie in the run folder.

Two of them: what ends with the boot (proxies and their tokens, the red button) and what does not (which runs are open, so that
``gameday recover --all`` finds them after a reboot). $GAMEDAY_STATE_DIR is both.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

VARIABLE = "GAMEDAY_STATE_DIR"
MACHINE = Path("/run/gameday")
"""Root's state directory: what root stops there, stops for every user of this machine."""
_WHY_LIMIT = 500


def state_dir() -> Path:
    """Return the directory, made for this user alone: $GAMEDAY_STATE_DIR, /run/gameday for root, or the XDG place."""
    path = _state_path()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _state_path() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if os.geteuid() == 0 and MACHINE.parent.is_dir():
        return MACHINE
    return Path(os.environ.get("XDG_RUNTIME_DIR") or _state_home()) / "gameday"


def lasting_dir() -> Path:
    """Return the directory that is still there after a reboot: $GAMEDAY_STATE_DIR, /var/lib/gameday for root, or the XDG place."""
    path = _lasting_path()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _lasting_path() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if os.geteuid() == 0 and Path("/var/lib").is_dir():
        return Path("/var/lib/gameday")
    return Path(_state_home()) / "gameday"


def _state_home() -> str:
    return os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")


def _folder(base: Path, name: str) -> Path:
    folder = base / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _put(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a whole file or none, on the disk when this returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    draft.replace(path)


def register_run(folder: Path) -> None:
    """Note that a run in this folder has begun and may leave something; raise OSError when that cannot be noted."""
    _put(_folder(lasting_dir(), "runs") / f"{folder.name}.json", json.dumps({"folder": str(folder.absolute())}))


def forget_run(folder: Path) -> None:
    """Drop the note: nothing of that run is left."""
    with suppress(FileNotFoundError):
        (_lasting_path() / "runs" / f"{folder.name}.json").unlink()


def open_runs() -> tuple[Path, ...]:
    """Return the folders of runs that have begun and are not known to have left nothing, oldest first; running ones too."""
    found: list[Path] = []
    for path in sorted((_lasting_path() / "runs").glob("*.json")):
        with suppress(OSError, ValueError, LookupError, TypeError):
            found.append(Path(json.loads(path.read_text(encoding="utf-8"))["folder"]))
    return tuple(found)


def remember_proxies(run_id: str, proxies: Mapping[str, Any]) -> None:
    """Keep how to reach this run's own fault proxies, token included, readable by this user alone."""
    _put(_folder(state_dir(), "proxies") / f"{run_id}.json", json.dumps(proxies))


def forget_proxies(run_id: str) -> None:
    """Drop what was kept: the proxies have ended."""
    with suppress(FileNotFoundError):
        (_state_path() / "proxies" / f"{run_id}.json").unlink()


def remembered_proxies() -> dict[str, dict[str, Any]]:
    """Return what was kept, by run id; what cannot be read is left out."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((_state_path() / "proxies").glob("*.json")):
        with suppress(OSError, ValueError):
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found


def press(why: str) -> Path:
    """Press the red button: every run of this user (root without $GAMEDAY_STATE_DIR: of every user) stops and reverts.

    No new one starts until ``release``. Returns the button's file; raises OSError when it cannot be written.
    """
    folder = state_dir()
    everybody = folder == MACHINE
    if everybody:
        folder.chmod(0o755)  # others must see the button; what is secret lies in folders that are closed
    button = folder / "stop"
    _put(button, " ".join(why.split())[:_WHY_LIMIT] or "no reason given", mode=0o644 if everybody else 0o600)
    return button


def release() -> bool:
    """Let new runs start again; return whether the button was pressed. Root's button only root can release."""
    try:
        (_state_path() / "stop").unlink()
    except FileNotFoundError:
        return False
    return True


def pressed() -> str:
    """Return why everything is to stop, with who said so where it was root; empty while nobody pressed the button."""
    for button in dict.fromkeys((_state_path() / "stop", MACHINE / "stop")):
        with suppress(OSError):
            why = button.read_text(encoding="utf-8", errors="replace")
            owner = button.stat().st_uid
            return why if owner == os.geteuid() else f"{why} (by {_user(owner)})"
    return ""


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
