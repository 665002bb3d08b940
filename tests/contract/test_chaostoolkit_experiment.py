"""A whole Chaos Toolkit experiment keeps the laws of a fault: its rollbacks are its undo, whoever has to play them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from gameday.spi import Driver, DriverError, World
from gameday.testing import DriverContract
from gameday_drivers.chaostoolkit_experiment import ChaosToolkitExperiment
from tests.fakes.chaos_files import action, experiment, write

pytestmark = pytest.mark.long


class TestChaosToolkitExperiment(DriverContract):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Driver:
        steps = [action("make", "switch_on", path=str(tmp_path / "flag")), action("hold", "sleep", seconds=60)]
        return ChaosToolkitExperiment(file=str(write(tmp_path / "held.json", experiment(tmp_path, method=steps))))

    @pytest.fixture
    def world(self, tmp_path: Path) -> World:
        (tmp_path / "kept").mkdir()
        return World(run_id=f"contract-{uuid.uuid4().hex[:12]}", folder=str(tmp_path / "kept"))


def test_what_it_would_do_is_named_action_by_action(tmp_path: Path) -> None:
    document = experiment(tmp_path, method=[action("make", "switch_on", path="/x"), {"ref": "steady"}])
    plan = ChaosToolkitExperiment(file=str(write(tmp_path / "a.json", document))).plan(World(run_id="r"))
    assert plan.targets == ("make: tests.fakes.chaos_extension.switch_on(path='/x')",)
    assert plan.undo["rollbacks"] == ["remove"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": [action("a", "absent")]}, "does not expose a function called 'absent'"),
        ({"title": ""}, "requires a title"),
        ({"method": None}, "requires a method|no Chaos Toolkit experiment"),
    ],
)
def test_what_chaos_toolkit_would_refuse_is_refused_when_it_is_planned(
    changes: dict[str, object], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json", {**experiment(tmp_path), **changes})
    with pytest.raises(DriverError, match=words):
        ChaosToolkitExperiment(file=str(path)).plan(World(run_id="r"))


def test_an_experiment_that_has_changed_since_is_not_begun(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", experiment(tmp_path))
    driver, world = ChaosToolkitExperiment(file=str(path)), World(run_id="r", folder=str(tmp_path))
    plan = driver.plan(world)
    path.write_text(json.dumps({**experiment(tmp_path), "title": "another"}))
    with pytest.raises(DriverError, match="has changed since it was planned"):
        driver.inject(plan, world)
    assert not driver.active(plan, world)
