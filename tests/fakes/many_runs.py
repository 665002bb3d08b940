"""Folders of many runs of many experiments, judged and reported, made in a moment: what a site is built from."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

from gameday.judge import judge
from tests.fakes.stories import REVERTED, Story, between, experiment, rows

DAY = 86_400
NOW = 1_795_000_000.0
"""2026-11-18, the day on which the newest runs were made."""
TITLES = (
    "Checkout survives a payments outage",
    "Browsing stays fast while the catalog is slow",
    "Orders are not lost when the queue restarts",
    "Search degrades politely without its index",
    "Login keeps working when one replica is gone",
    "The cart survives a cache flush",
    "Emails are late, never lost",
    "An expired certificate is noticed within an hour",
    "The gateway sheds load instead of falling over",
    "Prices are never stale for longer than a minute",
    "A paused worker is replaced",
)


@cache
def verdicts() -> dict[str, dict[str, Any]]:
    """One verdict document for each way in which a run ends, judged from a story."""
    stories = {
        "pass": Story(rows=rows(lambda slot: int(slot % 40 == 0))),
        "thin": Story(rows=rows(lambda slot: int(slot % 8 == 0), to_ms=97_000)),
        "fail": Story(rows=rows(between(30_000, 60_000, 3))),
        "late": Story(rows=rows(between(REVERTED, 82_500, 5))),
        "inconclusive": Story(said_bye=False),
        "aborted": Story(rows=rows(between(30_000, 60_000, 4))).add(
            60_000, "abort", reason="guard", detail="errors lose 1.5s of traffic"
        ),
        "dirty": Story(undone=False).without("reverted"),
    }
    return {name: judge(story.run()) for name, story in stories.items()}


def write_many(folder: Path, *, runs: int, experiments: int = 22, seed: int = 7, report_bytes: int = 0) -> list[Path]:
    """Write run folders, the newest of each experiment less than its turn of days old; the same seed gives the same folders."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    moods = [chance.choice(("good", "good", "good", "bad", "mixed", "unsure", "old")) for _ in range(experiments)]
    made: list[Path] = []
    for number in range(runs):
        which = number % experiments
        age = (runs - number) // experiments * 1.5 + chance.random() + (60 if moods[which] == "old" else 0)
        ending = _ending(moods[which], chance)
        made.append(_write(folder, which, number, ending=ending, wall=NOW - age * DAY, report_bytes=report_bytes))
    return made


def _ending(mood: str, chance: random.Random) -> str:
    weights = {
        "good": {"pass": 20, "fail": 1}, "old": {"pass": 1}, "bad": {"fail": 5, "late": 4, "aborted": 1},
        "mixed": {"pass": 4, "fail": 3, "late": 2, "inconclusive": 1, "dirty": 1}, "unsure": {"inconclusive": 3, "thin": 2},
    }[mood]  # fmt: skip
    return chance.choices(list(weights), list(weights.values()))[0]


def _write(folder: Path, which: int, number: int, *, ending: str, wall: float, report_bytes: int) -> Path:
    title = TITLES[which % len(TITLES)] + ("" if which < len(TITLES) else f", region {which // len(TITLES) + 1}")
    name = f"202611{1 + number % 28:02d}T{number % 24:02d}1500Z-experiment-{which}-{number:04x}"
    path = folder / name
    path.mkdir()
    verdict = copy.deepcopy(verdicts()[ending])
    verdict |= {"run": name, "title": title, "started_wall": wall}
    for finding in verdict["findings"]:
        finding["fingerprint"] = f"{which:04x}{finding['fingerprint'][:12]}"
    for residue in verdict["residue"]:
        residue["command"] = f"gameday recover {name}"
    file = experiment(
        title=title, owner=f"team-{'abcd'[which % 4]}", hypothesis="Users do not notice.", tags=["weekly"]
    )
    plan = {
        "schema": "gameday/plan/1", "run_id": name, "experiment": file, "digest": f"{which:064x}", "variant": {},
        "source": f"experiments/{which}.yaml", "environment": {"gameday": "0.1.0"},
    }  # fmt: skip
    (path / "plan.json").write_text(json.dumps(plan))
    (path / "verdict.json").write_text(json.dumps(verdict))
    if report_bytes:
        for beside, size in (("journal.ndjson", 9_000), ("samples.ndjson", 2 * report_bytes), ("junit.xml", 2_000)):
            (path / beside).write_text(f"{name}\n" + "y" * size)
        filler = "x" * (report_bytes - 200)
        (path / "report.html").write_text(
            f'<!doctype html><html lang="en"><title>{name}</title><h1 id="finding-1">{title}</h1><p>{filler}</p>Made by gameday from run'
        )
    return path
