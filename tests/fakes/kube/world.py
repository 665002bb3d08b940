"""A cluster with something for every Kubernetes driver in it, and what of it must be as it was."""

from __future__ import annotations

import copy
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gameday.testing import eventually
from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.store import CONFIGMAPS, DEPLOYMENTS, PODS, REPLICASETS, SECRETS

PASSWORD = "correct horse battery"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
_BY_ITSELF = ("resourceVersion", "generation", "creationTimestamp", "managedFields")
SETTINGS = {"LEVEL": "info", "a.b": "c", "kept": "k"}


def b64(text: str) -> str:
    """Write a value as a Secret has it."""
    return b64encode(text.encode()).decode()


@contextmanager
def furnished(*, stop_seconds: float = 0.05) -> Generator[FakeKube]:
    """Yield a cluster with the app ``web``, its service, autoscaler, ConfigMap and Secret, and Chaos Mesh."""
    with FakeKube(start_seconds=0.0, stop_seconds=stop_seconds) as kube:
        kube.deploy("web", 3)
        kube.autoscale("web")
        kube.serve("web")
        kube.chaos.install(kube.store)
        kube.store.create(CONFIGMAPS, "shop", {"metadata": {"name": "settings"}, "data": dict(SETTINGS)})
        login = {"PASSWORD": b64(PASSWORD), "user": b64("shop"), "kept": b64("k")}
        kube.store.create(SECRETS, "shop", {"metadata": {"name": "login"}, "data": login})
        assert eventually(lambda: rests(kube))
        yield kube


def inside(kube: FakeKube, folder: Path) -> dict[str, Any]:
    """Write a kubeconfig, and return what every fault inside the namespace of the app is given."""
    return {"kubeconfig": kube.write_kubeconfig(folder / "kubeconfig"), "context": "fake", "namespace": "shop"}


def rests(kube: FakeKube) -> bool:
    """Whether the deployment is all there, and nothing is ending."""
    with kube.store.lock:
        web, pods = kube.store.get(DEPLOYMENTS, "shop", "web"), kube.store.list(PODS)
    status = web["status"]
    seen = {status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return seen == {len(pods)} == {3} and status.get("observedGeneration") == web["metadata"]["generation"]


def state(kube: FakeKube) -> dict[str, Any]:
    """Return every whole object but what changes by itself: versions, status, and the pods of a deployment."""
    with kube.store.lock:
        objects = copy.deepcopy(kube.store.objects)
    kept: dict[str, Any] = {}
    for (res, namespace, name), found in objects.items():
        if res == REPLICASETS or (res == PODS and not name.startswith("gameday-")):
            continue
        meta = {key: value for key, value in found["metadata"].items() if key not in _BY_ITSELF and value != {}}
        rest = {key: value for key, value in found.items() if key != "status" and value != {}}
        kept[f"{res[2]} {namespace}/{name}"] = {**rest, "metadata": meta}
    return kept


def writes(kube: FakeKube) -> list[str]:
    """Return the requests that change something: neither questions about rights nor dry runs."""
    return [
        f"{method} {path}"
        for method, path, _ in kube.requests
        if method in WRITES and not ("reviews" in path or path.endswith("?dryRun=All"))
    ]
