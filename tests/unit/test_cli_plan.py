"""plan: everything about a run, and nothing started, contacted or written."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gameday.cli.outlook_text import text
from gameday.cli.plan import plan
from gameday.schema.loader import load_experiment
from gameday.undo.state import press
from tests.fakes.cli_files import VALID, run_folder, write

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))


def call(*words: object) -> Result:
    return CliRunner().invoke(plan, [str(word) for word in words])


def document(*words: object, code: int = 0) -> dict[str, Any]:
    done = call(*words, "--format", "json")
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.yaml")


def output(tmp_path: Path) -> tuple[str, str]:
    return "--output", str(tmp_path / "runs")


def test_it_says_what_a_run_would_be(file: Path, tmp_path: Path) -> None:
    found = document(file, *output(tmp_path))
    assert found["schema"] == "gameday/outlook/1"
    assert [(p["name"], p["from_ms"], p["to_ms"], p["offered"]) for p in found["phases"]] == [
        ("warmup", 0, 1000, 100),
        ("baseline", 1000, 11_000, 1000),
        ("fault", 11_000, 21_000, 1000),
        ("recovery", 21_000, 41_000, 2000),
    ]
    [fault] = found["faults"]
    assert fault["targets"] == ["touch x"]
    assert fault["max_ms"] == 10_000 + 2 * 11_000
    assert [(row["death"], row["gone"]) for row in fault["survives"]] == [
        ("runner killed", True),
        ("runner hung", True),
        ("watchdog killed too", False),
        ("machine rebooted", False),
    ]
    assert found["refusals"] == []
    assert found["chance"] > 0.99
    assert found["earlier"] is None
    assert not (tmp_path / "runs").exists(), "nothing is written"


def test_people_read_it_in_a_hundred_columns(file: Path, tmp_path: Path) -> None:
    done = call(file, *output(tmp_path))
    assert done.exit_code == 0
    drawing = done.stdout.splitlines()
    assert all(len(line) <= 120 for line in drawing)
    for part in ("warm", "baseline", "flip", "████", "if a quarter of each budget is used", f"gameday run {file}"):
        assert part in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("width", [1, 40, 79, 200])
def test_any_width_will_do(file: Path, tmp_path: Path, width: int) -> None:
    assert "baseline" in text(document(file, *output(tmp_path)), load_experiment(file).experiment, width)


def test_what_a_run_starts_itself_is_known_by_name(tmp_path: Path) -> None:
    found = document(ROOT / "experiments/process/worker-killed.yaml", *output(tmp_path))
    targets = {fault["name"]: fault["targets"] for fault in found["faults"]}
    assert targets["worker-killed"] == ["worker"]
    assert targets["payments-down"][0].startswith("proxy payments (127.0.0.1:")
    assert found["system"] == ["catalog", "payments", "worker", "front"]
    assert found["faults"][1]["survives"] == [], "nothing brings a killed process back"


def test_an_invalid_file_is_told_at_its_place(tmp_path: Path) -> None:
    done = call(write(tmp_path / "bad.yaml", objectives={"a": {"expect": "errors < 5"}}))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "bad.yaml:" in done.stderr


def test_one_invalid_file_among_many_and_nothing_is_said_of_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml")
    write(tmp_path / "b.yaml", faults=[])
    done = call(tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")


def test_what_can_never_be_proven_is_refused(tmp_path: Path) -> None:
    load = {**VALID["load"], "rate": "20/s"}
    faults = [{"flip": {"do": "command", "with": {"run": ["true"], "undo": ["true"]}, "at": "0s", "for": "2s"}}]
    found = document(write(tmp_path / "slow.yaml", load=load, faults=faults), *output(tmp_path), code=3)
    assert found["refusals"][0]["reason"] == "too-few"
    assert "it takes 59" in found["refusals"][0]["detail"]
    assert "REFUSED (too-few)" in call(tmp_path / "slow.yaml", *output(tmp_path)).stdout


def test_a_target_that_is_not_there_is_refused(tmp_path: Path) -> None:
    faults = [
        {"gone": {"do": "process.pause", "with": {"match": "no-process-is-called-this-x9"}, "at": "0s", "for": "10s"}}
    ]
    found = document(write(tmp_path / "gone.yaml", faults=faults), *output(tmp_path), code=3)
    assert found["refusals"][0]["reason"] == "action-failed"
    assert "no process matches" in found["refusals"][0]["detail"]


def test_more_open_files_than_there_are_is_refused(tmp_path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    load = {**VALID["load"], "max_in_flight": most + 1}
    found = document(write(tmp_path / "wide.yaml", load=load), *output(tmp_path), code=3)
    assert found["refusals"][0]["reason"] == "load-generator"
    assert "ulimit" in found["refusals"][0]["detail"]


def test_a_missing_secret_is_named_and_the_rest_is_still_said(tmp_path: Path) -> None:
    load = {**VALID["load"], "headers": {"Authorization": "Bearer ${token}"}}
    variables = {"token": {"env": "NO_SUCH_VARIABLE_X9", "secret": True}}
    found = document(write(tmp_path / "secret.yaml", load=load, variables=variables), *output(tmp_path), code=3)
    assert "token" in found["refusals"][0]["detail"]
    assert found["faults"][0]["targets"] == ["touch x"]


def test_the_red_button_is_told(file: Path, tmp_path: Path) -> None:
    press("checkout is down for real")
    assert "gameday resume" in document(file, *output(tmp_path), code=3)["refusals"][0]["detail"]


def test_a_misspelt_variable_is_an_error(file: Path) -> None:
    done = call(file, "--var", "rat=5/s")
    assert done.exit_code == 2
    assert "rat" in done.stderr


def judged(share: float) -> dict[str, Any]:
    counts = {"criterion": "errors < 5%", "n": 1000, "k": round(1000 * share)}
    phases = {"baseline": {**counts, "k": 0}, "fault": counts}
    return {"objectives": [{"name": "available", "criteria": [{"phases": phases}]}]}


def earlier(runs: Path, name: str, share: float | None, **plan: Any) -> Path:
    folder = run_folder(runs, name, **plan)
    if share is not None:
        (folder / "verdict.json").write_text(json.dumps(judged(share)))
    return folder


def test_the_last_run_says_how_likely_the_next_is_to_pass(file: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    earlier(runs, "20260101T000000Z-mine-0001", 0.001)
    newest = earlier(runs, "20260301T000000Z-mine-0003", 0.04)
    earlier(runs, "20260401T000000Z-mine-0004", None)
    earlier(runs, "20260501T000000Z-other-0005", 0.5, experiment={"title": "Another"})
    (runs / "20260601T000000Z-damaged").mkdir()
    (runs / "20260601T000000Z-damaged" / "plan.json").write_text("[")
    found = document(file, "--output", runs)
    assert found["earlier"] == str(newest)
    fault = next(row for row in found["chances"] if row["phase"] == "fault")
    assert (fault["share"], fault["seen"]) == (0.04, True)
    assert fault["chance"] < 0.5
    [advice] = found["advice"]
    assert f"95% takes {fault['wanted']:,} requests: load.rate " in advice
    rate = float(advice.partition("load.rate ")[2].partition("/s")[0])
    load = {**VALID["load"], "rate": f"{rate:g}/s"}
    again = document(write(tmp_path / "mine.yaml", load=load), "--output", runs)
    assert again["chance"] >= 0.9, "what it advises is enough"


def test_the_very_file_says_more_than_its_title(file: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    same = earlier(runs, "20260101T000000Z-mine-0001", 0.01, digest=load_experiment(file).digest)
    earlier(runs, "20260301T000000Z-mine-0003", 0.04)
    assert document(file, "--output", runs)["earlier"] == str(same)


def test_a_run_beyond_its_budget_is_not_helped_by_load(file: Path, tmp_path: Path) -> None:
    earlier(tmp_path / "runs", "20260101T000000Z-mine-0001", 0.2)
    [advice] = document(file, *output(tmp_path))["advice"]
    assert "no amount of load" in advice


def test_each_combination_is_planned(tmp_path: Path) -> None:
    load = {**VALID["load"], "rate": "${rate}"}
    file = write(tmp_path / "matrix.yaml", matrix={"rate": ["50/s", "200/s"]}, load=load)
    done = call(file, *output(tmp_path), "--format", "json")
    found = json.loads(done.stdout)
    assert [(one["variant"], one["load"]["peak_rate"]) for one in found] == [
        ({"rate": "50/s"}, 50),
        ({"rate": "200/s"}, 200),
    ]


def test_stages_and_users_are_drawn(tmp_path: Path) -> None:
    stages = [{"rate": "20/s", "hold": "10s"}, {"rate": "200/s", "ramp": "10s", "hold": "5s"}]
    base = {key: value for key, value in VALID["load"].items() if key != "rate"}
    done = call(write(tmp_path / "stages.yaml", load={**base, "stages": stages}), *output(tmp_path))
    assert "200/s" in done.stdout
    assert "▁" in done.stdout
    done = call(write(tmp_path / "users.yaml", load={**base, "users": 7}), *output(tmp_path))
    assert "7 users" in done.stdout
    assert "closed model" in done.stdout
    assert "chances: not known" in done.stdout


def test_what_a_file_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    faults = [
        {"flip": {"do": "command", "with": {"run": ["echo", "\x1b[2J"], "undo": ["true"]}, "at": "0s", "for": "10s"}}
    ]
    done = call(write(tmp_path / "hostile.yaml", faults=faults), *output(tmp_path))
    assert "\x1b" not in done.stdout
