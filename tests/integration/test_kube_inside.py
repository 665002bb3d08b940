"""Running from inside a cluster: manifests that the API's own models accept, and no right too many or too few."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from gameday.registry import load_driver, load_probe
from gameday.schema.loader import load_experiment
from gameday.spi import Driver, World
from gameday.testing import eventually
from gameday_drivers.kube.marks import KINDS
from tests.fakes.kube import FakeKube
from tests.fakes.kube.store import CONFIGMAPS, SECRETS

FOLDER = Path(__file__).resolve().parents[2] / "deploy/kubernetes"
MANIFESTS = sorted(
    path for path in FOLDER.glob("*/*.yaml") if path.name not in ("kustomization.yaml", "experiment.yaml")
)
PLACES = sorted(path.parent for path in FOLDER.glob("*/kustomization.yaml"))
CUSTOM = {
    "apiVersion": "chaos-mesh.org/v1alpha1",
    "kind": "NetworkChaos",
    "spec": {"action": "delay", "mode": "all", "duration": "60s"},
}
WITH: dict[str, dict[str, Any]] = {
    "k8s.bad-image": {"deployment": "web"},
    "k8s.configmap-drift": {"configmap": "settings", "remove": ["LEVEL"]},
    "k8s.container-kill": {"selector": "app=web", "container": "c"},
    "k8s.custom-resource": {"resource": CUSTOM},
    "k8s.deployment-scale": {"deployment": "web"},
    "k8s.dns-deny": {"selector": "app=web"},
    "k8s.hpa-freeze": {"autoscaler": "web"},
    "k8s.network-deny": {"selector": "app=web", "direction": "egress", "to": "web"},
    "k8s.pod-evict": {"selector": "app=web"},
    "k8s.pod-kill": {"selector": "app=web"},
    "k8s.rollout-restart": {"deployment": "web"},
    "k8s.secret-drift": {"secret": "login", "remove": ["PASSWORD"]},
    "k8s.stress": {"selector": "app=web", "cpu": 1},
}
"""What each driver of one namespace is given."""
SHIPPED = ("NetworkChaos", "PodChaos", "VirtualService")
"""Kinds of custom resources of which there are fragments."""
OF_NODES = ("k8s.node-cordon", "k8s.node-drain")
"""They need rights in the whole cluster, which the manifests do not give."""
Rights = set[tuple[str, str, str]]
"""API group, resource, verb."""


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube(start_seconds=0.0) as kube:
        kube.deploy("web", 3)
        kube.serve("web")
        kube.autoscale("web")
        kube.chaos.install(kube.store)
        kube.store.create(CONFIGMAPS, "shop", {"metadata": {"name": "settings"}, "data": {"LEVEL": "info"}})
        kube.store.create(SECRETS, "shop", {"metadata": {"name": "login"}, "data": {"PASSWORD": "b2xk"}})
        assert eventually(lambda: len(kube.ready("web")) == 3)
        yield kube


def read(path: Path) -> dict[str, Any]:
    loader = cast("Any", YAML(typ="safe"))
    return dict(json.loads(json.dumps(loader.load(path.read_text(encoding="utf-8")))))


def granted(path: Path) -> Rights:
    rules = read(path)["rules"]
    return {(g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}


def asked(kube: FakeKube) -> Rights:
    """What the preflights have asked for, in the namespace."""
    reviews = [body["spec"]["resourceAttributes"] for _, path, body in kube.requests if "accessreviews" in path]
    return {
        (r["group"], "/".join(filter(None, (r["resource"], r.get("subresource")))), r["verb"])
        for r in reviews
        if r.get("namespace")
    }


def for_recovery() -> tuple[Rights, Rights]:
    """What `recover --kubernetes` needs in a namespace, and in the cluster."""
    found: tuple[Rights, Rights] = (set(), set())
    for kind in KINDS:
        verbs = ["get", "list", *["patch"] * bool(kind.places), *["delete"] * bool(kind.prefix)]
        found[not kind.namespaced].update((kind.group, kind.resource, verb) for verb in verbs)
    return found


PROBES: Rights = {
    ("", "events", "list"),
    ("metrics.k8s.io", "pods", "list"),
}
WHERE_ALLOWED: Rights = {("apps", "replicasets", "get"), ("apps", "statefulsets", "get")}
"""What is read of workloads after a loss, and never asked for beforehand."""


def test_the_role_is_what_the_drivers_ask_for_and_nothing_else(kube: FakeKube, tmp_path: Path) -> None:
    names = {point.name for point in entry_points(group="gameday.drivers") if point.name.startswith("k8s.")}
    where = {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}
    assert names == {*WITH, *OF_NODES}
    for name, given in WITH.items():
        driver: Driver = load_driver(name, {**where, **given})
        driver.plan(World(run_id="r", fault=name))
    for kind in SHIPPED:
        istio = {"apiVersion": "networking.istio.io/v1"} if kind == "VirtualService" else {}
        resource = {**CUSTOM, **istio, "kind": kind}
        load_driver("k8s.custom-resource", {**where, "resource": resource}).plan(World(run_id="r", fault=kind))
    inside, cluster = for_recovery()
    assert granted(FOLDER / "base/role.yaml") == asked(kube) | inside | PROBES | WHERE_ALLOWED
    assert granted(FOLDER / "recover/cluster-role.yaml") == cluster


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_manifest_is_one_of_the_api(path: Path) -> None:
    """Read by the models of the official client and written again, nothing is lost: no member is misspelt."""
    client = cast("Any", importlib.import_module("kubernetes")).client.ApiClient()
    document = read(path)
    for part in (document, *document.get("items", ())):
        made = client._ApiClient__deserialize(part, f"V1{part['kind']}")
        assert client.sanitize_for_serialization(made) == part


@pytest.mark.parametrize("folder", PLACES, ids=lambda path: path.name)
def test_each_kustomization_names_what_is_there(folder: Path) -> None:
    said = read(folder / "kustomization.yaml")
    files = [file for made in said.get("configMapGenerator", ()) for file in made["files"]]
    assert all((folder / name).exists() for name in (*said["resources"], *files))
    mine = {path.name for path in folder.iterdir()} - {"kustomization.yaml"}
    assert mine == {name for name in (*said["resources"], *files) if not name.startswith("..")}
    pods = [manifest["spec"] for manifest in map(read, folder.glob("*job.yaml"))]
    for spec in pods:
        job = spec.get("jobTemplate", {}).get("spec", spec)
        assert job["backoffLimit"] == 0, "a lost run is recovered, not repeated"
        (container,) = job["template"]["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("name", ["once", "scheduled"])
def test_the_experiment_beside_a_manifest_is_valid(name: str) -> None:
    loaded = load_experiment(FOLDER / name / "experiment.yaml", environ={}, drivers=load_driver, probes=load_probe)
    (fault,) = loaded.experiment.faults
    assert fault.with_["kubeconfig"] == "/etc/gameday/kubeconfig"
    assert fault.with_["context"] == read(FOLDER / "base/kubeconfig")["contexts"][0]["name"]


def test_the_service_account_is_a_context_with_a_name(kube: FakeKube, tmp_path: Path) -> None:
    """The kubeconfig of the manifests, with another address and other files: its token is read, and sent."""
    (tmp_path / "token").write_text("t0ken-of-the-pod")
    text = (FOLDER / "base/kubeconfig").read_text()
    text = text.replace("https://kubernetes.default.svc", kube.url)
    text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount/token", str(tmp_path / "token"))
    text = text.replace("certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "")
    (tmp_path / "kubeconfig").write_text(text)
    where = {"kubeconfig": str(tmp_path / "kubeconfig"), "context": "here", "namespace": "shop"}
    load_driver("k8s.pod-kill", {**where, "selector": "app=web"}).plan(World(run_id="r"))
    assert kube.tokens == {"Bearer t0ken-of-the-pod"}
