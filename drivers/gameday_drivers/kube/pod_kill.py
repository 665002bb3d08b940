"""Kill pods: so many, or a share, of those that a selector matches, by uid."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import KubeError, connect, planned
from gameday_drivers.kube.pods import BUDGETS, Pod, all_pods, chosen, live_pods, path, require_budgets
from gameday_drivers.kube.target import InNamespace, check_selector

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillPods(InNamespace):
    """Delete pods, gracefully or at once; their controller starts others in their place."""

    selector: str = field(metadata={"help": "label selector of the pods, like app=shop"})
    count: int = field(default=1, metadata={"min": 1, "help": "how many of them, chosen at random"})
    share: float | None = field(
        default=None, metadata={"unit": "percent", "help": "this share of them instead, rounded down, at least one"}
    )
    grace: int | None = field(
        default=None,
        metadata={"unit": "duration", "min": 0, "help": "time to end in; 0s kills at once; default: the pod's own"},
    )
    ignore_budgets: bool = field(default=False, metadata={"help": "kill even where a disruption budget forbids it"})

    name = "k8s.pod-kill"
    reversible = False
    provable = True
    inject_seconds = 30.0

    def __post_init__(self) -> None:
        self.check_namespace()
        check_selector(self.selector)
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError("share is from above 0% to 100%")
        if self.share is not None and self.count != 1:
            raise ValueError("share and count exclude each other; keep one")
        if self.grace is not None and self.grace % 1000:
            raise ValueError("grace is in whole seconds")

    def plan(self, world: World) -> Plan:
        """Choose the victims, and keep them by uid; the ready ones of the selection are what ``keep_ready`` counts."""
        needs = [Need(verb="list", resource="pods"), Need(verb="delete", resource="pods")]
        if not self.ignore_budgets:
            needs.append(Need(verb="list", resource=BUDGETS, group="policy"))
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            pods = live_pods(api, self.namespace, self.selector)
            number = self.count if self.share is None else max(1, int(self.share * len(pods) + 1e-9))
            victims = chosen(pods, number, f"{world.run_id}/{world.fault}")
            if not self.ignore_budgets:
                require_budgets(api, self.namespace, victims)
            undo = {
                "cluster": api.cluster.to_json(),
                "namespace": self.namespace,
                "grace": None if self.grace is None else self.grace // 1000,
                "victims": [{"name": pod.name, "uid": pod.uid} for pod in victims],
            }
            targets = tuple(f"pod {self.namespace}/{_words(pod)} {api.cluster.words}" for pod in victims)
        return Plan(driver=self.name, targets=targets, undo=undo, ready=sum(pod.ready for pod in pods))

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Delete those very pods; DriverError, with how many were, when one is gone already or the API fails half-way."""
        victims = plan.undo["victims"]
        with planned(plan.undo) as api:
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


def _words(pod: Pod) -> str:
    where = f" on {pod.node}" if pod.node else ""
    return f"{pod.name}{where}" + ("" if pod.owned else " (nothing starts it again)")
