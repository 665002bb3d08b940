"""How long the command line takes: ours against Chaos Toolkit's on a bare install, in turn, in one run.

Prints the medians and their ratio. Goals: ``gameday --help`` ≤ 0.5 × ``chaos --version``, ``gameday validate`` ≤ 1.0 × ``chaos validate``.
Our modules are compiled first, as an installation has them. bench/verbs.py has many files.
"""

from __future__ import annotations

import compileall
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
ROOT = Path(__file__).parents[1]
EXPERIMENT = ROOT / "experiments" / "dependency" / "payments-outage.yaml"
PEER = {
    "title": "t",
    "description": "d",
    "steady-state-hypothesis": {
        "title": "s",
        "probes": [
            {
                "type": "probe",
                "name": "p",
                "tolerance": 0,
                "provider": {"type": "process", "path": "true"},
            }
        ],
    },
    "method": [{"type": "action", "name": "a", "provider": {"type": "process", "path": "true"}}],
    "rollbacks": [],
}


def bare_install(folder: Path) -> Path:
    """Make a virtualenv with nothing but Chaos Toolkit; return its ``chaos``."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "chaostoolkit"], check=True)
    return folder / "bin" / "chaos"


def seconds(command: list[str], cwd: Path) -> float:
    """Time one whole process; it must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=cwd)
    return time.perf_counter() - began


def compare(name: str, ours: list[str], theirs: list[str], cwd: Path, goal: float) -> None:
    """Time both in turn and print the ratio of medians."""
    pairs = [(seconds(ours, cwd), seconds(theirs, cwd)) for _ in range(ROUNDS + 1)][1:]
    mine, peer = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name}: {mine * 1000:.0f} ms against {peer * 1000:.0f} ms, ratio {mine / peer:.2f} (goal ≤ {goal})")


def main() -> None:
    for package in ("gameday", "drivers", "reports"):
        compileall.compile_dir(ROOT / package, quiet=1)
    gameday = str(Path(sys.executable).parent / "gameday")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chaos = str(bare_install(folder / "venv"))
        (folder / "peer.json").write_text(json.dumps(PEER))
        compare("gameday --help / chaos --version", [gameday, "--help"], [chaos, "--version"], folder, 0.5)
        compare(
            "gameday validate / chaos validate",
            [gameday, "validate", str(EXPERIMENT)],
            [chaos, "--no-version-check", "validate", "peer.json"],
            folder,
            1.0,
        )


if __name__ == "__main__":
    main()
