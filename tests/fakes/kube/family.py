"""What the table of the Kubernetes drivers is made of: a driver, what it is about, and how the world shows its fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gameday.model import Plan
from gameday.spi import Driver
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.rollout_restart import RESTARTED
from tests.fakes.kube.chaos import NETWORK_CHAOS
from tests.fakes.kube.cluster import FakeKube
from tests.fakes.kube.store import (
    AUTOSCALERS,
    CONFIGMAPS,
    DEPLOYMENTS,
    NODES,
    PODS,
    POLICIES,
    SECRETS,
    Resource,
    is_going,
    is_ready,
)

Where = dict[str, Any]
"""``kubeconfig``, ``context`` and ``namespace``."""
DELAY: dict[str, Any] = {
    "apiVersion": "chaos-mesh.org/v1alpha1",
    "kind": "NetworkChaos",
    "spec": {
        "action": "delay",
        "mode": "all",
        "selector": {"labelSelectors": {"app": "web"}, "podPhaseSelectors": ("Running",)},
        "delay": {"latency": "200ms"},
        "duration": "60s",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One driver, aimed at what ``world.furnished`` has."""

    make: Callable[[Where], Driver]
    nothing: Callable[[Where], Driver]
    """The same, aimed at what is not there."""
    right: tuple[str, str]
    """A verb and a resource that it needs."""
    on: Callable[[FakeKube, Plan], bool]
    """Whether the whole fault is in force, looked at without the driver."""
    object: tuple[Resource, str] | None = None
    """What it changes; None for what it makes, or ends."""
    patient: bool = False
    """Whether it asks again after a 429 at its deed, as evictions do."""


def wide(where: Where) -> Where:
    """Return it for what is in no namespace."""
    return {key: value for key, value in where.items() if key != "namespace"}


def on_nodes(where: Where) -> Where:
    """Return it for a drain."""
    return {**wide(where), "namespaces": (where["namespace"],), "within": 2_000}


def dead(kube: FakeKube, plan: Plan) -> bool:
    """Whether every victim is gone, or ending."""
    live = {pod["metadata"]["uid"] for pod in kube.store.list(PODS) if not is_going(pod)}
    return not live & {str(one["uid"]) for one in plan.undo.get("victims", plan.undo.get("pods", ()))}


def restarted(kube: FakeKube, plan: Plan) -> bool:
    """Whether every victim's container is another one."""
    pods = {pod["metadata"]["uid"]: pod for pod in kube.store.list(PODS)}
    found = [(pods.get(one["uid"]), one["id"]) for one in plan.undo["victims"]]
    return all(pod is None or pod["status"]["containerStatuses"][0]["containerID"] != was for pod, was in found)


def replaced(kube: FakeKube, plan: Plan) -> bool:
    """Whether every live pod of the app is made from the template of the restart."""
    pods = [pod["metadata"] for pod in kube.store.list(PODS, "shop", labels="app=web") if not is_going(pod)]
    return bool(pods) and all(look(pod, ("annotations", RESTARTED)) == plan.undo["stamp"] for pod in pods)


def cordoned(kube: FakeKube, plan: Plan) -> bool:
    """Whether every node of the plan is."""
    nodes = [kube.store.get(NODES, None, node["name"]) for node in plan.undo["nodes"]]
    return all(bool(node["spec"].get("unschedulable")) for node in nodes)


def stressed(kube: FakeKube, plan: Plan) -> bool:
    """Whether every stressor is ready."""
    found = [kube.store.objects.get((PODS, "shop", one["pod"])) for one in plan.undo["stressors"]]
    return all(pod is not None and is_ready(pod) for pod in found)


def field(res: Resource, name: str, *steps: str) -> Callable[[FakeKube], Any]:
    """Return who looks at one field of an object, None where it is not there."""
    return lambda kube: look(kube.store.objects.get((res, "shop", name)) or {}, steps)


REPLICAS = field(DEPLOYMENTS, "web", "spec", "replicas")
CONTAINERS = field(DEPLOYMENTS, "web", "spec", "template", "spec", "containers")
SETTINGS, LOGIN = field(CONFIGMAPS, "settings", "data"), field(SECRETS, "login", "data")
SCALE_UP = field(AUTOSCALERS, "web", "spec", "behavior", "scaleUp", "selectPolicy")
LIMITS = field(AUTOSCALERS, "web", "spec")


def policy(kube: FakeKube, plan: Plan) -> bool:
    """Whether the policy of the plan is there."""
    return (POLICIES, "shop", plan.undo["policy"]) in kube.store.objects


def injected(kube: FakeKube, plan: Plan) -> bool:
    """Whether the controller has done what the custom resource says."""
    found = kube.store.objects.get((NETWORK_CHAOS, "shop", plan.undo["name"]))
    return bool(look(found or {}, ("metadata", "finalizers")))


def denies(right: tuple[str, str] = ("create", "networkpolicies"), **more: Any) -> Subject:
    """Return a subject that makes a policy."""
    nothing: dict[str, Any] = {**more, "to": "nope"} if "to" in more else more
    selector = "app=web" if "to" in more else "app=nope"
    return Subject(
        make=lambda where: DenyNetwork(**where, selector="app=web", **more),
        nothing=lambda where: DenyNetwork(**where, selector=selector, **nothing),
        right=right,
        on=policy,
    )
