"""What controllers, scheduler and kubelets do: deployment, replica set, pods, a node for each, and Ready after a moment."""

from __future__ import annotations

import copy
import hashlib
import json
import time

from tests.fakes.kube.selection import Object
from tests.fakes.kube.store import (
    BUDGETS,
    DEPLOYMENTS,
    NODES,
    PODS,
    REPLICASETS,
    Store,
    is_going,
    is_ready,
    now,
    owned_by,
)

_CONDITIONS = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


def reconcile(store: Store, scheduled: dict[str, float], start_seconds: float) -> None:
    """Take one step; ``scheduled`` is when (monotonic) each pod got its node, by uid."""
    with store.lock:
        for deployment in store.list(DEPLOYMENTS):
            _deployment(store, deployment)
        for pod in store.list(PODS):
            if not is_going(pod):
                _pod(store, pod, scheduled, start_seconds)
        for budget in store.list(BUDGETS):
            status = {
                "observedGeneration": budget["metadata"]["generation"],
                "disruptionsAllowed": store.allowed(budget),
            }
            if status != budget.get("status"):
                where, name = budget["metadata"]["namespace"], budget["metadata"]["name"]
                store.change(BUDGETS, where, name, lambda new, status=status: new.update(status=status))  # type: ignore[misc]


def _deployment(store: Store, deployment: Object) -> None:
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    template, want = deployment["spec"]["template"], deployment["spec"]["replicas"]
    code = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
    sets = [item for item in store.list(REPLICASETS, namespace) if owned_by(item, deployment)]
    for old in [item for item in sets if item["metadata"]["name"] != f"{name}-{code}"]:
        store.delete(REPLICASETS, namespace, old["metadata"]["name"])
        sets.remove(old)
    mine = sets[0] if sets else _replica_set(store, deployment, f"{name}-{code}")
    _pods(store, mine, want)
    alive = [pod for pod in store.list(PODS, namespace) if owned_by(pod, mine) and not is_going(pod)]
    ready = sum(map(is_ready, alive))
    status: Object = {"observedGeneration": deployment["metadata"]["generation"], "replicas": len(alive)}
    status["updatedReplicas"] = len(alive)
    status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    status |= {"unavailableReplicas": want - ready} if want > ready else {}
    if status != deployment["status"]:
        store.change(DEPLOYMENTS, namespace, name, lambda new: new.update(status=status))


def _owner(found: Object) -> list[Object]:
    keys = {"apiVersion": found["apiVersion"], "kind": found["kind"]}
    return [{**keys, "name": found["metadata"]["name"], "uid": found["metadata"]["uid"], "controller": True}]


def _replica_set(store: Store, deployment: Object, name: str) -> Object:
    spec = deployment["spec"]
    meta = {"name": name, "labels": spec["template"]["metadata"]["labels"], "ownerReferences": _owner(deployment)}
    made = {"metadata": meta, "spec": {"replicas": 0, "selector": spec["selector"], "template": spec["template"]}}
    return store.create(REPLICASETS, deployment["metadata"]["namespace"], copy.deepcopy(made))


def _pods(store: Store, replica_set: Object, want: int) -> None:
    namespace = replica_set["metadata"]["namespace"]
    alive = [pod for pod in store.list(PODS, namespace) if owned_by(pod, replica_set) and not is_going(pod)]
    for _ in range(want - len(alive)):
        pod = copy.deepcopy(replica_set["spec"]["template"])
        pod["metadata"].update(generateName=replica_set["metadata"]["name"] + "-", ownerReferences=_owner(replica_set))
        store.create(PODS, namespace, pod)
    for pod in sorted(alive, key=is_ready)[: max(0, len(alive) - want)]:
        store.delete(PODS, namespace, pod["metadata"]["name"])


def _pod(store: Store, pod: Object, scheduled: dict[str, float], start_seconds: float) -> None:
    namespace, name, uid = (pod["metadata"][key] for key in ("namespace", "name", "uid"))
    if not pod["spec"].get("nodeName"):
        free = [node["metadata"]["name"] for node in store.list(NODES) if not node["spec"].get("unschedulable")]
        if free:
            used = [other["spec"].get("nodeName") for other in store.list(PODS)]
            node = min(free, key=used.count)
            scheduled[uid] = time.monotonic()
            store.change(PODS, namespace, name, lambda new: new["spec"].update(nodeName=node))
    elif pod["status"]["phase"] == "Pending" and time.monotonic() - scheduled[uid] >= start_seconds:
        store.change(PODS, namespace, name, _run)


def _run(pod: Object) -> None:
    at = now()
    pod["status"] = {
        "phase": "Running",
        "startTime": at,
        "podIP": "10.9.0.1",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": at} for kind in _CONDITIONS],
        "containerStatuses": [
            {
                "name": container["name"],
                "ready": True,
                "restartCount": 0,
                "image": container.get("image", ""),
                "imageID": "",
                "state": {"running": {"startedAt": at}},
            }
            for container in pod["spec"].get("containers", [])
        ],
    }
