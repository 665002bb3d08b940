"""Experiment files and finished run folders for tests of the command line, without any run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gameday.journal.reader import GENESIS, digest
from gameday.journal.writer import Journal

VALID: dict[str, Any] = {
    "version": 1,
    "title": "The target survives a switch",
    "hypothesis": "It does.",
    "load": {"target": "http://127.0.0.1:9", "rate": "100/s", "requests": [{"name": "home", "get": "/"}]},
    "objectives": {"available": {"expect": "errors < 5%", "recover": {"within": "10s", "hold": "5s"}}},
    "phases": {"warmup": "1s", "baseline": "10s", "recovery": "20s"},
    "faults": [
        {"flip": {"do": "command", "with": {"run": ["touch", "x"], "undo": ["rm", "x"]}, "at": "0s", "for": "10s"}}
    ],
}


def write(path: Path, **changes: Any) -> Path:
    """Write an experiment file; JSON is YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**VALID, **changes}, indent=1))
    return path


def run_folder(
    output: Path, name: str, *, ending: str = "closed", undone: bool = True, began: float | None = None, **plan: Any
) -> Path:
    """Make a folder as a run leaves it. ``ending``: ``closed``, or any other kind of last record; ``none`` for an empty journal."""
    folder = output / name
    (folder / "logs").mkdir(parents=True)
    whole: dict[str, Any] = {
        "schema": "gameday/plan/1",
        "run_id": name,
        "experiment": {"title": VALID["title"], "faults": []},
        **plan,
    }
    (folder / "plan.json").write_text(json.dumps(whole))
    if ending == "none":
        (folder / "journal.ndjson").touch()
        return folder
    journal = Journal.create(folder / "journal.ndjson")
    journal.write("opened", {"run_id": name, "pid": 1, "start": 1})
    if ending == "armed":
        journal.write("planned", {"fault": "flip", "reversible": True})
        journal.write(
            "armed", {"fault": "flip", "plan": {"driver": "command", "targets": ["touch x"], "undo": {}, "holds": []}}
        )
    elif ending == "closed":
        journal.write("closed", {"undone": undone})
    elif ending != "opened":
        journal.write(ending, {})
    journal.close()
    if began is not None:
        age(folder, began)
    return folder


def age(folder: Path, began: float) -> None:
    """Rewrite a journal as if it had begun at that time, its chain whole again."""
    path, prev = folder / "journal.ndjson", GENESIS
    lines: list[bytes] = []
    for line in path.read_bytes().splitlines():
        record = {**json.loads(line), "wall": began, "prev": prev}
        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
        prev = digest(text)
        lines.append(text + b"\n")
    path.write_bytes(b"".join(lines))
