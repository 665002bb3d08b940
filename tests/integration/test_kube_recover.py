"""``gameday recover --kubernetes``: what a run left in a cluster is found and undone from any machine, without its journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gameday.cli.recover import recover as verb
from gameday.journal.writer import Journal
from gameday.spi import Driver, World
from gameday.testing import eventually
from gameday.undo import state
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.deployment_scale import ScaleDeployment
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.node_drain import DrainNodes
from gameday_drivers.kube.secret_drift import DriftSecret
from gameday_drivers.kube.target import EXPIRES, UNDO
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.chaos import POD_CHAOS
from tests.fakes.kube.store import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, KINDS, NODES, POLICIES, SECRETS

LOST = "20260101T000000Z-lost-1a2b"
Recover = Callable[..., Result]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake"}


@pytest.fixture
def recover(where: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recover:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))

    def call(*more: str) -> Result:
        place = ["--kubernetes", "--kubeconfig", where["kubeconfig"], "--context", "fake"]
        return CliRunner().invoke(verb, [*place, *more])

    return call


def left(where: Mapping[str, Any], run: str = LOST) -> None:
    """Make three faults and forget them, as a machine that was lost."""
    drivers: tuple[Driver, ...] = (
        ScaleDeployment(**where, namespace="shop", deployment="web"),
        DenyNetwork(**where, namespace="shop", selector="app=web"),
        DrainNodes(**where, namespaces=("shop",), nodes=("node1",)),
    )
    plans = [(driver, driver.plan(World(run_id=run, fault="f"))) for driver in drivers]
    for driver, plan in plans:
        if not isinstance(driver, DrainNodes):
            driver.inject(plan, World(run_id=run, fault="f"))
    drained = drivers[2]
    drained.inject(drained.plan(World(run_id=run, fault="f")), World(run_id=run, fault="f"))


def expire(kube: FakeKube) -> None:
    past = {EXPIRES: "2020-01-01T00:00:00Z"}
    for kind, namespace, name in ((DEPLOYMENTS, "shop", "web"), (NODES, None, "node1")):
        kube.store.change(kind, namespace, name, lambda found: found["metadata"]["annotations"].update(past))
    for policy in kube.store.list(POLICIES):
        name = policy["metadata"]["name"]
        kube.store.change(POLICIES, "shop", name, lambda found: found["metadata"]["annotations"].update(past))


def is_clean(kube: FakeKube) -> bool:
    notes: list[dict[str, str]] = [
        item["metadata"].get("annotations") or {} for kind in KINDS for item in kube.store.list(kind)
    ]
    marked = [key for has in notes for key in has if key.startswith("gameday.io/")]
    scaled = bool(kube.store.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 3)
    return scaled and not marked and not kube.store.get(NODES, None, "node1")["spec"].get("unschedulable")


def written(kube: FakeKube, undo: str) -> None:
    change = {UNDO: undo}
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["metadata"]["annotations"].update(change))


def test_what_has_expired_is_undone_and_nothing_is_left(
    kube: FakeKube, where: dict[str, Any], recover: Recover
) -> None:
    left(where)
    expire(kube)
    listed = recover("--dry-run")
    assert listed.exit_code == 5
    assert listed.output.splitlines()[:2] == [
        f"would undo node node1 (f of {LOST})",
        f"would undo deployment shop/web (f of {LOST})",
    ]
    assert "would undo network policy shop/gameday-" in listed.output
    assert not is_clean(kube)
    done = recover()
    assert (done.exit_code, done.output.count("proven gone")) == (0, 3), done.output
    assert is_clean(kube)
    assert eventually(lambda: len(kube.ready("web")) == 3)
    assert recover().output == "no run has left anything\n"


def test_what_has_not_expired_is_left_alone_unless_its_run_is_named_or_all(
    kube: FakeKube, where: dict[str, Any], recover: Recover
) -> None:
    left(where)
    kept = recover()
    assert (kept.exit_code, kept.output.count("left alone")) == (0, 3), kept.output
    assert "not expired (until 20" in kept.output
    assert recover("some-other-run").output == "nothing of this run is there\n"
    assert not is_clean(kube)
    assert recover(LOST).exit_code == 0
    assert is_clean(kube)
    assert eventually(lambda: len(kube.ready("web")) == 3)
    left(where, "r-2")
    assert recover("--all").exit_code == 0
    assert is_clean(kube)


def test_a_run_that_is_alive_here_is_left_alone_unless_forced(
    kube: FakeKube, where: dict[str, Any], recover: Recover, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / LOST
    folder.mkdir(parents=True)
    state.register_run(folder)
    journal = Journal.create(folder / "journal.ndjson")
    try:
        left(where)
        kept = recover(LOST)
        assert (kept.exit_code, kept.output.count("its run is alive here")) == (0, 3), kept.output
        assert not is_clean(kube)
        assert recover("--all", "--force").exit_code == 0
        assert is_clean(kube)
    finally:
        journal.close()


def test_only_the_named_namespaces_are_looked_at(kube: FakeKube, where: dict[str, Any], recover: Recover) -> None:
    left(where)
    assert recover("--all", "--namespace", "default").exit_code == 0
    assert kube.store.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 0
    assert recover("--all", "--namespace", "default", "--namespace", "shop").exit_code == 0
    assert is_clean(kube)


def test_where_nobody_may_look_something_may_be_left(kube: FakeKube, where: dict[str, Any], recover: Recover) -> None:
    left(where)
    kube.denied.add(("list", "nodes"))
    done = recover("--all")
    assert done.exit_code == 5
    assert done.output.startswith("DIRTY: nobody could look at nodes: the API server answers 403")
    kube.denied.clear()
    assert recover("--all").exit_code == 0
    assert is_clean(kube)


def test_one_that_cannot_be_undone_does_not_keep_the_others(
    kube: FakeKube, where: dict[str, Any], recover: Recover
) -> None:
    left(where)
    kube.faults.append(
        lambda method, path: ApiError(500, "InternalError", "boom") if (method, path[-3:]) == ("PATCH", "web") else None
    )
    done = recover("--all")
    assert (done.exit_code, done.output.count("proven gone")) == (5, 2), done.output
    assert done.output.startswith(f"DIRTY: deployment shop/web (f of {LOST}): the API server answers 500")
    kube.faults.clear()
    assert recover("--all").exit_code == 0
    assert is_clean(kube)


def test_an_annotation_that_somebody_has_written_undoes_nothing_that_no_fault_does(
    kube: FakeKube, where: dict[str, Any], recover: Recover
) -> None:
    left(where)
    forged = json.dumps({"changes": [{"path": ["spec", "selector"], "before": {}}]})
    for undo in (forged, json.dumps({"made": True}), "nonsense"):
        written(kube, undo)
        done = recover("--all")
        assert done.exit_code == 5, done.output
        assert kube.store.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--kubernetes", "--all"], "a cluster is always named"),
        (["--kubernetes", "--kubeconfig", "k", "--context", "c", "--all", "r"], "name one run, or say --all"),
        (["--all", "--namespace", "shop"], "go with --kubernetes"),
    ],
)
def test_what_makes_no_sense_is_a_mistake(given: list[str], words: str) -> None:
    said = CliRunner().invoke(verb, given)
    assert (said.exit_code, words in said.output) == (2, True)


def test_every_kind_of_change_is_found_and_undone(kube: FakeKube, where: dict[str, Any], recover: Recover) -> None:
    """ConfigMap, Secret with its backup, autoscaler, image, and a custom resource whose finalizer takes a moment."""
    kube.chaos.install(kube.store)
    kube.autoscale("web")
    kube.store.create(CONFIGMAPS, "shop", {"metadata": {"name": "settings"}, "data": {"LEVEL": "info"}})
    kube.store.create(SECRETS, "shop", {"metadata": {"name": "login"}, "data": {"PASSWORD": "b2xk"}})
    spec = {"action": "pod-failure", "mode": "all", "duration": "600s"}
    resource = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "PodChaos", "spec": spec}
    inside: dict[str, Any] = {**where, "namespace": "shop"}
    drivers: tuple[Driver, ...] = (
        DriftConfigMap(**inside, configmap="settings", set={"LEVEL": "debug"}),
        DriftSecret(**inside, secret="login", remove=("PASSWORD",)),
        FreezeAutoscaler(**inside, autoscaler="web"),
        BadImage(**inside, deployment="web"),
        CustomResource(**inside, resource=resource, proven_by={"condition": "AllInjected"}),
    )
    world = World(run_id=LOST, fault="f")
    plans = [(driver, driver.plan(world)) for driver in drivers]
    for driver, plan in plans:
        driver.inject(plan, world)
    done = recover(LOST)
    assert done.exit_code == 0, done.output
    assert not any(driver.active(plan, world) for driver, plan in plans)
    assert kube.store.get(CONFIGMAPS, "shop", "settings")["data"] == {"LEVEL": "info"}
    assert [item["data"] for item in kube.store.list(SECRETS, "shop")] == [{"PASSWORD": "b2xk"}]
    assert "behavior" not in kube.store.get(AUTOSCALERS, "shop", "web")["spec"]
    assert not kube.store.list(POD_CHAOS)
    assert "b2xk" not in done.output
