"""Deny pods the network by a policy of our own, which is gone afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from gameday.model import Plan
from gameday.spi import World
from gameday_drivers.kube import policies
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import connect, planned
from gameday_drivers.kube.denying import Denies
from gameday_drivers.kube.pods import live_pods
from gameday_drivers.kube.services import all_but, serving
from gameday_drivers.kube.target import check_name

_TYPES = {"ingress": ("Ingress",), "egress": ("Egress",), "both": ("Ingress", "Egress")}


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyNetwork(Denies):
    """Deny pods all connections, to them or from them, or theirs to one service, by a NetworkPolicy of this run."""

    direction: Literal["ingress", "egress", "both"] = field(
        default="ingress", metadata={"help": "connections to the pods, from them, or both"}
    )
    to: str = field(
        default="",
        metadata={"help": "deny only connections to the pods of this service of the namespace; direction is egress"},
    )

    name = "k8s.network-deny"

    def __post_init__(self) -> None:
        self.check_policy()
        if self.direction == "egress":
            self.check_outbound()
        if self.to:
            check_name("to", self.to)
        if self.to and self.direction != "egress":
            raise ValueError("to is about connections from the pods; say direction: egress")

    def plan(self, world: World) -> Plan:
        """Name the pods, and keep the policy that will be made; DriverError when ``check`` is not reached now."""
        needs = [*policies.needs(*["list"] * bool(self.to)), Need(verb="list", resource="pods")]
        needs += [Need(verb="get", resource="services")] * bool(self.to)
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            pods = live_pods(api, self.namespace, self.selector)
            spec: dict[str, Any] = {"podSelector": self.pod_selector, "policyTypes": list(_TYPES[self.direction])}
            if not self.to:
                return self.planned_policy(api, world, spec, pods, self.direction)
            policies.require_alone(api, self.namespace, pods)
            service = serving(api, self.namespace, self.to)
            spec["egress"] = [{"to": all_but(service, self.namespace)}]
            plan = self.planned_policy(api, world, spec, pods, f"egress to {self.to}")
            undo = {**plan.undo, "to": self.to, "addresses": sorted(service.addresses)}
        return Plan(driver=plan.driver, targets=plan.targets, undo=undo, ready=plan.ready)

    def active(self, plan: Plan, world: World) -> bool:
        """Measure that our policy is there, that ``check`` is not reached, and that no pod of the service has an address of later."""
        if not super(DenyNetwork, self).active(plan, world):
            return False
        if not plan.undo.get("to"):
            return True
        with planned(plan.undo) as api:
            now = serving(api, plan.undo["namespace"], plan.undo["to"])
        return now.addresses <= set(plan.undo["addresses"])
