"""Which pods a fault hits: what the file says about it, and the choice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gameday.model import Json, Plan
from gameday.spi import Recovery, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import Api, planned
from gameday_drivers.kube.logs import LOGS_HELP, keep_logs
from gameday_drivers.kube.nodes import all_nodes, zones
from gameday_drivers.kube.pods import Pod, chosen, chosen_per, live_pods
from gameday_drivers.kube.successors import measure, replaced, workloads
from gameday_drivers.kube.target import InNamespace, check_selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Victims(InNamespace):
    """What every fault that hits some of the pods of a selection is given."""

    selector: str = field(metadata={"help": "label selector of the pods, like app=shop"})
    count: int = field(default=1, metadata={"min": 1, "help": "how many of them, chosen at random, ready ones first"})
    share: float | None = field(
        default=None, metadata={"unit": "percent", "help": "this share of them instead, rounded down, at least one"}
    )
    per: Literal["", "node", "zone"] = field(
        default="", metadata={"help": "count on each node, or in each zone, on which there are any"}
    )

    logs: bool = field(default=True, metadata={"help": LOGS_HELP})

    def check_victims(self) -> None:
        """Raise ValueError for what chooses nothing, or everything."""
        self.check_namespace()
        check_selector(self.selector)
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError("share is from above 0% to 100%")
        if self.share is not None and self.count != 1:
            raise ValueError("share and count exclude each other; keep one")
        if self.share is not None and self.per:
            raise ValueError("per goes with count, not with share")

    def require_rights(self, api: Api, *needs: Need) -> None:
        """Raise DriverError unless pods may be listed, where ``per`` asks for it nodes too, and what else is needed is allowed."""
        require(api, [Need(verb="list", resource="pods"), *needs], namespace=self.namespace)
        if self.per == "zone":
            require(api, [Need(verb="list", resource="nodes")])

    def choose(self, api: Api, world: World) -> tuple[tuple[Pod, ...], int]:
        """Return the chosen, and how many of the selection are ready."""
        pods = live_pods(api, self.namespace, self.selector)
        seed, ready = f"{world.run_id}/{world.fault}", sum(pod.ready for pod in pods)
        if not self.per:
            number = self.count if self.share is None else max(1, int(self.share * len(pods) + 1e-9))
            return chosen(pods, number, seed), ready
        place = {pod.node: pod.node for pod in pods if pod.node}
        if self.per == "zone":
            place = {name: f"zone {zone}" for name, zone in zones(all_nodes(api)).items()}
        return chosen_per(pods, place, self.count, seed), ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Victims):
    """What a fault that ends whole pods is given besides."""

    grace: int | None = field(
        default=None,
        metadata={"unit": "duration", "min": 0, "help": "time to end in; 0s kills at once; default: the pod's own"},
    )

    def check_deleted(self) -> None:
        """Raise ValueError for what chooses nothing, or everything, or what the API cannot say."""
        self.check_victims()
        if self.grace is not None and self.grace % 1000:
            raise ValueError("grace is in whole seconds")

    def keep_logs(self, api: Api, plan: Plan, world: World) -> None:
        """Keep what the victims said last, before they end."""
        if self.logs:
            every = [(one["name"], container) for one in plan.undo["victims"] for container in one["containers"]]
            keep_logs(api, world, plan.undo["namespace"], every)

    def planned_on(self, driver: str, api: Api, victims: tuple[Pod, ...], ready: int) -> Plan:
        """Return the plan for these victims, kept by uid, with the workloads that will replace them."""
        kept = workloads(api, self.namespace, victims)
        undo: Json = {
            "cluster": api.cluster.to_json(),
            "namespace": self.namespace,
            "grace": None if self.grace is None else self.grace // 1000,
            "victims": [{"name": pod.name, "uid": pod.uid, "containers": list(pod.containers)} for pod in victims],
            "workloads": kept,
        }
        targets = tuple(f"pod {self.namespace}/{words(pod)} {api.cluster.words}" for pod in victims)
        return Plan(driver=driver, targets=targets, undo=undo, ready=ready, replaced=replaced(kept))

    def recovered(self, plan: Plan, world: World) -> Recovery:  # noqa: ARG002 - the interface
        """Measure how many of the victims have others in their place that are ready, by uid."""
        with planned(plan.undo) as api:
            return measure(api, plan.undo["workloads"])


def words(pod: Pod) -> str:
    """Name a pod, where it is, and whether anything starts another one in its place."""
    where = f" on {pod.node}" if pod.node else ""
    return f"{pod.name}{where}" + ("" if pod.owned else " (nothing starts it again)")
