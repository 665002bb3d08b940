"""The guide's own driver, registered and tested exactly as the guide says, in a package that gameday has never seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-driver.md"
BLOCK = re.compile(r"^```(\w+)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    return {match[2]: match[3] for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))}


def install(folder: Path) -> None:
    """Lay out what pip would: the package, and the entry points that its pyproject.toml asks for."""
    found = blocks()
    assert set(found) == {"gameday_files/hide.py", "pyproject.toml", "tests/test_hide.py"}
    for name, text in found.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    lines = [
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in points.items())
        for group, points in tomllib.loads(found["pyproject.toml"])["project"]["entry-points"].items()
    ]
    info = folder / "gameday_files-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gameday-files\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def test_the_guides_driver_keeps_the_contract(tmp_path: Path) -> None:
    install(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:locust", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *(path for path in sys.path if path)])},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) >= 12


def test_the_guide_says_nothing_about_sizes_that_is_not_so() -> None:
    """One class, one line, one short test class: it stays true."""
    found = blocks()
    assert len(found["gameday_files/hide.py"].splitlines()) < 60
    assert len(found["tests/test_hide.py"].splitlines()) < 25
