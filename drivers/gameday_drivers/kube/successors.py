"""Whether pods that were taken away have others in their place: by uid, readiness and the node's readiness, workload by workload.

What a workload's status says of its replicas is never read: for a moment after a kill it is from before (chaosk8s found a deployment
fully available 0.05 s after the delete). Pods are listed without a resourceVersion, which the API server answers from etcd
(Kubernetes, "The resourceVersion parameter": most recent).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import Recovery
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.nodes import NODES, is_ready
from gameday_drivers.kube.pods import Owner, Pod, all_pods, owner_of

_SETS, _DEPLOYMENT = "ReplicaSet", "Deployment"
_PLACES = {
    ("apps/v1", _DEPLOYMENT): "apis/apps/v1/namespaces/{}/deployments/{}",
    ("apps/v1", _SETS): "apis/apps/v1/namespaces/{}/replicasets/{}",
    ("apps/v1", "StatefulSet"): "apis/apps/v1/namespaces/{}/statefulsets/{}",
    ("v1", "ReplicationController"): "api/v1/namespaces/{}/replicationcontrollers/{}",
}
"""Where those workloads are whose spec says how many pods they want."""
_SHOWN = 3


@dataclass(slots=True)
class _Cluster:
    """What one look has asked already."""

    api: Api
    namespace: str
    _objects: dict[str, Json | None] = field(default_factory=dict[str, "Json | None"])
    _forbidden: set[str] = field(default_factory=set[str])

    def object(self, owner: Owner) -> tuple[Json | None, bool]:
        """Return that very workload (None when it is gone), and whether we could look."""
        place = _PLACES.get((owner.api, owner.kind))
        if place is None:
            return None, False
        found, known = self._find("/" + place.format(quote(self.namespace), quote(owner.name)))
        return (found if found is not None and found["metadata"]["uid"] == owner.uid else None), known

    def node_ready(self, name: str) -> bool | None:
        """Whether a node is there and ready; None where we have no right to ask."""
        found, known = self._find(f"{NODES}/{quote(name)}")
        return (found is not None and is_ready(found)) if known else None

    def workload(self, owner: Owner) -> Owner:
        """Return who decides how many there are: the deployment of a replica set, where that may be read, or else the owner itself."""
        if (owner.api, owner.kind) != ("apps/v1", _SETS):
            return owner
        found, _ = self.object(owner)
        return (owner_of(found["metadata"]) if found is not None else None) or owner

    def belongs(self, pod: Pod, workload: Owner) -> bool:
        """Whether a pod is one of a workload's; replica sets are asked for theirs only where their names allow it."""
        if pod.owner is None or pod.owner.uid == workload.uid:
            return pod.owner is not None
        related = workload.kind == _DEPLOYMENT and pod.owner.name.startswith(f"{workload.name}-")
        return related and self.workload(pod.owner).uid == workload.uid

    def _find(self, path: str) -> tuple[Json | None, bool]:
        if path not in self._objects and path not in self._forbidden:
            try:
                self._objects[path] = self.api.find(path)
            except KubeError as error:
                if error.status != HTTPStatus.FORBIDDEN:
                    raise
                self._forbidden.add(path)
        return self._objects.get(path), path not in self._forbidden


def workloads(api: Api, namespace: str, victims: Iterable[Pod]) -> list[dict[str, Any]]:
    """Return, for a plan, each workload that will replace victims: which pods it has now, and which of them are lost, by uid."""
    cluster = _Cluster(api, namespace)
    lost: dict[Owner, list[str]] = {}
    for pod in victims:
        if pod.owner is not None:
            lost.setdefault(cluster.workload(pod.owner), []).append(pod.uid)
    pods = [pod for pod in all_pods(api, namespace) if not pod.going] if lost else []
    return [
        {
            "namespace": namespace,
            **owner.to_json(),
            "lost": sorted(uids),
            "known": sorted({*uids, *(pod.uid for pod in pods if cluster.belongs(pod, owner))}),
        }
        for owner, uids in sorted(lost.items(), key=lambda item: item[0].uid)
    ]


def replaced(kept: Sequence[Json]) -> int:
    """Return how many pods something should replace, of what ``workloads`` kept."""
    return sum(len(one["lost"]) for one in kept)


def measure(api: Api, kept: Sequence[Json]) -> Recovery:
    """Look at the pods of those workloads as they are now; KubeError when that cannot be."""
    found: list[Recovery] = []
    for namespace in sorted({str(one["namespace"]) for one in kept}):
        cluster, pods = _Cluster(api, namespace), all_pods(api, namespace)
        found += [_of_one(cluster, pods, one) for one in kept if one["namespace"] == namespace]
    return together(found)


def together(parts: Sequence[Recovery]) -> Recovery:
    """Add recoveries up."""
    said = [part.detail for part in parts if part.detail]
    more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return Recovery(
        lost=sum(part.lost for part in parts),
        wanted=sum(part.wanted for part in parts),
        back=sum(part.back for part in parts),
        detail="; ".join(said[:_SHOWN]) + more,
    )


def _of_one(cluster: _Cluster, pods: Sequence[Pod], kept: Json) -> Recovery:
    """Compare what a workload wants, and at most had, with its pods of before that are left and its new ones that are ready."""
    owner = Owner(api=kept["api"], kind=kept["kind"], name=kept["name"], uid=kept["uid"])
    lost, known = set(kept["lost"]), set(kept["known"])
    if left := sum(pod.uid in lost and not pod.going for pod in pods):
        return Recovery(lost=len(lost), wanted=len(lost), back=0, detail=f"{left} of them are still there")
    mine = [pod for pod in pods if not pod.going and cluster.belongs(pod, owner)]
    survivors = sum(pod.uid in known for pod in mine)
    new = [pod for pod in mine if pod.uid not in known]
    waiting = [why for pod in new if (why := _why_not_ready(cluster, pod))]
    target, gone = _wanted(cluster, owner, len(known))
    wanted = min(len(lost), max(0, target - survivors))
    missing = min(wanted, max(0, target - survivors - (len(new) - len(waiting))))
    detail = ""
    if missing:
        none = f"{owner.kind} {owner.name} has started no other" if len(new) < missing else ""
        detail = gone or ", ".join([*waiting[:_SHOWN], *filter(None, [none])])
    elif wanted < len(lost):
        detail = f"{owner.kind} {owner.name} was scaled down to {target} since"
    return Recovery(lost=len(lost), wanted=wanted, back=wanted - missing, detail=detail)


def _wanted(cluster: _Cluster, owner: Owner, had: int) -> tuple[int, str]:
    """Return how many a workload should have, at most what it had; and why there will be none, where it is gone.

    Where its spec cannot be read it should have what it had: that never makes a loss look smaller.
    """
    found, known = cluster.object(owner)
    if not known:
        return had, ""
    if found is None:
        return had, f"{owner.kind} {owner.name} is gone: nothing will start others"
    return min(had, int(found["spec"].get("replicas", 1))), ""


def _why_not_ready(cluster: _Cluster, pod: Pod) -> str:
    """Say why a pod does not count as ready; empty when it does.

    A pod goes on saying Ready for up to 40 s after its node has died (node-monitor-grace-period), so the node is asked, too. Where we
    have no right to, the pod stands for itself: one that came after the loss has been called ready by a kubelet since.
    """
    if not pod.ready:
        return f"{pod.name} is not ready"
    if pod.node and cluster.node_ready(pod.node) is False:
        return f"{pod.name} is on {pod.node}, which is not ready"
    return ""


def unready(api: Api, pods: Iterable[Pod]) -> list[str]:
    """Return, for each of these pods that does not count as ready, why."""
    cluster = _Cluster(api, "")
    return [why for pod in pods if (why := _why_not_ready(cluster, pod))]
