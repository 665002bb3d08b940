"""Kill pods: so many, or a share, of those that a selector matches, by uid."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import connect, planned
from gameday_drivers.kube.pods import BUDGETS, all_pods, path, require_budgets
from gameday_drivers.kube.victims import Deleted

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillPods(Deleted):
    """Delete pods, gracefully or at once; their controller starts others in their place."""

    ignore_budgets: bool = field(default=False, metadata={"help": "kill even where a disruption budget forbids it"})

    name = "k8s.pod-kill"
    reversible = False
    provable = True
    inject_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_deleted()

    def plan(self, world: World) -> Plan:
        """Choose the victims, and keep them by uid; the ready ones of the selection are what ``keep_ready`` counts."""
        needs = [Need(verb="delete", resource="pods")]
        if not self.ignore_budgets:
            needs.append(Need(verb="list", resource=BUDGETS, group="policy"))
        with connect(self.kubeconfig, self.context) as api:
            self.require_rights(api, *needs)
            victims, ready = self.choose(api, world)
            if not self.ignore_budgets:
                require_budgets(api, self.namespace, victims)
            return self.planned_on(self.name, api, victims, ready)

    def inject(self, plan: Plan, world: World) -> None:
        """Delete those very pods; DriverError, with how many were, when one is gone already or the API fails half-way."""
        victims = plan.undo["victims"]
        with planned(plan.undo) as api:
            self.keep_logs(api, plan, world)
            for done, victim in enumerate(victims):
                try:
                    where = path(plan.undo["namespace"], victim["name"])
                    api.delete(where, uid=victim["uid"], grace=plan.undo["grace"])
                except KubeError as error:
                    why = f"{victim['name']} was gone before" if error.status in _GONE else str(error)
                    raise DriverError(f"{done} of {len(victims)} pods killed, then: {why}") from None

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether all of those very pods are gone, or ending where they were given time; others do not count."""
        victims = {victim["uid"] for victim in plan.undo["victims"]}
        with planned(plan.undo) as api:
            left = [pod for pod in all_pods(api, plan.undo["namespace"]) if pod.uid in victims]
        return all(pod.going and plan.undo["grace"] != 0 for pod in left)

    def revert(self, plan: Plan, world: World) -> None:
        """Do nothing: the dead stay dead."""
