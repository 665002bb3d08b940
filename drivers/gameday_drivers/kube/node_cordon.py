"""Cordon nodes, so that nothing new is scheduled there, and uncordon them."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json, Plan
from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import Api, KubeError, connect, planned
from gameday_drivers.kube.target import (
    EXPIRES_HELP,
    EXPIRES_MS,
    InCluster,
    check_name,
    is_ours,
    marks,
    no_marks,
    owner,
    refuse_marked,
)

_NODES = "/api/v1/nodes"
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CordonNodes(InCluster):
    """Mark nodes as unschedulable; the pods on them stay."""

    nodes: tuple[str, ...] = field(default=(), metadata={"help": "their names"})
    selector: str = field(default="", metadata={"help": "or a label selector that matches them"})
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.node-cordon"
    reversible = True
    provable = True
    inject_seconds = 30.0
    revert_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_cluster()
        if bool(self.nodes) == bool(self.selector.strip()):
            raise ValueError("give exactly one of nodes and selector")
        for name in self.nodes:
            check_name("nodes", name)

    def plan(self, world: World) -> Plan:
        """Find those that are not cordoned, and keep them by uid; all schedulable ones are what ``keep_ready`` counts."""
        with connect(self.kubeconfig, self.context) as api:
            require(api, [Need(verb=verb, resource="nodes") for verb in ("get", "list", "patch")])
            every = list(api.get(_NODES)["items"])
            wanted = self._wanted(api, every)
            for node in wanted:
                refuse_marked(node, f"node {node['metadata']['name']}")
            free = [node for node in wanted if not _cordoned(node)]
            if not free:
                raise NoTargetError(f"no schedulable node of {api.cluster.context} is {self.selector or self.nodes}")
            kept = [{key: str(node["metadata"][key]) for key in ("name", "uid")} for node in free]
            targets = tuple(f"node {node['name']} {api.cluster.words}" for node in kept)
            undo = {
                "cluster": api.cluster.to_json(),
                "nodes": kept,
                "owner": owner(world),
            }
        ready = sum(_ready(node) and not _cordoned(node) for node in every)
        return Plan(driver=self.name, targets=targets, undo=undo, ready=ready)

    def _wanted(self, api: Api, every: list[Any]) -> list[Any]:
        if self.selector:
            return list(api.get(_NODES, {"labelSelector": self.selector})["items"])
        found = {node["metadata"]["name"]: node for node in every}
        missing = [name for name in self.nodes if name not in found]
        if missing:
            raise NoTargetError(f"there is no node {', '.join(missing)}; there are {', '.join(sorted(found))}")
        return [found[name] for name in sorted(set(self.nodes))]

    def inject(self, plan: Plan, world: World) -> None:
        """Cordon each with our marks; DriverError when one is gone or was cordoned by somebody else meanwhile."""
        with planned(plan.undo) as api:
            for node in plan.undo["nodes"]:
                found = _same(api, node)
                if found is None or _cordoned(found):
                    raise DriverError(f"node {node['name']} is gone or cordoned already")
                refuse_marked(found, f"node {node['name']}")
                api.patch(_path(node), _change(found, marks(world, self.expires), {"unschedulable": True}))

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether they are cordoned by us, all or none; DriverError when it is only some."""
        mine = plan.undo["owner"]
        with planned(plan.undo) as api:
            found = [node for node in (_same(api, node) for node in plan.undo["nodes"]) if node is not None]
        on = sum(is_ours(node, mine) and _cordoned(node) for node in found)
        if on not in (0, len(found)):
            raise DriverError(f"{on} of {len(found)} nodes are cordoned")
        return on > 0

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Uncordon those that have our marks, every one that can be; DriverError, at the end, for those that cannot."""
        failed: list[str] = []
        with planned(plan.undo) as api:
            for node in plan.undo["nodes"]:
                try:
                    _uncordon(api, node, plan.undo["owner"])
                except DriverError as error:
                    failed.append(str(error))
        if failed:
            raise DriverError("; ".join(failed))


def _uncordon(api: Api, node: Json, mine: Json) -> None:
    for _ in range(_TRIES):
        found = _same(api, node)
        if found is None or not is_ours(found, mine):
            return
        try:
            api.patch(_path(node), _change(found, no_marks(), {"unschedulable": None}))
        except KubeError as error:
            if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                raise
    found = _same(api, node)
    if found is not None and is_ours(found, mine):
        raise DriverError(f"node {node['name']} changes all the time and could not be uncordoned")


def _path(node: Json) -> str:
    return f"{_NODES}/{quote(node['name'])}"


def _same(api: Api, node: Json) -> Json | None:
    """Return that very node, or None; a new one of its name is another one."""
    found = api.find(_path(node))
    return found if found is not None and found["metadata"]["uid"] == node["uid"] else None


def _change(found: Json, annotations: Json, spec: Json) -> dict[str, Any]:
    meta = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
    return {"metadata": {**meta, "annotations": annotations}, "spec": spec}


def _cordoned(node: Json) -> bool:
    return bool(node["spec"].get("unschedulable"))


def _ready(node: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or ())
