"""What holds for every driver that changes an object: another run's change, a new object of its name, an undo without a plan."""

from __future__ import annotations

import pytest

from gameday.spi import DriverError, World
from gameday_drivers.kube.marks import KINDS, take_back
from gameday_drivers.kube.target import RUN
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Subject, Where
from tests.fakes.kube.store import merged
from tests.fakes.kube.subjects import FIELDS_CHANGED
from tests.fakes.kube.world import state, writes

WORLD, OTHER = World(run_id="r-1", fault="f"), World(run_id="r-2", fault="f")


@pytest.mark.parametrize("case", FIELDS_CHANGED.values(), ids=FIELDS_CHANGED)
class TestEachThatChanges:
    def test_two_runs_do_not_undo_each_other(self, case: Subject, kube: FakeKube, where: Where) -> None:
        driver = case.make(where)
        plan, elsewhere = driver.plan(WORLD), driver.plan(OTHER)
        driver.inject(plan, WORLD)
        on = state(kube)
        with pytest.raises(DriverError, match="changed by the run r-1 already"):
            driver.plan(OTHER)
        with pytest.raises(DriverError, match="changed by the run r-1 already"):
            driver.inject(elsewhere, OTHER)
        driver.revert(elsewhere, OTHER)
        assert state(kube) == on
        assert driver.active(plan, WORLD)
        driver.revert(plan, WORLD)

    def test_a_new_one_of_its_name_is_not_touched(self, case: Subject, kube: FakeKube, where: Where) -> None:
        assert case.object
        (res, name), driver = case.object, case.make(where)
        plan = driver.plan(WORLD)
        old = kube.store.get(res, "shop", name)
        kube.store.drop(res, "shop", name)
        kube.store.create(
            res, "shop", {key: old[key] for key in ("spec", "data") if key in old} | {"metadata": {"name": name}}
        )
        count = len(writes(kube))
        with pytest.raises(DriverError, match="gone, or another one has its name"):
            driver.inject(plan, WORLD)
        driver.revert(plan, WORLD)
        assert len(writes(kube)) == count

    def test_it_is_undone_from_its_own_annotations_too(self, case: Subject, kube: FakeKube, where: Where) -> None:
        """Another machine has no plan."""
        assert case.object
        (res, name), driver, before = case.object, case.make(where), state(kube)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        found = kube.store.get(res, "shop", name)
        assert found["metadata"]["annotations"][RUN] == "r-1"
        secrets = kube.store.list(("", "v1", "secrets"), "shop")
        kept = {secret["metadata"]["name"]: secret.get("data", {}) for secret in secrets}
        kind = next(kind for kind in KINDS if kind.resource == res[2])
        kube.store.update(res, "shop", name, merged(found, take_back(found, kind, kept)))
        assert state(kube)[f"{res[2]} shop/{name}"] == before[f"{res[2]} shop/{name}"]
        driver.revert(plan, WORLD)
        assert state(kube) == before
