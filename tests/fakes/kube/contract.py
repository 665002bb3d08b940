"""The same questions to any API server, by the official client: what it answers is written down, one line for each.

A recording of a real server (1.34) is in tests/contract/kubernetes_recorded.txt, made with the same questions.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from gameday.testing import eventually

_SELECTORS = (
    "app=a", "app==a", "app!=a", "app", "!tier", "app in (a,b)", "app notin (a)", "app=a,tier=y", "app=a,tier notin (y)",
    "tier in (x),app", "nope=1", "app in a", "=x", "app=a,,tier=x",
)  # fmt: skip
_FIELDS = ("metadata.name=p1", "metadata.name!=p1", "status.phase=Nope", "foo.bar=1", "spec.nodeName=")
_WAIT_SECONDS = 40.0
_CONDITIONS = ("Ready", "ContainersReady", "PodScheduled", "Initialized")
Line = tuple[str, object]


_IMAGE = "localhost/pyapp:1"


def _pod(name: str, image: str = _IMAGE, **labels: str) -> dict[str, Any]:
    container = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent"}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container], "automountServiceAccountToken": False}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


class Questions:
    """Asks one cluster, in a namespace that it makes."""

    def __init__(self, kubeconfig: str, namespace: str, *, image: str = _IMAGE) -> None:
        kubernetes: Any = importlib.import_module("kubernetes")
        self._client, self._watch = kubernetes.client, kubernetes.watch
        self._api = kubernetes.config.new_client_from_config(kubeconfig)
        self._core, self._apps = self._client.CoreV1Api(self._api), self._client.AppsV1Api(self._api)
        self._namespace, self._image = namespace, image

    def answers(self) -> Iterator[str]:
        """Ask everything; yield ``question: answer``."""
        self._says(lambda: self._core.create_namespace({"metadata": {"name": self._namespace}}))
        for part in (self._selecting, self._creating, self._changing, self._controlling, self._evicting, self._ending):
            yield from (f"{key}: {value}" for key, value in part())

    def close(self) -> None:
        """Remove the namespace and every connection."""
        self._says(lambda: self._core.delete_namespace(self._namespace))
        self._api.close()

    def _says(self, call: Callable[[], object]) -> str:
        try:
            call()
        except self._client.exceptions.ApiException as error:
            try:
                return f"{error.status} {json.loads(error.body)['reason']}"
            except ValueError:
                return str(error.status)
        return "ok"

    def _names(self, **selector: str) -> list[str]:
        return sorted(pod.metadata.name for pod in self._core.list_namespaced_pod(self._namespace, **selector).items)

    def _selected(self, **selector: str) -> tuple[str, list[str]]:
        said = self._says(lambda: self._names(**selector))
        return said, self._names(**selector) if said == "ok" else []

    def _selecting(self) -> Iterator[Line]:
        for number, labels in enumerate(({"app": "a", "tier": "x"}, {"app": "a", "tier": "y"}, {"app": "b"})):
            self._core.create_namespaced_pod(self._namespace, _pod(f"p{number}", self._image, **labels))
        for selector in _SELECTORS:
            yield f"sel {selector}", self._selected(label_selector=selector)
        for selector in _FIELDS:
            said, names = self._selected(field_selector=selector)
            yield f"field {selector}", (said, "-" if selector == "spec.nodeName=" else names)

    def _creating(self) -> Iterator[Line]:
        core, ns = self._core, self._namespace
        spec = _pod("x")["spec"]
        yield "create twice", self._says(lambda: core.create_namespaced_pod(ns, _pod("p0")))
        yield "create in no ns", self._says(lambda: core.create_namespaced_pod("nons", _pod("p0")))
        yield "create no name", self._says(lambda: core.create_namespaced_pod(ns, {"spec": spec}))
        named = core.create_namespaced_pod(ns, {"metadata": {"generateName": "g-"}, "spec": spec}, dry_run="All")
        yield "generateName", named.metadata.name.startswith("g-")
        yield "dry-run not stored", len(self._names())
        yield "get missing", self._says(lambda: core.read_namespaced_pod("zz", ns))
        yield "delete missing", self._says(lambda: core.delete_namespaced_pod("zz", ns))
        yield "evict missing", self._evicted("zz")
        patch = {"metadata": {"labels": {"q": "1"}}}
        yield "patch missing", self._says(lambda: core.patch_namespaced_pod("zz", ns, patch))
        custom = self._client.CustomObjectsApi(self._api)
        yield "unknown kind", self._says(lambda: custom.list_namespaced_custom_object("no.io", "v1", ns, "things"))

    def _changing(self) -> Iterator[Line]:
        core, ns = self._core, self._namespace
        meta = core.read_namespaced_pod("p0", ns).metadata
        yield "has uid/rv/ts", (bool(meta.uid), bool(meta.resource_version), bool(meta.creation_timestamp))
        core.create_namespaced_config_map(ns, {"metadata": {"name": "cm"}, "data": {"k": "1"}})
        stale = core.read_namespaced_config_map("cm", ns)
        core.patch_namespaced_config_map("cm", ns, {"data": {"k": "2"}})
        stale.data = {"k": "3"}
        yield "stale put", self._says(lambda: core.replace_namespaced_config_map("cm", ns, stale))
        yield "value", core.read_namespaced_config_map("cm", ns).data
        patched = core.patch_namespaced_config_map("cm", ns, {"data": {"k": None, "z": "1"}})
        yield "patch null removes", patched.data

    def _deployment(self) -> Any:
        return self._apps.read_namespaced_deployment("d", self._namespace)

    def _are_ready(self, number: int) -> bool:
        return eventually(lambda: self._deployment().status.ready_replicas == number, _WAIT_SECONDS)

    def _controlling(self) -> Iterator[Line]:
        apps, ns = self._apps, self._namespace
        apps.create_namespaced_deployment(ns, _deployed("d", self._image))
        yield "ready", self._are_ready(2)
        d = self._deployment()
        yield (
            "gen",
            (d.metadata.generation, d.status.observed_generation, d.status.replicas, d.status.unavailable_replicas),
        )
        pod = self._core.list_namespaced_pod(ns, label_selector="app=d").items[0]
        yield "owner", [(owner.kind, owner.controller) for owner in pod.metadata.owner_references]
        yield "conds", sorted((c.type, c.status) for c in pod.status.conditions if c.type in _CONDITIONS)
        yield "scale get", apps.read_namespaced_deployment_scale("d", ns).spec.replicas
        scaled = apps.patch_namespaced_deployment_scale("d", ns, {"spec": {"replicas": 3}})
        yield "scale patch", scaled.spec.replicas
        yield "ready3", self._are_ready(3)
        yield "gen2", self._deployment().metadata.generation

    def _evicted(self, name: str, **more: str) -> str:
        ns = self._namespace
        eviction = {"kind": "Eviction", "metadata": {"name": name, "namespace": ns}}
        return self._says(lambda: self._core.create_namespaced_pod_eviction(name, ns, eviction, **more))

    def _evicting(self) -> Iterator[Line]:
        spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "d"}}}
        if self._protect("v1", spec) != "ok":  # before 1.21
            assert self._protect("v1beta1", spec) == "ok"
        names = self._names(label_selector="app=d")
        assert eventually(lambda: self._evicted(names[0], dry_run="All") == "ok", _WAIT_SECONDS)
        yield "evict dry", self._evicted(names[0], dry_run="All")
        yield "evict 1", self._evicted(names[0])
        yield "evict 2", self._evicted(names[1])
        yield "back", eventually(self._whole, _WAIT_SECONDS)

    def _protect(self, version: str, spec: dict[str, Any]) -> str:
        custom = self._client.CustomObjectsApi(self._api)
        budget = {
            "apiVersion": f"policy/{version}",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b"},
            "spec": spec,
        }
        where = ("policy", version, self._namespace, "poddisruptionbudgets")
        return self._says(lambda: custom.create_namespaced_custom_object(*where, budget))

    def _whole(self) -> bool:
        return self._deployment().status.ready_replicas == 3 and len(self._names(label_selector="app=d")) == 3

    def _ending(self) -> Iterator[Line]:
        core, ns = self._core, self._namespace
        name = self._names(label_selector="app=d")[0]
        gone = core.delete_namespaced_pod(name, ns, grace_period_seconds=1)
        yield "delete answers", (type(gone).__name__, bool(gone.metadata.deletion_timestamp))
        yield "terminating still readable", self._says(lambda: core.read_namespaced_pod(name, ns))
        missing = "404 NotFound"
        yield (
            "gone",
            eventually(lambda: self._says(lambda: core.read_namespaced_pod(name, ns)) == missing, _WAIT_SECONDS),
        )
        yield "ready again", self._are_ready(3)
        yield from self._watching()
        removed = self._says(
            lambda: core.delete_collection_namespaced_pod(ns, label_selector="app=a", grace_period_seconds=0)
        )
        yield "deletecollection", removed
        yield "left", eventually(lambda: not self._names(label_selector="app=a"), _WAIT_SECONDS)
        self._apps.delete_namespaced_deployment("d", ns)
        yield "gc", eventually(lambda: not self._names(label_selector="app=d"), _WAIT_SECONDS)
        for question, name, change in (
            ("bad replicas", "bad", {"replicas": -1}),
            ("selector mismatch", "bad2", {"selector": {"matchLabels": {"app": "other"}}}),
        ):
            made = _deployed(name, self._image)
            made["spec"] |= change
            yield question, self._says(lambda made=made: self._apps.create_namespaced_deployment(ns, made))  # type: ignore[misc]

    def _stream(self, **how: object) -> Iterator[str]:
        watch = self._watch.Watch()
        for event in watch.stream(self._core.list_namespaced_pod, self._namespace, **how):
            yield str(event["type"])

    def _watching(self) -> Iterator[Line]:
        core, ns = self._core, self._namespace
        found = core.list_namespaced_pod(ns, label_selector="app=d")
        victim, since = found.items[0].metadata.name, found.metadata.resource_version
        _later(lambda: core.delete_namespaced_pod(victim, ns, grace_period_seconds=0))
        got: list[str] = []
        for kind in self._stream(label_selector="app=d", resource_version=since, timeout_seconds=6):
            got.append(kind)
            if kind == "DELETED":
                break
        question = "watch from rv starts without ADDED of old"
        yield question, got[0] in ("MODIFIED", "DELETED") and got[-1] == "DELETED"
        _later(lambda: core.patch_namespaced_pod("p2", ns, {"metadata": {"labels": {"app": "zzz"}}}))
        kinds = self._stream(label_selector="app=b", timeout_seconds=1)
        yield "label leaves selector", [kind for kind in kinds if kind != "MODIFIED"]
        start = time.monotonic()
        list(self._stream(label_selector="none=1", timeout_seconds=1))
        yield "watch ends by timeoutSeconds", 0.8 < time.monotonic() - start < 2.5


def _later(call: Callable[[], object]) -> None:
    timer = threading.Timer(0.3, call)
    timer.daemon = True
    timer.start()


def _deployed(name: str, image: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": _pod("x", image)["spec"]}
    spec: dict[str, Any] = {"replicas": 2, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}
