"""The values of a Secret before a fault: nowhere but in Secrets, and never lost to a change that comes late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.spi import DriverError, Secrets, World
from gameday_drivers.kube.secret_drift import FENCE, DriftSecret
from gameday_drivers.kube.target import RUN
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import SECRETS, merged
from tests.fakes.kube.world import PASSWORD, b64, state, writes

WORLD = World(run_id="r-1", fault="f")


def test_a_value_of_a_secret_is_nowhere_but_in_secrets(kube: FakeKube, where: Where, tmp_path: Path) -> None:
    before, wrong = kube.store.get(SECRETS, "shop", "login")["data"], "hunter2-hunter2"
    world = World(run_id="r-1", fault="f", secrets=Secrets(values={"wrong": wrong}))
    driver = DriftSecret(**where, secret="login", set={"PASSWORD": "${wrong}"}, remove=("user",))
    plan = driver.plan(world)
    driver.inject(plan, world)
    found = kube.store.get(SECRETS, "shop", "login")
    assert found["data"] == {"PASSWORD": b64(wrong), "kept": b64("k")}
    assert driver.active(plan, WORLD), "without the secrets of the run, too"
    said = json.dumps([plan.to_json(), found["metadata"]])
    for value in (wrong, b64(wrong), PASSWORD, b64(PASSWORD), before["user"]):
        assert value not in said
    assert "(PASSWORD changed, user removed)" in plan.targets[0]
    (kept,) = [item for item in kube.store.list(SECRETS, "shop") if item["metadata"]["name"] != "login"]
    assert kept["data"] == {key: before[key] for key in ("PASSWORD", "user")}
    assert kept["metadata"]["annotations"][RUN] == "r-1"
    driver.revert(plan, WORLD)
    assert [item["data"] for item in kube.store.list(SECRETS, "shop")] == [before]


def test_a_lost_backup_is_a_failed_undo(kube: FakeKube, where: Where) -> None:
    driver = DriftSecret(**where, secret="login", set={"PASSWORD": "x"})
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.store.drop(SECRETS, "shop", plan.undo["backup"])
    with pytest.raises(DriverError, match=f"the Secret {plan.undo['backup']} that has its PASSWORD is gone"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD)


def test_a_change_that_is_on_its_way_when_its_sender_dies_never_lands(kube: FakeKube, where: Where) -> None:
    """The backup is made, the patch is sent, the sender is killed, the undo is done; only then does the server read the patch."""
    driver, before = DriftSecret(**where, secret="login", set={"PASSWORD": "x"}), state(kube)
    plan = driver.plan(WORLD)
    kube.faults.append(lambda method, _: ApiError(500, "InternalError", "boom") if method == "PATCH" else None)
    with pytest.raises(DriverError, match="answers 500"):
        driver.inject(plan, WORLD)
    kube.faults.clear()
    late = next(body for method, _, body in kube.requests if method == "PATCH")
    driver.revert(plan, WORLD)
    assert state(kube) == before
    with pytest.raises(ApiError) as refused:
        kube.store.update(SECRETS, "shop", "login", merged(kube.store.get(SECRETS, "shop", "login"), late))
    assert refused.value.code == 409
    assert state(kube) == before


def test_an_undo_that_was_cut_off_at_its_fence_is_finished(kube: FakeKube, where: Where) -> None:
    driver, before = DriftSecret(**where, secret="login", set={"PASSWORD": "x"}), state(kube)
    plan = driver.plan(WORLD)
    kube.faults.append(lambda method, _: ApiError(500, "InternalError", "boom") if method == "PATCH" else None)
    with pytest.raises(DriverError):
        driver.inject(plan, WORLD)
    kube.faults[:] = [
        lambda method, _: (
            ApiError(500, "InternalError", "boom") if method == "PATCH" and len(writes(kube)) > 3 else None
        )
    ]
    with pytest.raises(DriverError):
        driver.revert(plan, WORLD)
    assert FENCE in kube.store.get(SECRETS, "shop", "login")["metadata"]["annotations"]
    kube.faults.clear()
    driver.revert(plan, WORLD)
    assert state(kube) == before
