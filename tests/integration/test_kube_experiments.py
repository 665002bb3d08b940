"""The experiments and fragments on Kubernetes that ship: each plans on the emulated API, names what it would touch, and touches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.registry import load_driver, load_probe
from gameday.schema.loader import Loaded, load_experiment
from gameday.spi import Driver, World
from gameday.testing import eventually
from tests.fakes.kube import FakeKube
from tests.fakes.kube.enforcing import needing
from tests.fakes.kube.store import BUDGETS, CONFIGMAPS

FOLDER = Path(__file__).resolve().parents[2] / "experiments/kubernetes"
EXPERIMENTS = sorted(FOLDER.glob("*.yaml"))
FRAGMENTS = sorted(FOLDER.glob("fragments/*.yaml"))
TARGETS = {
    "autoscale-lag": "horizontalpodautoscaler shop/web (does not scale up)",
    "config-drift": "configmap shop/settings (LEVEL removed)",
    "dependency-denied": "pod shop/web-",
    "node-drained": "node node1",
    "pod-killed": "pod shop/web-",
    "rollback-failure": "deployment shop/web (image of c: i to registry.invalid",
    "chaos-mesh-network-delay": "networkchaos.chaos-mesh.org shop/gameday-",
    "chaos-mesh-pod-failure": "podchaos.chaos-mesh.org shop/gameday-",
    "istio-abort": "virtualservices.networking.istio.io shop/gameday-",
    "istio-delay": "virtualservices.networking.istio.io shop/gameday-",
}


@pytest.fixture(scope="module")
def kube() -> Iterator[FakeKube]:
    with FakeKube(start_seconds=0.0) as kube:
        kube.deploy("web", 3)
        kube.deploy("payments", 1)
        kube.serve("payments")
        kube.autoscale("web")
        kube.chaos.install(kube.store)
        kube.store.create(CONFIGMAPS, "shop", {"metadata": {"name": "settings"}, "data": {"LEVEL": "info"}})
        kube.protect("web", 2)
        assert eventually(lambda: len(kube.ready("web")) == 3 and len(kube.ready("payments")) == 1)
        assert eventually(
            lambda: kube.store.get(BUDGETS, "shop", "web-budget").get("status", {}).get("disruptionsAllowed") == 1
        )
        yield kube


def drivers_of(loaded: Loaded) -> list[Driver]:
    return [load_driver(fault.do, fault.with_) for fault in loaded.experiment.faults]


def planned(loaded: Loaded) -> list[str]:
    """Plan every fault, as `gameday plan` does."""
    world = World(run_id="r-1", fault="f")
    return [target for driver in drivers_of(loaded) for target in driver.plan(world).targets]


def writes(kube: FakeKube) -> list[str]:
    return [
        path
        for method, path, _ in kube.requests
        if method != "GET" and "reviews" not in path and not path.endswith("?dryRun=All")
    ]


def load(kube: FakeKube, path: Path, folder: Path, **variables: str) -> Loaded:
    named = {"kubeconfig": kube.write_kubeconfig(folder / "kubeconfig"), "context": "fake", **variables}
    return load_experiment(
        path, variables=named, environ={}, drivers=load_driver, probes=load_probe, library=FOLDER.parent
    )


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_each_experiment_plans_and_touches_nothing(path: Path, kube: FakeKube, tmp_path: Path) -> None:
    with needing(kube, "web") as url:
        variables = {"asks_it": url} if path.stem == "dependency-denied" else {}
        targets = planned(load(kube, path, tmp_path, **variables))
    assert targets
    assert all(target.startswith((TARGETS[path.stem], "pod shop/")) and kube.url in target for target in targets)
    assert any(target.startswith(TARGETS[path.stem]) for target in targets)
    assert writes(kube) == []


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_each_fragment_plans_in_an_experiment_that_uses_it(path: Path, kube: FakeKube, tmp_path: Path) -> None:
    whole = (FOLDER / "rollback-failure.yaml").read_text()
    text = f"{whole[: whole.index('faults:')]}faults:\n  - use: library/kubernetes/fragments/{path.name}\n"
    file = tmp_path / "experiment.yaml"
    file.write_text(text)
    loaded = load(kube, file, tmp_path)
    (target,) = planned(loaded)
    assert target.startswith(TARGETS[path.stem])
    (driver,) = drivers_of(loaded)
    assert driver.provable != path.stem.startswith("istio"), "Istio says nothing of what it does"
    assert ("nothing but the undo ends it" in target) == path.stem.startswith("istio")


def test_there_is_one_for_each_usual_trouble() -> None:
    assert {path.stem for path in (*EXPERIMENTS, *FRAGMENTS)} == set(TARGETS)
