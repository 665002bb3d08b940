"""Every shipped experiment ends as the comment on its first lines says, passing and failing."""

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

pytestmark = [pytest.mark.long, pytest.mark.timeout(420)]


def promises() -> list[object]:
    """Every command in the comments with what it promises."""
    found: list[object] = []
    for path in sorted(ROOT.glob("experiments/**/*.yaml")):
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


@pytest.mark.parametrize(("command", "word"), promises())
def test_ends_as_its_comment_says(command: str, word: str, tmp_path: Path) -> None:
    code, verdict, shown = gameday(command, tmp_path)
    assert code == CODES[word], (verdict["verdict"], verdict["summary"], shown)
    assert verdict["closed"]
    assert all(fault["undo"] in ("proven", "not-needed") for fault in verdict["faults"]), verdict["faults"]
    if word == "fails":
        assert verdict["reasons"] == ["broken"]
        assert re.search(r"\d+(%| s\b)|was \d+", verdict["summary"]), "the effect is stated in numbers"
        assert verdict["findings"]


def test_the_same_hypothesis_holds_of_a_system_that_runs_already(tmp_path: Path) -> None:
    """``your-own-url.yaml`` against a shop that nobody but this test has started."""
    ports = {"catalog": 18981, "payments": 18982, "worker": 18983, "front": 18980}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    through = "http://127.0.0.1:18992"
    pays = ["--payments", urls["payments"]]
    covered = ["--catalog", through, "--catalog-fallback", "cache", "--catalog-timeout", "300ms"]
    links = {"worker": pays, "front": [*pays, *covered, "--worker", urls["worker"]]}
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", f"gameday.shop.{name}", "--port", str(port), *links.get(name, [])],
            stderr=subprocess.DEVNULL,
        )
        for name, port in ports.items()
    ]
    try:
        variables = {
            "base_url": urls["front"],
            "path": "/products",
            "upstream": "127.0.0.1:18981",
            "listen": "127.0.0.1:18992",
            "rate": "100/s",
            "baseline": "5s",
            "fault": "6s",
            "recovery": "15s",
        }
        given = " ".join(f"--var {name}={value}" for name, value in variables.items())
        code, verdict, shown = gameday(f"run experiments/your-own-url.yaml {given}", tmp_path)
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(10)
    assert code == 0, (verdict["summary"], shown)
    assert verdict["faults"][0]["met"] > 0
