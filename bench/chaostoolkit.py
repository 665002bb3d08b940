"""What a Chaos Toolkit experiment costs through us: ``gameday run`` against ``chaos run`` on a bare install, in turn, in one run.

Prints the medians of whole processes for an empty experiment and their ratio (goal ≤ 2.0), and what one activity costs more, from
experiments with 1000 of them (goal ≤ 5 ms): on the clock, and in seconds of processors (user and system, every process of the run), which
other work on the machine hardly changes. Ours starts a watchdog and a driver host, keeps the undo on the disk, journals every activity,
judges and writes its reports; all of that is in the numbers. Beside them, what other commands and the two ends of a run of ours take.
"""

from __future__ import annotations

import compileall
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 5
ACTIVITIES = 1000
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one whole command took, in milliseconds."""

    wall: float
    processor: float


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


def cost(command: list[str], cwd: Path) -> Cost:
    """Run one command to its end; an experiment that proves nothing is no pass of ours, but it must have been carried out.

    The processes of a run have all been waited for when it is over, so that their time is in that of our children.
    """
    env = {**os.environ, "HOME": str(cwd), "GAMEDAY_STATE_DIR": str(cwd / "state")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # as it is for those who use either
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, cwd=cwd, env=env)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 3), done.stderr.decode()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall=1000 * took, processor=1000 * used)


def medians(*commands: list[str], cwd: Path) -> list[Cost]:
    """Run these commands in turn, a first time for nothing; return the medians of each."""
    rounds = [[cost(command, cwd) for command in commands] for _ in range(ROUNDS + 1)][1:]
    return [
        Cost(
            wall=statistics.median(one.wall for one in column),
            processor=statistics.median(one.processor for one in column),
        )
        for column in zip(*rounds, strict=True)
    ]


def main() -> None:
    for package in ("gameday", "drivers", "reports"):
        compileall.compile_dir(ROOT / package, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chaos = [str(bare_install(folder / "bare")), "--no-version-check", "--no-log-file", "run"]
        gameday = str(Path(sys.executable).with_name("gameday"))
        files = {count: folder / f"{count}.json" for count in (0, ACTIVITIES)}
        for count, file in files.items():
            file.write_text(json.dumps(experiment(count)))
        say_runs(
            {n: medians([gameday, "run", str(file)], [*chaos, str(file)], cwd=folder) for n, file in files.items()}
        )
        mine = ROOT / "experiments" / "your-own-url.yaml"
        for words in (["--help"], ["validate", str(mine)], ["validate", str(files[0])]):
            (found,) = medians([gameday, *words], cwd=folder)
            print(
                f"gameday {words[0]} {Path(words[-1]).name if words[1:] else ''}: {found.wall:.0f} ms, processors {found.processor:.0f} ms"
            )
        say_ends(folder)


def say_runs(found: dict[int, list[Cost]]) -> None:
    """Print how both compare, on the clock and in time of processors."""
    for how in ("wall", "processor"):
        (mine, theirs), (my_many, their_many) = ([getattr(one, how) for one in found[n]] for n in (0, ACTIVITIES))
        label = "on the clock" if how == "wall" else "of processors"
        print(
            f"an empty experiment, {label}: {mine:.0f} ms against {theirs:.0f} ms, ratio {mine / theirs:.2f} (goal ≤ 2.0)"
        )
        my_each, their_each = (my_many - mine) / ACTIVITIES, (their_many - theirs) / ACTIVITIES
        more = my_each - their_each
        print(f"one activity, {label}: {my_each:.2f} ms against {their_each:.2f} ms, {more:.2f} ms more (goal ≤ 5)")


def say_ends(folder: Path) -> None:
    """Print, from the newest run of the empty experiment, when each part of it was over, by the run's own clock."""
    newest = max(folder.glob("runs/*-0-*/journal.ndjson"))
    at = {event["kind"]: event["at_ms"] for event in map(json.loads, newest.read_text().splitlines())}
    shown = ("watchdog-started", "planned", "armed", "injected", "ended", "reverted", "closed")
    print("one run of it, from its first record: " + ", ".join(f"{kind} {at[kind]} ms" for kind in shown))


if __name__ == "__main__":
    main()
