"""What the other verbs say of a Chaos Toolkit file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.chaos_files import action, experiment, probe, write
from tests.harness import Lab


def test_validate_and_plan_say_what_it_is_and_touch_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = write(tmp_path / "existing.json", experiment(tmp_path))
    valid = lab.run_verb("validate", str(path))
    assert (valid.code, valid.out) == (0, f"{path}: valid\n")
    plan = lab.run_verb("plan", str(path))
    assert plan.code == 0, plan.out + plan.err
    assert "a Chaos Toolkit experiment, at most 1h" in plan.out
    assert "make: tests.fakes.chaos_extension.switch_on" in plan.out
    assert not (tmp_path / "flag").exists()


def test_plan_refuses_what_could_never_be_carried_out(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = write(tmp_path / "existing.json", experiment(tmp_path, method=[action("a", "absent")]))
    plan = lab.run_verb("plan", str(path))
    assert plan.code == 3
    assert "does not expose a function called 'absent'" in plan.out


@pytest.mark.long
def test_check_evaluates_the_hypothesis_and_does_nothing_else(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = write(tmp_path / "existing.json", experiment(tmp_path))
    steady = lab.run_verb("check", str(path), "--format", "json")
    assert (steady.code, json.loads(steady.out)["passed"]) == (0, True), steady.err
    unmet = {"title": "h", "probes": [probe("p", "is_on", path="/absent")]}
    write(path, experiment(tmp_path, **{"steady-state-hypothesis": unmet}))
    other = lab.run_verb("check", str(path), "--format", "json")
    assert (other.code, json.loads(other.out)["why"]) == (3, "its hypothesis is not met")
    assert not (tmp_path / "flag").exists()
