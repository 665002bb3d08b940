"""What a Chaos Toolkit experiment costs through us: ``gameday run`` against ``chaos run`` on a bare install, in turn, in one run.

Prints the medians of whole processes for an empty experiment and their ratio (goal ≤ 2.0), and what one activity costs more, from
experiments with 200 of them (goal ≤ 5 ms). Ours starts a watchdog and a driver host, keeps the undo on the disk, journals every activity,
judges and writes its reports; all of that is in the numbers.
"""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 5
ACTIVITIES = 1000
ROOT = Path(__file__).parents[1]


def bare_install(folder: Path) -> Path:
    """Make a virtualenv with nothing but Chaos Toolkit; return its ``chaos``."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "chaostoolkit"], check=True, capture_output=True)
    return folder / "bin" / "chaos"


def experiment(activities: int) -> dict[str, Any]:
    """Return one with so many actions that do nothing."""
    provider = {"type": "python", "module": "gc", "func": "isenabled"}
    step = {"type": "action", "provider": provider}
    method = [{**step, "name": f"a{number}"} for number in range(activities)]
    return {"title": "t", "description": "d", "method": method, "rollbacks": []}


def seconds(command: list[str], cwd: Path) -> float:
    """Time one whole process; an experiment that proves nothing is no pass of ours, but it must have been carried out."""
    env = {**os.environ, "HOME": str(cwd), "GAMEDAY_STATE_DIR": str(cwd / "state")}
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, cwd=cwd, env=env)
    took = time.perf_counter() - began
    assert done.returncode in (0, 3), done.stderr.decode()
    return took


def main() -> None:
    compileall.compile_dir(ROOT / "gameday", quiet=1)
    compileall.compile_dir(ROOT / "drivers", quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chaos = [str(bare_install(folder / "bare")), "--no-version-check", "--no-log-file", "run"]
        gameday = [str(Path(sys.executable).with_name("gameday")), "run"]
        medians: dict[tuple[str, int], float] = {}
        for count in (0, ACTIVITIES):
            file = folder / f"{count}.json"
            file.write_text(json.dumps(experiment(count)))
            pairs = [
                (seconds([*gameday, str(file)], folder), seconds([*chaos, str(file)], folder))
                for _ in range(ROUNDS + 1)
            ]
            for who, column in zip(("ours", "theirs"), zip(*pairs[1:], strict=True), strict=True):
                medians[who, count] = statistics.median(column)
    mine, theirs = medians["ours", 0], medians["theirs", 0]
    print(
        f"an empty experiment: {mine * 1000:.0f} ms against {theirs * 1000:.0f} ms, ratio {mine / theirs:.2f} (goal ≤ 2.0)"
    )
    each = {who: 1000 * (medians[who, ACTIVITIES] - medians[who, 0]) / ACTIVITIES for who in ("ours", "theirs")}
    more = each["ours"] - each["theirs"]
    print(f"one activity: {each['ours']:.2f} ms against {each['theirs']:.2f} ms, {more:.2f} ms more (goal ≤ 5)")


if __name__ == "__main__":
    main()
