"""The kill matrix over the cluster: a runner killed at every journalled point, over each mechanism, leaves every object as it was."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday.spi import World
from gameday.testing import parameters
from gameday.undo.selftest import POINTS, Kill, Point, kill_once
from gameday.undo.subjects import Maker, Subject
from tests.fakes.kube.subjects import UNDOABLE
from tests.fakes.kube.world import furnished, inside, state

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]
MECHANISMS = {
    "object created": "custom-resource",
    "field edited": "configmap-drift",
    "node edited": "node-cordon",
    "secret backup": "secret-drift",
}
AT_RECORDS = tuple(point for point in POINTS if point.signal == "SIGKILL" and not point.after_ms and not point.watchdog)
"""Where a record has just been written; what lies between, and the deaths of others, are in each driver's contract."""
WORKERS = 4


def maker(name: str) -> Maker:
    """Return who furnishes a cluster of its own for one death."""

    @contextmanager
    def make(folder: Path, run_id: str) -> Generator[Subject]:
        with furnished() as kube:
            driver, before = UNDOABLE[name].make(inside(kube, folder)), state(kube)

            def residue() -> str:
                now = state(kube)
                other = [key for key in {*before, *now} if before.get(key) != now.get(key)]
                return f"{sorted(other)} are not as before" if other else ""

            yield Subject(driver=driver.name, params=parameters(driver), world=World(run_id=run_id), residue=residue)

    return make


def die(job: tuple[str, Point]) -> Kill:
    name, point = job
    return kill_once(maker(MECHANISMS[name]), name, point)


def test_no_death_at_any_record_leaves_anything_in_the_cluster() -> None:
    assert {point.at for point in AT_RECORDS} >= {"planned", "armed", "inject-called", "injected", "active", "reverted"}
    jobs = [(name, point) for name in MECHANISMS for point in AT_RECORDS]
    with ThreadPoolExecutor(WORKERS) as pool:
        kills = list(pool.map(die, jobs))
    assert [kill for kill in kills if kill.left] == []
    assert len(kills) == len(MECHANISMS) * len(AT_RECORDS)
    undone = [kill.driver for kill in kills if kill.seconds is not None]
    assert set(undone) == set(MECHANISMS), "of each mechanism one was on its way, and undone"
