"""What goes wrong at an API server, for every driver that changes or makes an object: never a false deed, never a lost state."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, NoTargetError, World
from gameday.testing import eventually
from gameday_drivers.kube.api import REQUEST_SECONDS
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.marks import KINDS, take_back
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.target import RUN
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import DEPLOYMENTS, NAMESPACES, Resource, merged

WORLD, OTHER = World(run_id="r-1", fault="f"), World(run_id="r-2", fault="f")
BOOM, SLOW_DOWN = ApiError(500, "InternalError", "boom"), ApiError(429, "TooManyRequests", "slow down")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
Where = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One driver, and what in the cluster it is about."""

    make: Callable[[Where], Driver]
    nothing: Callable[[Where], Driver]
    """The same, aimed at what is not there."""
    right: tuple[str, str]
    """A verb and a resource that it needs to act."""
    object: tuple[Resource, str] | None
    """What it changes; None for what it makes anew."""


CASES = {
    "bad-image": Case(
        make=lambda where: BadImage(**where, deployment="web"),
        nothing=lambda where: BadImage(**where, deployment="nope"),
        right=("patch", "deployments"),
        object=(DEPLOYMENTS, "web"),
    ),
}
EDITING = {name: case for name, case in CASES.items() if case.object}


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube(start_seconds=0.0) as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: kube.store.get(DEPLOYMENTS, "shop", "web")["status"].get("availableReplicas") == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> Where:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}


def state(kube: FakeKube) -> dict[str, Any]:
    """Everything of the namespace that a fault could change, without what changes by itself."""
    kept: dict[str, Any] = {}
    for (res, ns, name), found in list(kube.store.objects.items()):
        if ns == "shop" and res[2] not in ("pods", "replicasets"):
            meta: dict[str, Any] = {key: found["metadata"].get(key) or {} for key in ("annotations", "labels", "uid")}
            kept[f"{res[2]}/{name}"] = {**{k: v for k, v in found.items() if k in ("spec", "data")}, **meta}
    return dict(json.loads(json.dumps(kept)))


def writes(kube: FakeKube) -> list[str]:
    return [f"{method} {path}" for method, path, _ in kube.requests if method in WRITES and "reviews" not in path]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
class TestEach:
    def test_there_and_back(self, case: Case, kube: FakeKube, where: Where) -> None:
        before, driver = state(kube), case.make(where)
        plan = driver.plan(WORLD)
        assert writes(kube) == []
        driver.inject(plan, WORLD)
        assert state(kube) != before
        driver.revert(plan, WORLD)
        driver.revert(plan, WORLD)
        assert state(kube) == before
        assert not driver.active(plan, WORLD)

    def test_what_is_not_allowed_is_asked_before_anything_is_touched(
        self, case: Case, kube: FakeKube, where: Where
    ) -> None:
        kube.denied.add(case.right)
        with pytest.raises(DriverError, match=f"may not {case.right[0]} {case.right[1]}") as raised:
            case.make(where).plan(WORLD)
        assert f"resources: [{case.right[1]}], verbs: [{case.right[0]}]" in raised.value.hint
        assert writes(kube) == []

    def test_nothing_there_is_an_error(self, case: Case, kube: FakeKube, where: Where) -> None:
        with pytest.raises(NoTargetError):
            case.nothing(where).plan(WORLD)
        with pytest.raises(NoTargetError):
            case.make({**where, "namespace": "nowhere"}).plan(WORLD)
        assert writes(kube) == []

    def test_every_write_may_fail_and_all_is_as_before(self, case: Case, kube: FakeKube, where: Where) -> None:
        """The first write of inject answers 500, then the second one, and so on, until it gets through."""
        driver, before = case.make(where), state(kube)
        plan = driver.plan(WORLD)
        for fails in range(5):
            if _inject_with_failure(kube, driver, plan, fails):
                assert fails > 0, "it wrote nothing"
                return
            driver.revert(plan, WORLD)
            assert not driver.active(plan, WORLD)
            assert state(kube) == before
        pytest.fail("it never got through")

    def test_a_revert_that_is_refused_is_not_done_and_can_be_repeated(
        self, case: Case, kube: FakeKube, where: Where
    ) -> None:
        driver, before = case.make(where), state(kube)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        kube.faults.append(lambda method, path: SLOW_DOWN if method in WRITES and "reviews" not in path else None)
        with pytest.raises(DriverError, match="answers 429"):
            driver.revert(plan, WORLD)
        assert driver.active(plan, WORLD)
        kube.faults.clear()
        driver.revert(plan, WORLD)
        assert state(kube) == before

    def test_a_namespace_that_vanishes_needs_no_undo(self, case: Case, kube: FakeKube, where: Where) -> None:
        driver = case.make(where)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        kube.store.drop(NAMESPACES, None, "shop")
        driver.revert(plan, WORLD)
        assert not driver.active(plan, WORLD)

    def test_another_cluster_is_refused(self, case: Case, where: Where) -> None:
        driver = case.make(where)
        plan = driver.plan(WORLD)
        with FakeKube() as other:
            other.write_kubeconfig(Path(where["kubeconfig"]))
            for call in (driver.inject, driver.active, driver.revert):
                with pytest.raises(DriverError, match="it was planned for"):
                    call(plan, WORLD)
            assert other.requests == []


def _inject_with_failure(kube: FakeKube, driver: Driver, plan: Plan, fails: int) -> bool:
    """Let one write of inject fail, and say whether there was none to fail."""
    seen: list[str] = []

    def fault(method: str, path: str) -> ApiError | None:
        if method not in WRITES:
            return None
        seen.append(path)
        return BOOM if len(seen) == fails + 1 else None

    kube.faults.append(fault)
    try:
        driver.inject(plan, WORLD)
    except DriverError as error:
        assert "answers 500" in str(error)  # noqa: PT017 - the loop goes on
        return False
    finally:
        kube.faults.clear()
    return True


@pytest.mark.parametrize("case", EDITING.values(), ids=EDITING)
class TestEachThatChanges:
    def test_two_runs_do_not_undo_each_other(self, case: Case, kube: FakeKube, where: Where) -> None:
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

    def test_a_new_one_of_its_name_is_not_touched(self, case: Case, kube: FakeKube, where: Where) -> None:
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

    def test_it_is_undone_from_its_own_annotations_too(self, case: Case, kube: FakeKube, where: Where) -> None:
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
        assert state(kube)[f"{res[2]}/{name}"] == before[f"{res[2]}/{name}"]
        driver.revert(plan, WORLD)
        assert state(kube) == before


def test_an_api_that_hangs_is_given_up_in_time(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    kube.faults.append(lambda _method, _path: 30.0)
    start = time.monotonic()
    with pytest.raises(DriverError, match=r"no answer from the API server .*: nothing within"):
        driver.revert(plan, WORLD)
    assert time.monotonic() - start < REQUEST_SECONDS + 1.5, "asked once, and not again"


def test_an_image_that_somebody_has_put_right_meanwhile_stays(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)

    def repair(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = "newer"

    kube.store.change(DEPLOYMENTS, "shop", "web", repair)
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    found = kube.store.get(DEPLOYMENTS, "shop", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "newer"
    assert not found["metadata"]["annotations"]


def test_a_change_between_plan_and_deed_stops_it(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    template = ("spec", "template", "spec")
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda new: new[template[0]][template[1]][template[2]].update(
        containers=[{"name": "c", "image": "v2"}]))  # fmt: skip
    with pytest.raises(DriverError, match="was changed by somebody else since it was planned"):
        driver.inject(plan, WORLD)
    assert writes(kube) == []


def test_several_containers_need_a_name(kube: FakeKube, where: Where) -> None:
    def two(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "s"})

    kube.store.change(DEPLOYMENTS, "shop", "web", two)
    with pytest.raises(NoTargetError, match="several containers: name one; there are c, side"):
        BadImage(**where, deployment="web").plan(WORLD)
    with pytest.raises(NoTargetError, match="no container x; there are c, side"):
        BadImage(**where, deployment="web", container="x").plan(WORLD)
    driver = BadImage(**where, deployment="web", container="side")
    assert "(image of side: s to registry.invalid" in driver.plan(WORLD).targets[0]


def test_a_paused_or_rolling_deployment_is_refused(kube: FakeKube, where: Where) -> None:
    restart = RestartRollout(**where, deployment="web")
    bad = BadImage(**where, deployment="web")
    plan = bad.plan(WORLD)
    bad.inject(plan, WORLD)
    bad.revert(plan, WORLD)
    bad.inject(plan, WORLD)
    with pytest.raises(DriverError, match="changed by the run r-1 already"):
        restart.plan(WORLD)
    bad.revert(plan, WORLD)
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(paused=True))
    for driver in (bad, restart):
        with pytest.raises(DriverError, match="is paused"):
            driver.plan(WORLD)


def test_a_restart_that_does_not_get_through_says_how_far_it_came(kube: FakeKube, where: Where) -> None:
    driver = RestartRollout(**where, deployment="web", within=1000)
    plan = driver.plan(WORLD)
    for node in ("node1", "node2"):
        kube.store.change(("", "v1", "nodes"), None, node, lambda found: found["spec"].update(unschedulable=True))
    with pytest.raises(DriverError, match=r"not rolled out within 1 s: [01] of 3 pods are new, and 3 of"):
        driver.inject(plan, WORLD)
    assert not driver.active(plan, WORLD)
