"""Several runs in a row: repeats, combinations of a matrix, a Ctrl-C in the middle, and what lost runs left."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Lab, Ran, await_true, switch

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]
SHORT = {"warmup": "200ms", "baseline": "1500ms", "recovery": "2500ms"}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def short(lab: Lab, **changes: Any) -> Path:
    quick: dict[str, Any] = {
        "phases": SHORT,
        "objectives": {"available": {"expect": "errors < 5%", "recover": {"within": "1s", "hold": "1s"}}},
        "faults": [{"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "at": "0s", "for": "1s"}}],
    }
    return lab.write({**lab.document(), **quick, **changes})


def folders(lab: Lab) -> list[Path]:
    return sorted(lab.runs.iterdir())


def plans(lab: Lab) -> list[dict[str, Any]]:
    return [json.loads((folder / "plan.json").read_text()) for folder in folders(lab)]


def test_repeats_of_a_matrix_are_runs_of_their_own_and_one_document(lab: Lab) -> None:
    path = short(lab, matrix={"kind": ["a", "b"]}, title="Survives ${kind} in ${run.id}")
    ran = lab.measured(path, "--repeat", "2", "--seed", "7", "--format", "json", timeout=120)
    found = json.loads(ran.out)
    assert ran.code == 0, ran.err
    assert [(row["variant"], row["passed"], row["runs"]) for row in found["repeats"]] == [
        ({"kind": "a"}, 2, 2),
        ({"kind": "b"}, 2, 2),
    ]
    assert [row["lower_bound"] for row in found["repeats"]] == [pytest.approx(0.2236, abs=1e-3)] * 2
    assert [verdict["verdict"] for verdict in found["verdicts"]] == ["pass"] * 4
    by_run = {plan["run_id"]: plan for plan in plans(lab)}
    assert len(by_run) == 4, "each has an id of its own"
    for verdict in found["verdicts"]:
        plan = by_run[verdict["run"]]
        assert verdict["title"] == f"Survives {plan['variant']['kind']} in {plan['run_id']}"
    assert sorted(plan["seed"] for plan in by_run.values()) == [7, 7, 8, 8]
    assert "run 2 of 4: " in ran.err
    assert "(kind=b)" in ran.err


def test_ctrl_c_ends_the_series_too(lab: Lab) -> None:
    with lab.started(short(lab), "--repeat", "3") as process:
        lab.await_event("active", when="proof")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=40) == 4
    assert len(folders(lab)) == 1
    assert "2 more runs not started" in lab.log()
    assert "0 of 3 passed; 2 not started" in lab.log()
    assert not (lab.folder / "harmless").exists()


def test_one_invalid_file_and_nothing_starts(lab: Lab, tmp_path: Path) -> None:
    good = short(lab)
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\n")
    ran = lab.run(good, str(bad))
    assert ran.code == 2
    assert "bad.yaml" in ran.err
    assert not lab.runs.exists()


def test_a_misspelt_variable_starts_nothing(lab: Lab) -> None:
    ran = lab.run(short(lab), "--var", "rat=5")
    assert ran.code == 2
    assert "no variable is called 'rat'" in ran.err
    assert not lab.runs.exists()


def left_behind(lab: Lab) -> Ran:
    """A run whose undo failed: the switch is still on."""
    stuck = {**switch(lab.folder, "stuck"), "undo": ["test", "-e", str(lab.folder / "allowed")]}
    path = short(lab, faults=[{"stuck": {"do": "command", "with": stuck, "at": "0s", "for": "1s"}}])
    ran = lab.measured(path, timeout=90)
    assert ran.code == 5, ran.err
    return ran


def test_a_run_refuses_what_a_lost_one_left_until_it_is_told_to_undo_it(lab: Lab) -> None:
    left_behind(lab)
    path = lab.folder / "experiment.yaml"
    refused = lab.run(path)
    assert refused.code == 3
    assert refused.reasons == ["residue"]
    assert "gameday recover" in refused.out
    kept = lab.measured(path, "--after-recover", timeout=90)
    assert kept.code == 5, "what cannot be undone stops it"
    assert "DIRTY" in kept.err
    await_true((lab.folder / "stuck").exists, 1, "still on")
    assert len(folders(lab)) == 2, "and it did not start"
