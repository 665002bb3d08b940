"""Nodes as they are now, by uid: which are meant, whether they are cordoned, and cordoned and uncordoned with our marks."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import unless_newer
from gameday_drivers.kube.marks import ABSENT, Change, changed
from gameday_drivers.kube.target import is_ours, no_marks, refuse_marked

NODES = "/api/v1/nodes"
ZONE = "topology.kubernetes.io/zone"
"""Label with the zone of a node (Kubernetes, "Well-Known Labels, Annotations and Taints")."""
_TRIES = 5


def all_nodes(api: Api) -> list[Any]:
    """Return every node of the cluster."""
    return list(api.get(NODES)["items"])


def zones(nodes: Sequence[Any]) -> dict[str, str]:
    """Return the zone of each node that has one, by its name."""
    labels: dict[str, Json] = {node["metadata"]["name"]: node["metadata"].get("labels") or {} for node in nodes}
    return {name: str(has[ZONE]) for name, has in labels.items() if has.get(ZONE)}


def wanted(api: Api, every: Sequence[Any], names: Sequence[str], selector: str) -> list[Any]:
    """Return the nodes that names or a selector mean; NoTargetError for a name that none has."""
    if selector:
        return list(api.get(NODES, {"labelSelector": selector})["items"])
    found = {node["metadata"]["name"]: node for node in every}
    missing = [name for name in names if name not in found]
    if missing:
        raise NoTargetError(f"there is no node {', '.join(missing)}; there are {', '.join(sorted(found))}")
    return [found[name] for name in sorted(set(names))]


def free(api: Api, nodes: Sequence[Any], words: object) -> list[dict[str, str]]:
    """Return name and uid of those that are not cordoned; DriverError for one with another run's marks, NoTargetError for none."""
    for node in nodes:
        refuse_marked(node, f"node {node['metadata']['name']}")
    found = [node for node in nodes if not is_cordoned(node)]
    if not found:
        raise NoTargetError(f"no schedulable node of {api.cluster.context} is {words}")
    return [{key: str(node["metadata"][key]) for key in ("name", "uid")} for node in found]


def cordon(api: Api, node: Json, marked: Json) -> None:
    """Cordon one with our marks; DriverError when it is gone or was cordoned by somebody else meanwhile."""
    words = f"node {node['name']}"
    back = changed(Change(path=("spec", "unschedulable"), ours=True, before=ABSENT))

    def once() -> None:
        found = same(api, node)
        if found is None or is_cordoned(found):
            raise DriverError(f"{words} is gone or cordoned already")
        refuse_marked(found, words)
        api.patch(path(node), _change(found, {**marked, **back}, {"unschedulable": True}))

    unless_newer(words, once)


def uncordon(api: Api, nodes: Sequence[Json], mine: Json) -> None:
    """Uncordon those that have our marks, every one that can be; DriverError, at the end, for those that cannot."""
    failed: list[str] = []
    for node in nodes:
        try:
            _uncordon(api, node, mine)
        except DriverError as error:
            failed.append(str(error))
    if failed:
        raise DriverError("; ".join(failed))


def _uncordon(api: Api, node: Json, mine: Json) -> None:
    for _ in range(_TRIES):
        found = same(api, node)
        if found is None or not is_ours(found, mine):
            return
        try:
            api.patch(path(node), _change(found, no_marks(), {"unschedulable": None}))
        except KubeError as error:
            if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                raise
    found = same(api, node)
    if found is not None and is_ours(found, mine):
        raise DriverError(f"node {node['name']} changes all the time and could not be uncordoned")


def cordoned_by(api: Api, nodes: Sequence[Json], mine: Json) -> bool:
    """Measure whether those that are left are cordoned by us, all or none; DriverError when it is only some."""
    found = [node for node in (same(api, node) for node in nodes) if node is not None]
    on = sum(is_ours(node, mine) and is_cordoned(node) for node in found)
    if on not in (0, len(found)):
        raise DriverError(f"{on} of {len(found)} nodes are cordoned")
    return on > 0


def path(node: Json) -> str:
    """Return where a node is."""
    return f"{NODES}/{quote(node['name'])}"


def same(api: Api, node: Json) -> Json | None:
    """Return that very node, or None; a new one of its name is another one."""
    found = api.find(path(node))
    return found if found is not None and found["metadata"]["uid"] == node["uid"] else None


def is_cordoned(node: Json) -> bool:
    """Whether nothing new is scheduled there."""
    return bool(node["spec"].get("unschedulable"))


def is_ready(node: Json) -> bool:
    """Whether its condition Ready is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or ())


def _change(found: Json, annotations: Json, spec: Json) -> dict[str, Any]:
    meta = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
    return {"metadata": {**meta, "annotations": annotations}, "spec": spec}
