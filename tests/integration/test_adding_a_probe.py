"""The guide's own probe, registered and tested exactly as the guide says, in a package that gameday has never seen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_adding_a_driver import BLOCK

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-probe.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """What pip would lay out: the package, and the entry points that its pyproject.toml asks for."""
    found = {match[2]: match[3] for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))}
    assert set(found) == {"gameday_files/age.py", "pyproject.toml", "tests/test_age.py"}
    for name, text in found.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = [
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in points.items())
        for group, points in tomllib.loads(found["pyproject.toml"])["project"]["entry-points"].items()
    ]
    info = tmp_path / "gameday_files-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gameday-files\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package), *(path for path in sys.path if path)])
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=package,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_the_guides_probe_keeps_the_contract(package: Path) -> None:
    done = run(package, "pytest", "-q", "-W", "error", "-p", "no:locust", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) >= 8


def test_a_file_can_use_it_and_its_mistakes_are_shown_at_their_place(package: Path) -> None:
    document: dict[str, Any] = {
        "version": 1,
        "title": "Backups go on",
        "slis": {"backup": {"file_age": "/backup/shop.tar", "every": "1s"}},
        "objectives": {"backed-up": {"expect": "max(backup) < 1h"}},
        "phases": {"recovery": "60s"},
        "faults": [{"nothing": {"do": "command", "with": {"run": ["true"], "undo": ["true"]}, "for": "30s"}}],
    }
    file = package / "experiment.yaml"
    file.write_text(json.dumps(document, indent=1))
    done = run(package, "gameday", "validate", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    document["slis"] = {"backup": {"file_age": 7, "evry": "1s"}}
    file.write_text(json.dumps(document, indent=1))
    wrong = run(package, "gameday", "validate", str(file))
    assert wrong.returncode == 2, wrong.stdout + wrong.stderr
    assert "file_age has no parameter 'evry'" in wrong.stdout + wrong.stderr
