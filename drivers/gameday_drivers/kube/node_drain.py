"""Drain nodes: cordon them, evict what runs there within its disruption budgets, and uncordon them whatever happened."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import DriverError, Recovery, World
from gameday_drivers.kube import nodes as known
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.evictions import WITHIN_HELP, await_gone, evict_all, still_there
from gameday_drivers.kube.node_cordon import NODES_HELP, SELECTOR_HELP, check_which
from gameday_drivers.kube.pods import BUDGETS, read_pod
from gameday_drivers.kube.successors import measure, replaced, workloads
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, SYSTEM, InCluster, check_namespace, marks, owner
from gameday_drivers.kube.victims import words

_MIRROR = "kubernetes.io/config.mirror"
"""Annotation of a pod that a kubelet shows of a file of its own: the API cannot end it (Kubernetes, "Static Pods")."""
_DONE = ("Succeeded", "Failed")
_SHOWN = 5
_SLACK_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainNodes(InCluster):
    """Cordon nodes and evict their pods, as for maintenance; afterwards they are uncordoned."""

    namespaces: tuple[str, ...] = field(
        metadata={"help": "whose pods may be evicted; a node with pods of others is refused, those of the system stay"}
    )
    nodes: tuple[str, ...] = field(default=(), metadata={"help": NODES_HELP})
    selector: str = field(default="", metadata={"help": SELECTOR_HELP})
    within: int = field(
        default=30_000, metadata={"unit": "duration", "min": 1_000, "max": 600_000, "help": WITHIN_HELP}
    )
    bare_pods: bool = field(default=False, metadata={"help": "evict pods that nothing starts again, too"})
    emptydir: bool = field(default=False, metadata={"help": "evict pods whose emptyDir data is lost thereby, too"})
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.node-drain"
    reversible = True
    provable = True
    revert_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_cluster()
        check_which(self.nodes, self.selector)
        if not self.namespaces:
            raise ValueError("namespaces is empty: name those whose pods may be evicted")
        for namespace in self.namespaces:
            check_namespace("namespaces", namespace)

    @property
    def inject_seconds(self) -> float:
        """What refusals and endings may take, and a few requests."""
        return self.within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Find the nodes and every pod that must go, by uid; DriverError for one that may not be evicted."""
        with connect(self.kubeconfig, self.context) as api:
            self._require(api)
            every = known.all_nodes(api)
            meant = known.wanted(api, every, self.nodes, self.selector)
            kept = known.free(api, meant, self.selector or self.nodes)
            going = [pod for node in kept for pod in self._evictable(api, node["name"])]
            pods = [_kept(pod) for pod in going]
            shown = [f"node {node['name']} {api.cluster.words}" for node in kept]
            shown += [f"pod {pod['metadata']['namespace']}/{words(read_pod(pod))} {api.cluster.words}" for pod in going]
            coming = [
                one
                for space in sorted({pod["namespace"] for pod in pods})
                for one in workloads(api, space, [read_pod(p) for p in going if p["metadata"]["namespace"] == space])
            ]
            undo = {
                "cluster": api.cluster.to_json(),
                "nodes": kept,
                "pods": pods,
                "workloads": coming,
                "owner": owner(world),
            }
        ready = sum(known.is_ready(node) and not known.is_cordoned(node) for node in every)
        return Plan(
            driver=self.name, targets=tuple(shown), undo=undo, ready=ready + len(pods), replaced=replaced(coming)
        )

    def _require(self, api: Api) -> None:
        cluster = [Need(verb=verb, resource="nodes") for verb in ("get", "list", "patch")]
        require(api, [*cluster, Need(verb="list", resource="pods")])
        inside = [Need(verb="create", resource="pods", subresource="eviction")]
        for namespace in self.namespaces:
            require(api, [*inside, Need(verb="list", resource=BUDGETS, group="policy")], namespace=namespace)

    def _evictable(self, api: Api, node: str) -> Iterator[Json]:
        """Yield the pods of a node that must go; those of daemon sets, kubelets and the system stay."""
        found = list(api.get("/api/v1/pods", {"fieldSelector": f"spec.nodeName={node}"})["items"])
        going = [pod for pod in found if not _stays(pod)]
        for said, why in (
            ("pods of namespaces that are not under namespaces", self._foreign),
            ("nothing starts these pods again (bare_pods: true evicts them)", self._bare),
            ("these pods have emptyDir data, which is lost (emptydir: true evicts them)", self._loses),
        ):
            if bad := [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in going if why(pod)]:
                more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
                raise DriverError(f"node {node} cannot be drained: {said}: {', '.join(bad[:_SHOWN])}{more}")
        yield from going

    def _foreign(self, pod: Json) -> bool:
        return pod["metadata"]["namespace"] not in self.namespaces

    def _bare(self, pod: Json) -> bool:
        return not self.bare_pods and _controller(pod) is None

    def _loses(self, pod: Json) -> bool:
        return not self.emptydir and any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())

    def inject(self, plan: Plan, world: World) -> None:
        """Cordon, evict, and return when every pod is gone; what fails midway leaves the cordon to the revert."""
        end, parent = time.monotonic() + self.within / 1000, os.getppid()
        with planned(plan.undo) as api:
            for node in plan.undo["nodes"]:
                known.cordon(api, node, marks(world, self.expires))
            evict_all(api, plan.undo["pods"], grace=None, end=end, alive=lambda: os.getppid() == parent)
            await_gone(api, plan.undo["pods"], end=end)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether the nodes are cordoned by us, and those very pods gone."""
        with planned(plan.undo) as api:
            if not known.cordoned_by(api, plan.undo["nodes"], plan.undo["owner"]):
                return False
            left = still_there(api, plan.undo["pods"])
        if left:
            raise DriverError(f"{len(left)} of {len(plan.undo['pods'])} pods are still there")
        return True

    def recovered(self, plan: Plan, world: World) -> Recovery:  # noqa: ARG002 - the interface
        """Measure how many of the evicted pods have others in their place that are ready, by uid."""
        with planned(plan.undo) as api:
            return measure(api, plan.undo["workloads"])

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Uncordon those nodes that have our marks; the evicted pods are elsewhere, and stay there."""
        with planned(plan.undo) as api:
            known.uncordon(api, plan.undo["nodes"], plan.undo["owner"])


def _kept(pod: Json) -> dict[str, str]:
    meta = pod["metadata"]
    return {**{key: str(meta[key]) for key in ("namespace", "name", "uid")}, "node": str(pod["spec"]["nodeName"])}


def _controller(pod: Json) -> str | None:
    owners: list[Any] = pod["metadata"].get("ownerReferences") or []
    return next((str(ref.get("kind")) for ref in owners if ref.get("controller")), None)


def _stays(pod: Json) -> bool:
    meta = pod["metadata"]
    notes: Json = meta.get("annotations") or {}
    done = pod.get("status", {}).get("phase") in _DONE
    system = str(meta["namespace"]).startswith(SYSTEM)
    return done or system or _MIRROR in notes or _controller(pod) == "DaemonSet" or bool(meta.get("deletionTimestamp"))
