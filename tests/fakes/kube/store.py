"""The objects of the emulated cluster: versions, optimistic locks, graceful deletion, garbage collection."""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, cast

from tests.fakes.kube.errors import ApiError
from tests.fakes.kube.selection import Object, fields_match, labels_match, selected_by

Resource = tuple[str, str, str]
"""API group, version, plural."""
Change = tuple[int, str, Resource, str | None, Object, Object | None]
"""Resource version, ADDED, MODIFIED or DELETED, what, namespace, the object after and before."""
PODS: Resource = ("", "v1", "pods")
NODES: Resource = ("", "v1", "nodes")
NAMESPACES: Resource = ("", "v1", "namespaces")
DEPLOYMENTS: Resource = ("apps", "v1", "deployments")
REPLICASETS: Resource = ("apps", "v1", "replicasets")
STATEFULSETS: Resource = ("apps", "v1", "statefulsets")
POLICIES: Resource = ("networking.k8s.io", "v1", "networkpolicies")
BUDGETS: Resource = ("policy", "v1", "poddisruptionbudgets")
CONFIGMAPS: Resource = ("", "v1", "configmaps")
SECRETS: Resource = ("", "v1", "secrets")
SERVICES: Resource = ("", "v1", "services")
EVENTS: Resource = ("", "v1", "events")
METRICS: Resource = ("metrics.k8s.io", "v1beta1", "pods")
AUTOSCALERS: Resource = ("autoscaling", "v2", "horizontalpodautoscalers")
KINDS: dict[Resource, str] = {
    PODS: "Pod",
    NODES: "Node",
    NAMESPACES: "Namespace",
    CONFIGMAPS: "ConfigMap",
    SECRETS: "Secret",
    SERVICES: "Service",
    EVENTS: "Event",
    METRICS: "PodMetrics",
    AUTOSCALERS: "HorizontalPodAutoscaler",
    DEPLOYMENTS: "Deployment",
    REPLICASETS: "ReplicaSet",
    STATEFULSETS: "StatefulSet",
    POLICIES: "NetworkPolicy",
    BUDGETS: "PodDisruptionBudget",
}
CLUSTER_WIDE: set[Resource] = {NODES, NAMESPACES, ("example.org", "v1", "clusterwidgets")}
_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp")


def now() -> str:
    """The current time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_ready(pod: Object) -> bool:
    """Whether a pod's condition Ready is True."""
    conditions: list[Object] | None = pod["status"].get("conditions")
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions or ())


def is_going(found: Object) -> bool:
    """Whether it is being deleted."""
    return "deletionTimestamp" in found["metadata"]


def merged(old: Object, patch: Object) -> Object:
    """Apply a JSON merge patch (RFC 7386)."""
    result = dict(old)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below: Any = result.get(key)
            inner = cast("Object", below) if isinstance(below, dict) else {}
            result[key] = merged(inner, cast("Object", value))
        else:
            result[key] = value
    return result


class Store:
    """Everything that is in the cluster; hold ``lock`` for more than one call."""

    def __init__(self, stop_seconds: float) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.kinds = dict(KINDS)
        """What is installed; a test adds custom resources."""
        self.ranges_of_ports = True
        """Whether policies know endPort: servers before 1.22 drop it without a word."""
        self.changes: list[Change] = []
        self.watchers: list[SimpleQueue[Change]] = []
        self.objects: dict[tuple[Resource, str | None, str], Object] = {}
        self._stop_seconds = stop_seconds

    def put(self, res: Resource, ns: str | None, name: str, found: Object, old: Object | None = None) -> Object:
        """Write an object as it is, in a new version, and tell who watches."""
        with self.lock:
            self.version += 1
            meta: Object = found.setdefault("metadata", {})
            meta.update(resourceVersion=str(self.version), name=name, **({"namespace": ns} if ns else {}))
            if old is None:
                meta.update(uid=str(uuid.uuid4()), creationTimestamp=now(), generation=1)
            elif old.get("spec") != found.get("spec"):
                meta["generation"] = old["metadata"].get("generation", 1) + 1
            found.setdefault("apiVersion", "/".join(filter(None, res[:2])))
            found.setdefault("kind", self.kinds[res])
            self.objects[res, ns, name] = found
            self._tell("MODIFIED" if old else "ADDED", res, ns, found, old)
            return found

    def _tell(self, kind: str, res: Resource, ns: str | None, found: Object, old: Object | None) -> None:
        change = (self.version, kind, res, ns, copy.deepcopy(found), copy.deepcopy(old))
        self.changes.append(change)
        for watcher in self.watchers:
            watcher.put(change)

    def get(self, res: Resource, ns: str | None, name: str) -> Object:
        """Return one object; ApiError 404."""
        with self.lock:
            found = self.objects.get((res, ns, name))
        if found is None:
            raise ApiError(404, "NotFound", f'{res[2]} "{name}" not found', name=name, kind=res[2])
        return found

    def list(self, res: Resource, ns: str | None = None, *, labels: str = "", fields: str = "") -> list[Object]:
        """Return what matches, by namespace and name."""
        with self.lock:
            found = sorted(self.objects.items(), key=lambda item: (item[0][1] or "", item[0][2]))
        mine = [item for (kind, where, _), item in found if kind == res and ns in (None, where)]
        labels_match(labels, {})
        fields_match(fields, {})
        return [item for item in mine if labels_match(labels, labels_of(item)) and fields_match(fields, item)]

    def create(self, res: Resource, ns: str | None, found: Object, *, dry: bool = False) -> Object:
        """Create as the API does: names, namespace, defaults, validation."""
        with self.lock:
            meta: Object = found.setdefault("metadata", {})
            if not meta.get("name"):
                if not meta.get("generateName"):
                    raise ApiError(422, "Invalid", "name or generateName is required")
                meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
            if ns:
                self.get(NAMESPACES, None, ns)
            if (res, ns, meta["name"]) in self.objects:
                raise ApiError(409, "AlreadyExists", f'{res[2]} "{meta["name"]}" already exists')
            _complete(res, found)
            if res == POLICIES and not self.ranges_of_ports:
                _drop_ranges(found)
            if dry:
                return merged(found, {"metadata": {"uid": str(uuid.uuid4()), "creationTimestamp": now()}})
            return self.put(res, ns, meta["name"], found)

    def update(self, res: Resource, ns: str | None, name: str, new: Object, *, dry: bool = False) -> Object:
        """Replace, unless ``new`` names another version or another uid; ApiError 409."""
        with self.lock:
            old = self.get(res, ns, name)
            for key in ("resourceVersion", "uid"):
                if new["metadata"].get(key) not in (None, "", old["metadata"][key]):
                    text = f'Operation cannot be fulfilled on {res[2]} "{name}": the object has been modified'
                    raise ApiError(409, "Conflict", text)
            if "status" in old:
                new["status"] = old["status"]
            new["metadata"].update({key: old["metadata"][key] for key in _KEPT if key in old["metadata"]})
            return new if dry else self.put(res, ns, name, new, old)

    def delete(
        self, res: Resource, ns: str | None, name: str, options: Object | None = None, *, dry: bool = False
    ) -> Object:
        """Delete, a pod gracefully; ApiError 409 when the precondition names another uid."""
        with self.lock:
            found, options = self.get(res, ns, name), options or {}
            preconditions: Object = options.get("preconditions") or {}
            if preconditions.get("uid") not in (None, found["metadata"]["uid"]):
                raise ApiError(409, "Conflict", f'{res[2]} "{name}": the UID in the precondition does not match')
            if dry:
                return found
            if found["metadata"].get("finalizers"):
                return found if is_going(found) else self._mark_going(res, ns, name, found)
            grace = options.get("gracePeriodSeconds")
            spec: Object = found.get("spec", {})
            grace = spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace
            if res == PODS and grace > 0 and found["spec"].get("nodeName"):
                return self._terminate(ns, name, found, grace)
            self.drop(res, ns, name)
            return found

    def _mark_going(self, res: Resource, ns: str | None, name: str, found: Object) -> Object:
        return self.put(res, ns, name, merged(found, {"metadata": {"deletionTimestamp": now()}}), found)

    def _terminate(self, ns: str | None, name: str, found: Object, grace: float) -> Object:
        if not is_going(found):
            marked = merged(found, {"metadata": {"deletionTimestamp": now(), "deletionGracePeriodSeconds": grace}})
            self.put(PODS, ns, name, marked, found)
            uid = found["metadata"]["uid"]
            timer = threading.Timer(min(self._stop_seconds, grace), self._gone, (ns, name, uid))
            timer.daemon = True
            timer.start()
        return self.objects[PODS, ns, name]

    def _gone(self, ns: str | None, name: str, uid: str) -> None:
        with self.lock:
            found = self.objects.get((PODS, ns, name))
            if found and found["metadata"]["uid"] == uid:
                self.drop(PODS, ns, name)

    def drop(self, res: Resource, ns: str | None, name: str) -> None:
        """Remove at once, and whatever it owns: background garbage collection."""
        with self.lock:
            found = self.objects.pop((res, ns, name))
            self.version += 1
            last = merged(found, {"metadata": {"resourceVersion": str(self.version)}})
            self._tell("DELETED", res, ns, last, last)
            for (kind, where, key), item in list(self.objects.items()):
                if (kind, where, key) not in self.objects:
                    continue
                inside = res == NAMESPACES and where == name
                if inside or owned_by(item, found):
                    self.delete(kind, where, key, {"gracePeriodSeconds": 0} if inside else None)

    def evict(self, ns: str, name: str, options: Object, *, dry: bool = False) -> Object:
        """Delete a pod unless a disruption budget forbids it; ApiError 429."""
        with self.lock:
            labels = labels_of(self.get(PODS, ns, name))
            for budget in self.list(BUDGETS, ns):
                if selected_by(budget["spec"]["selector"], labels) and self.allowed(budget) < 1:
                    text = "Cannot evict pod as it would violate the pod's disruption budget."
                    raise ApiError(429, "TooManyRequests", text, causes=[{"reason": "DisruptionBudget"}])
            self.delete(PODS, ns, name, options.get("deleteOptions"), dry=dry)
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def allowed(self, budget: Object) -> int:
        """How many more healthy pods a budget lets go."""
        spec, ns = budget["spec"], budget["metadata"]["namespace"]
        pods = [p for p in self.list(PODS, ns) if selected_by(spec["selector"], labels_of(p))]
        healthy = sum(is_ready(pod) and not is_going(pod) for pod in pods)
        least = spec["minAvailable"] if "minAvailable" in spec else len(pods) - spec["maxUnavailable"]
        return max(0, healthy - int(least))

    def change(self, res: Resource, ns: str | None, name: str, edit: Callable[[Object], None]) -> None:
        """Let a controller, or a test, edit a copy of one object, status included."""
        with self.lock:
            old = self.get(res, ns, name)
            new = copy.deepcopy(old)
            edit(new)
            self.put(res, ns, name, new, old)


def labels_of(found: Object) -> dict[str, str]:
    """An object's labels."""
    labels: dict[str, str] | None = found["metadata"].get("labels")
    return labels or {}


def owned_by(item: Object, owner: Object) -> bool:
    """Whether an object has another one among its owners."""
    uid = owner["metadata"]["uid"]
    owners: list[Object] | None = item["metadata"].get("ownerReferences")
    return any(ref.get("uid") == uid for ref in owners or ())


def _drop_ranges(found: Object) -> None:
    for rule in found["spec"].get("egress", []):
        for port in rule.get("ports", []):
            port.pop("endPort", None)


def _complete(res: Resource, found: Object) -> None:
    """Fill in what the API server fills in, and refuse what it refuses."""
    spec: Object = found.setdefault("spec", {}) if res in (PODS, DEPLOYMENTS, REPLICASETS) else {}
    if res == PODS:
        found["status"] = {"phase": "Pending", "conditions": []}
        spec.setdefault("terminationGracePeriodSeconds", 30)
    if res in (DEPLOYMENTS, REPLICASETS):
        found["status"] = {"replicas": 0} if res == REPLICASETS else {}
        if spec.setdefault("replicas", 1) < 0:
            raise ApiError(422, "Invalid", "spec.replicas: must be greater than or equal to 0")
        if not selected_by(spec["selector"], labels_of(spec["template"])):
            raise ApiError(422, "Invalid", "selector does not match template labels")
