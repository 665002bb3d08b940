"""Every shipped game day is led from its brief to its debrief, and its postmortem says what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gameday.schema.day.loader import is_day
from tests.fakes.busy import unmeasured, until_measured

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "experiments/gamedays"
GRAPH = "https://dashboards.example.com/shop"
DAYS: dict[str, tuple[str, list[str], list[str]]] = {
    "day-payments-brown-out": (
        "pass",
        ["yes", "", "begin", "go steady", "begin", f"done {GRAPH}", "The queue was seen late.", ""],
        ["pass", "pass"],
    ),
    "day-cache-disabled": (
        "fail",
        ["", "begin", "mark noticed pages are slow", "mark mitigated turn the cache on", "done", "begin", "Nobody looks at hits.", ""],
        ["fail", "pass"],
    ),
    "day-webhook-burst": (
        "fail",
        ["yes", "", "begin", f"done {GRAPH}", "note action: page on old dead letters", "go", "begin", "Who may redrive?", ""],
        ["fail", "pass"],
    ),
    "day-canary-rollback": (
        "fail",
        ["", "begin", "mark noticed errors", f"done {GRAPH}", "go", "begin", "Watch the canary at night.", ""],
        ["fail", "pass"],
    ),
}  # fmt: skip

pytestmark = [pytest.mark.long, pytest.mark.timeout(480)]


def test_every_day_that_ships_is_led_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml") if is_day(path.read_bytes())} == set(DAYS)


def lead(name: str, typed: list[str], output: Path) -> tuple[Path, int, str]:
    """Lead a day with what is typed; return its folder, the exit code and what was shown.

    Its ports are its own: journeys of experiments may run at the same time.
    """
    argv = [
        sys.executable,
        "-m",
        "gameday",
        "day",
        "run",
        str(FOLDER / f"{name}.yaml"),
        "--attended",
        "--by",
        "ana@example.com",
    ]
    ended = subprocess.run(
        [*argv, "--var", "ports=196", "--output", str(output)],
        cwd=ROOT,
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "GAMEDAY_STATE_DIR": str(output / "state")},
    )
    (day,) = output.glob("day-*")
    return day, ended.returncode, ended.stdout + ended.stderr


def too_busy(day: Path) -> bool:
    return any(unmeasured(json.loads(path.read_text())) for path in day.glob("runs/*/verdict.json"))


@pytest.mark.parametrize("name", DAYS)
def test_a_day_is_led_and_its_postmortem_says_what_happened(name: str, tmp_path: Path) -> None:
    word, typed, verdicts = DAYS[name]
    day, code, shown = until_measured(
        lambda number: lead(name, typed, tmp_path / str(number)), lambda found: too_busy(found[0])
    )
    verdict = json.loads((day / "verdict.json").read_text())
    assert (verdict["verdict"], code) == (word, {"pass": 0, "fail": 1}[word]), shown
    assert [item["outcome"] for item in verdict["items"] if item["kind"] == "experiment"] == verdicts
    assert all(item["outcome"] in ("done", "go", *verdicts) for item in verdict["items"])
    told = (day / "report.md").read_text()
    assert typed[-2] in told, "what was said in the debrief"
    assert "noticed by ana@\u200bexample.com" in told or not any("noticed" in line for line in typed)
    assert (GRAPH.removeprefix("https:") in told) == any(GRAPH in line for line in typed)
    assert (day / "report.html").read_bytes().startswith(b"<!doctype html>")
