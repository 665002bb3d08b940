"""Chaos Toolkit experiments for tests, in their own words; everything they touch is a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MODULE = "tests.fakes.chaos_extension"


def python(func: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "python", "module": MODULE, "func": func, "arguments": arguments}


def action(name: str, func: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "action", "name": name, "provider": python(func, **arguments)}


def probe(name: str, func: str, tolerance: Any = True, **arguments: Any) -> dict[str, Any]:
    return {"type": "probe", "name": name, "tolerance": tolerance, "provider": python(func, **arguments)}


def experiment(folder: Path, **changes: Any) -> dict[str, Any]:
    """One that passes: it makes a file, its steady state is another one, its rollback removes the first."""
    (folder / "steady").touch()
    flag = str(folder / "flag")
    return {
        "version": "1.0.0",
        "title": "A file is made and removed",
        "description": "What is steady stays steady.",
        "tags": ["files"],
        "steady-state-hypothesis": {
            "title": "What is steady is there",
            "probes": [probe("steady", "is_on", path=str(folder / "steady"))],
        },
        "method": [action("make", "switch_on", path=flag)],
        "rollbacks": [action("remove", "switch_off", path=flag)],
        **changes,
    }


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document, indent=1))
    return path
