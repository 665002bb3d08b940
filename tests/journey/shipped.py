"""What the comments of the shipped experiments promise, and how such a command is run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.busy import unmeasured, until_measured

ROOT = Path(__file__).resolve().parents[2]
PROMISE = re.compile(r"^#   gameday (run \S.*?)\s{2,}(passes|fails)", re.MULTILINE)
CODES = {"passes": 0, "fails": 1}


def promises(folders: str) -> list[object]:
    """Every command in the comments of the folders that a pattern matches, with what it promises."""
    found: list[object] = []
    for path in sorted(ROOT.glob(f"experiments/{folders}/*.yaml")):
        for command, word in PROMISE.findall(path.read_text()):
            options = command.partition(".yaml")[2].replace(" --var", "")
            found.append(pytest.param(command, word, id=f"{path.stem}{options} {word}"))
    return found


def gameday(command: str, runs: Path) -> tuple[int, dict[str, Any], str]:
    """Run a command line; return its exit code, the one verdict and what people were shown."""

    def attempt(number: int) -> tuple[int, dict[str, Any], str]:
        output = runs / str(number)
        argv = [sys.executable, "-m", "gameday", *shlex.split(command), "--output", str(output)]
        ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=130, check=False)
        verdicts = list(output.glob("*/verdict.json"))
        assert len(verdicts) == 1, ended.stderr
        return ended.returncode, json.loads(verdicts[0].read_text()), ended.stderr

    return until_measured(attempt, lambda found: unmeasured(found[1]))


def keeps_its_promise(command: str, word: str, runs: Path) -> None:
    """Run a command of a comment: it ends as the comment says, undone, and says why in numbers."""
    code, verdict, shown = gameday(command, runs)
    assert code == CODES[word], (verdict["verdict"], verdict["summary"], shown)
    assert verdict["closed"]
    assert all(fault["undo"] in ("proven", "not-needed") for fault in verdict["faults"]), verdict["faults"]
    if word == "fails":
        assert verdict["reasons"] == ["broken"]
        assert re.search(r"\d+(%| s\b)|was \d+", verdict["summary"]), "the effect is stated in numbers"
        assert verdict["findings"]
