"""Cordon nodes, so that nothing new is scheduled there, and uncordon them."""

from __future__ import annotations

from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import World
from gameday_drivers.kube import nodes as known
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import connect, planned
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, InCluster, check_name, marks, owner

NODES_HELP = "their names"
SELECTOR_HELP = "or a label selector that matches them"


@dataclass(frozen=True, slots=True, kw_only=True)
class CordonNodes(InCluster):
    """Mark nodes as unschedulable; the pods on them stay."""

    nodes: tuple[str, ...] = field(default=(), metadata={"help": NODES_HELP})
    selector: str = field(default="", metadata={"help": SELECTOR_HELP})
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.node-cordon"
    reversible = True
    provable = True
    inject_seconds = 30.0
    revert_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_cluster()
        check_which(self.nodes, self.selector)

    def plan(self, world: World) -> Plan:
        """Find those that are not cordoned, and keep them by uid; all schedulable ones are what ``keep_ready`` counts."""
        with connect(self.kubeconfig, self.context) as api:
            require(api, [Need(verb=verb, resource="nodes") for verb in ("get", "list", "patch")])
            every = known.all_nodes(api)
            kept = known.free(api, known.wanted(api, every, self.nodes, self.selector), self.selector or self.nodes)
            targets = tuple(f"node {node['name']} {api.cluster.words}" for node in kept)
            undo = {"cluster": api.cluster.to_json(), "nodes": kept, "owner": owner(world)}
        ready = sum(known.is_ready(node) and not known.is_cordoned(node) for node in every)
        return Plan(driver=self.name, targets=targets, undo=undo, ready=ready)

    def inject(self, plan: Plan, world: World) -> None:
        """Cordon each with our marks; DriverError when one is gone or was cordoned by somebody else meanwhile."""
        with planned(plan.undo) as api:
            for node in plan.undo["nodes"]:
                known.cordon(api, node, marks(world, self.expires))

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether they are cordoned by us, all or none; DriverError when it is only some."""
        with planned(plan.undo) as api:
            return known.cordoned_by(api, plan.undo["nodes"], plan.undo["owner"])

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Uncordon those that have our marks, every one that can be; DriverError, at the end, for those that cannot."""
        with planned(plan.undo) as api:
            known.uncordon(api, plan.undo["nodes"], plan.undo["owner"])


def check_which(names: tuple[str, ...], selector: str) -> None:
    """Raise ValueError unless nodes are given either by name or by a selector."""
    if bool(names) == bool(selector.strip()):
        raise ValueError("give exactly one of nodes and selector")
    for name in names:
        check_name("nodes", name)
