"""Evict pods, as a drain or an autoscaler does: disruption budgets are honoured by the API server itself."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import World
from gameday_drivers.kube.access import Need
from gameday_drivers.kube.api import connect, planned
from gameday_drivers.kube.evictions import WITHIN_HELP, evict_all
from gameday_drivers.kube.pods import BUDGETS, all_pods
from gameday_drivers.kube.victims import Deleted

_SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictPods(Deleted):
    """Evict pods through the Eviction API; what a disruption budget refuses is asked for again for a while."""

    within: int = field(
        default=20_000, metadata={"unit": "duration", "min": 1_000, "max": 600_000, "help": WITHIN_HELP}
    )

    name = "k8s.pod-evict"
    reversible = False
    provable = True

    def __post_init__(self) -> None:
        self.check_deleted()

    @property
    def inject_seconds(self) -> float:
        """What refusals may take, and a few requests."""
        return self.within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Choose the victims, and keep them by uid; the ready ones of the selection are what ``keep_ready`` counts."""
        needs = (
            Need(verb="create", resource="pods", subresource="eviction"),
            Need(verb="list", resource=BUDGETS, group="policy"),
        )
        with connect(self.kubeconfig, self.context) as api:
            self.require_rights(api, *needs)
            victims, ready = self.choose(api, world)
            return self.planned_on(self.name, api, victims, ready)

    def inject(self, plan: Plan, world: World) -> None:
        """Evict those very pods; DriverError, naming the budget, for one that is not allowed in time."""
        pods = [{**victim, "namespace": plan.undo["namespace"]} for victim in plan.undo["victims"]]
        end, parent = time.monotonic() + self.within / 1000, os.getppid()
        with planned(plan.undo) as api:
            self.keep_logs(api, plan, world)
            evict_all(api, pods, grace=plan.undo["grace"], end=end, alive=lambda: os.getppid() == parent)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether all of those very pods are gone, or ending; others do not count."""
        victims = {victim["uid"] for victim in plan.undo["victims"]}
        with planned(plan.undo) as api:
            return all(pod.going for pod in all_pods(api, plan.undo["namespace"]) if pod.uid in victims)

    def revert(self, plan: Plan, world: World) -> None:
        """Do nothing: the evicted do not come back."""
