"""What controllers, scheduler and kubelets do: deployment, replica set, pods, a node for each, and Ready after a moment."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from dataclasses import dataclass

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

HASH = "pod-template-hash"
UNPULLABLE = ".invalid/"
"""An image from a registry of this top-level domain cannot be pulled (RFC 2606)."""
_CONDITIONS = ("PodScheduled", "Initialized", "ContainersReady", "Ready")


@dataclass(slots=True, kw_only=True)
class Pace:
    """How quick controllers and kubelets are."""

    start_seconds: float
    """From a pod's node to its readiness."""
    replaces: bool = True
    """Whether any pod is started, and any ended, for a deployment."""
    tells: bool = True
    """Whether the status of deployments follows; otherwise it stays as it was."""


def reconcile(store: Store, scheduled: dict[str, float], pace: Pace) -> None:
    """Take one step; ``scheduled`` is when (monotonic) each pod got its node, by uid."""
    with store.lock:
        for deployment in store.list(DEPLOYMENTS):
            _deployment(store, deployment, pace)
        for pod in store.list(PODS):
            if not is_going(pod):
                _pod(store, pod, scheduled, pace.start_seconds)
        for budget in store.list(BUDGETS):
            status = {
                "observedGeneration": budget["metadata"]["generation"],
                "disruptionsAllowed": store.allowed(budget),
            }
            if status != budget.get("status"):
                where, name = budget["metadata"]["namespace"], budget["metadata"]["name"]
                store.change(BUDGETS, where, name, lambda new, status=status: new.update(status=status))  # type: ignore[misc]


def _deployment(store: Store, deployment: Object, pace: Pace) -> None:
    namespace, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    template, want = deployment["spec"]["template"], deployment["spec"]["replicas"]
    code = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:9]
    sets = [item for item in store.list(REPLICASETS, namespace) if owned_by(item, deployment)]
    mine = next((item for item in sets if item["metadata"]["name"] == f"{name}-{code}"), None)
    mine = mine or _replica_set(store, deployment, code)
    if pace.replaces and not deployment["spec"].get("paused"):
        _roll(store, mine, [item for item in sets if item["metadata"]["name"] != mine["metadata"]["name"]], want)
    new, alive = _alive(store, mine), [pod for item in (*sets, mine) for pod in _alive(store, item)]
    alive = list({pod["metadata"]["uid"]: pod for pod in alive}.values())
    ready, wanted = sum(map(is_ready, alive)), max(want, len(alive))
    status: Object = {"observedGeneration": deployment["metadata"]["generation"], "replicas": len(alive)}
    status["updatedReplicas"] = len(new)
    status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    status |= {"unavailableReplicas": wanted - ready} if wanted > ready else {}
    if pace.tells and status != deployment["status"]:
        store.change(DEPLOYMENTS, namespace, name, lambda new: new.update(status=status))


def _alive(store: Store, replica_set: Object) -> list[Object]:
    pods = store.list(PODS, replica_set["metadata"]["namespace"])
    return [pod for pod in pods if owned_by(pod, replica_set) and not is_going(pod)]


def _roll(store: Store, mine: Object, others: list[Object], want: int) -> None:
    """Take one step of a rolling update: a quarter more (rounded up) and a quarter fewer (rounded down) than wanted, as by default."""
    old = [pod for item in others for pod in _alive(store, item)]
    surge = math.ceil(want / 4) if old else 0
    _pods(store, mine, min(want, max(0, want + surge - len(old))))
    ready = sum(map(is_ready, [*old, *_alive(store, mine)]))
    spare = ready - (want - want // 4)
    for pod in sorted(old, key=is_ready):
        if is_ready(pod) and spare <= 0:
            return
        spare -= is_ready(pod)
        store.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])


def _owner(found: Object) -> list[Object]:
    keys = {"apiVersion": found["apiVersion"], "kind": found["kind"]}
    return [{**keys, "name": found["metadata"]["name"], "uid": found["metadata"]["uid"], "controller": True}]


def _replica_set(store: Store, deployment: Object, code: str) -> Object:
    spec, name = deployment["spec"], f"{deployment['metadata']['name']}-{code}"
    template = copy.deepcopy(spec["template"])
    template["metadata"]["labels"] = {**template["metadata"]["labels"], HASH: code}
    meta = {"name": name, "labels": template["metadata"]["labels"], "ownerReferences": _owner(deployment)}
    made = {"metadata": meta, "spec": {"replicas": 0, "selector": spec["selector"], "template": template}}
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
    elif _is_new(pod) and time.monotonic() - scheduled.setdefault(uid, time.monotonic()) >= start_seconds:
        store.change(PODS, namespace, name, _wait if _unpullable(pod) else become_ready)


def _is_new(pod: Object) -> bool:
    return pod["status"]["phase"] == "Pending" and "containerStatuses" not in pod["status"]


def _unpullable(pod: Object) -> bool:
    return any(UNPULLABLE in container.get("image", "") for container in pod["spec"].get("containers", []))


def _wait(pod: Object) -> None:
    """A kubelet tries again and again, and says so: the phase stays Pending."""
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "failed to resolve reference"}}
    pod["status"]["conditions"] = [
        {"type": kind, "status": "True" if kind in ("PodScheduled", "Initialized") else "False"} for kind in _CONDITIONS
    ]
    pod["status"]["containerStatuses"] = [
        {
            "name": container["name"],
            "ready": False,
            "restartCount": 0,
            "image": container["image"],
            "imageID": "",
            "state": waiting if UNPULLABLE in container["image"] else {"running": {"startedAt": now()}},
        }
        for container in pod["spec"]["containers"]
    ]


def become_ready(pod: Object) -> None:
    """Let every container of a pod run, and be ready."""
    at, version = now(), int(pod["metadata"]["resourceVersion"])
    pod["status"] = {
        "phase": "Running",
        "startTime": at,
        "podIP": f"10.9.{version // 250 % 250}.{version % 250 + 1}",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": at} for kind in _CONDITIONS],
        "containerStatuses": [
            {
                "name": container["name"],
                "ready": True,
                "restartCount": 0,
                "image": container.get("image", ""),
                "imageID": "",
                "containerID": f"containerd://{pod['metadata']['uid']}-{container['name']}",
                "state": {"running": {"startedAt": at}},
            }
            for container in pod["spec"].get("containers", [])
        ],
    }
