"""Take processor time and memory on the node of a pod, by a pod of our own that ends by itself."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.marks import made
from gameday_drivers.kube.pods import path
from gameday_drivers.kube.target import is_ours, marks, owner, refuse_marked
from gameday_drivers.kube.victims import Victims

EXPIRES_MS = 600_000
_HEADROOM_MB = 32
"""What a shell needs beside the memory that it fills."""
_FILL = "dd if=/dev/zero of=/gameday/memory bs=1048576 count={mb} 2>/dev/null || exit 1; "
_SPIN = "n=0; while [ $n -lt {cpu} ]; do while :; do :; done & n=$((n+1)); done; "
_STAY = "touch /gameday/on; trap 'kill $(jobs -p); exit 0' TERM; sleep 2147483 & wait $!"
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_LOOK_SECONDS = 0.1
_SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StressNode(Victims):
    """Run a pod that takes processor time and memory on the node of each chosen pod; deleted afterwards."""

    cpu: int = field(default=0, metadata={"min": 0, "max": 256, "help": "cores that it keeps busy, at most"})
    memory_mb: int = field(default=0, metadata={"min": 0, "max": 1_048_576, "help": "MiB that it fills and holds"})
    image: str = field(default="busybox:1.36", metadata={"help": "an image with sh, dd, touch and sleep"})
    pull: str = field(default="IfNotPresent", metadata={"help": "its imagePullPolicy"})
    within: int = field(
        default=30_000,
        metadata={"unit": "duration", "min": 1_000, "max": 300_000, "help": "how long they may take to be ready"},
    )
    expires: int = field(
        default=EXPIRES_MS,
        metadata={"unit": "duration", "min": 10_000, "help": "when the kubelet ends it, whatever has become of us"},
    )

    name = "k8s.stress"
    reversible = True
    provable = True
    revert_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_victims()
        if not self.cpu and not self.memory_mb:
            raise ValueError("give cpu, memory_mb, or both: there is nothing that it would take")
        if self.pull not in ("IfNotPresent", "Always", "Never"):
            raise ValueError("pull is IfNotPresent, Always or Never")

    @property
    def inject_seconds(self) -> float:
        """What the image and the start may take, and a few requests."""
        return self.within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Choose the pods, and name the nodes that they are on: each gets one stressor."""
        needs = [Need(verb=verb, resource="pods") for verb in ("create", "delete", "get")]
        with connect(self.kubeconfig, self.context) as api:
            self.require_rights(api, *needs)
            victims, ready = self.choose(api, world)
            nodes = sorted({pod.node for pod in victims if pod.node})
            if not nodes:
                raise DriverError("the chosen pods are on no node yet")
            kept = [{"node": node, "pod": _pod_name(world, self.namespace, node)} for node in nodes]
            undo = {
                "cluster": api.cluster.to_json(),
                "namespace": self.namespace,
                "stressors": kept,
                "owner": owner(world),
            }
            what = " and ".join(
                [f"{self.cpu} cores"] * bool(self.cpu) + [f"{self.memory_mb} MiB"] * bool(self.memory_mb)
            )
            targets = tuple(
                f"node {node} ({what} taken by a pod in {self.namespace}) {api.cluster.words}" for node in nodes
            )
        return Plan(driver=self.name, targets=targets, undo=undo, ready=ready)

    def inject(self, plan: Plan, world: World) -> None:
        """Start them, and return when each is ready: its memory is full; DriverError with why one is not."""
        undo, end = plan.undo, time.monotonic() + self.within / 1000
        with planned(undo) as api:
            for one in undo["stressors"]:
                self._start(api, undo, one, world)
            for one in undo["stressors"]:
                while not _is_on(found := _ours(api, undo, one)):
                    if time.monotonic() >= end or (found and found["status"].get("phase") in ("Failed", "Succeeded")):
                        why = why_not_ready(found)
                        raise DriverError(f"the stressor on {one['node']} is not ready: {why}")
                    time.sleep(_LOOK_SECONDS)

    def _start(self, api: Api, undo: Json, one: Json, world: World) -> None:
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": one["pod"]}, "spec": self._spec(one["node"])}
        body["metadata"] = {
            "name": one["pod"],
            "labels": {"app.kubernetes.io/managed-by": "gameday"},
            "annotations": {**marks(world, self.expires), **made()},
        }
        try:
            api.create(path(undo["namespace"]), body)
        except KubeError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            found = api.find(path(undo["namespace"], one["pod"]))
            if found is not None and not is_ours(found, undo["owner"]):
                refuse_marked(found, f"pod {one['pod']}")
                raise DriverError(f"there is a pod {one['pod']} that is not of this run") from None

    def _spec(self, node: str) -> dict[str, Any]:
        """Bind it to the node itself: a stressor must not wait for a scheduler, and may go where others may not."""
        script = (_FILL.format(mb=self.memory_mb) if self.memory_mb else "") + (
            _SPIN.format(cpu=self.cpu) if self.cpu else ""
        )
        limits = {"cpu": str(self.cpu) if self.cpu else "100m", "memory": f"{self.memory_mb + _HEADROOM_MB}Mi"}
        container = {
            "name": "stressor",
            "image": self.image,
            "imagePullPolicy": self.pull,
            "command": ["/bin/sh", "-c", script + _STAY],
            "resources": {"limits": limits, "requests": {"cpu": "1m", "memory": "1Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "gameday", "mountPath": "/gameday"}],
            "readinessProbe": {"exec": {"command": ["test", "-e", "/gameday/on"]}, "periodSeconds": 1},
        }
        return {
            "nodeName": node,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": max(1, self.expires // 1000),
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "volumes": [{"name": "gameday", "emptyDir": {"medium": "Memory"}}],
            "containers": [container],
        }

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether our stressors are ready, all or none; DriverError when it is only some, or one is ending."""
        with planned(plan.undo) as api:
            found = [_ours(api, plan.undo, one) for one in plan.undo["stressors"]]
        on = sum(_is_on(pod) for pod in found)
        if on == len(found):
            return True
        there = sum(pod is not None for pod in found)
        if there:
            raise DriverError(f"{on} of {len(found)} stressors are ready, and {there} are there")
        return False

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Delete those very pods at once; what is gone is done, and what is not ours stays."""
        with planned(plan.undo) as api:
            for one in plan.undo["stressors"]:
                found = _ours(api, plan.undo, one)
                if found is None:
                    continue
                try:
                    api.delete(path(plan.undo["namespace"], one["pod"]), uid=found["metadata"]["uid"], grace=0)
                except KubeError as error:
                    if error.status not in _GONE:
                        raise


def _pod_name(world: World, namespace: str, node: str) -> str:
    parts = f"{world.run_id}/{world.fault}/{namespace}/{node}"
    return f"gameday-stress-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def _ours(api: Api, undo: Json, one: Json) -> Json | None:
    found = api.find(path(undo["namespace"], one["pod"]))
    return found if found is not None and is_ours(found, undo["owner"]) else None


def _is_on(pod: Json | None) -> bool:
    if pod is None or pod["metadata"].get("deletionTimestamp"):
        return False
    conditions: list[Json] = pod["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def why_not_ready(pod: Json | None) -> str:
    """Say what keeps a pod from being ready, as its status has it."""
    if pod is None:
        return "it is gone"
    status: Json = pod["status"]
    containers: list[Json] = status.get("containerStatuses") or []
    for one in containers:
        states: dict[str, Json] = one.get("state") or {}
        for state in states.values():
            if state.get("reason"):
                return f"{state['reason']}: {state.get('message', '')}".strip(": ")
    return str(status.get("reason") or status.get("message") or f"its phase is {status.get('phase')}")
