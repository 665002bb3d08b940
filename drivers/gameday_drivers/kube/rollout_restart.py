"""Restart a deployment: every pod is replaced, as by ``kubectl rollout restart``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gameday.model import Json, Plan
from gameday.spi import DriverError, Recovery, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.edits import One, free, look, patch, unless_newer
from gameday_drivers.kube.pods import read_pod
from gameday_drivers.kube.rollout import path, pods_of, progress, require_found
from gameday_drivers.kube.successors import unready
from gameday_drivers.kube.target import InNamespace, check_name, refuse_marked

RESTARTED = "gameday.io/restarted-by"
"""The annotation of the template, and so of every pod that is made from it."""
_LOOK_SECONDS = 0.2
_SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRollout(InNamespace):
    """Replace every pod of a deployment by a rollout, and wait until it is through."""

    deployment: str = field(metadata={"help": "its name"})
    within: int = field(
        default=120_000,
        metadata={"unit": "duration", "min": 1000, "help": "how long the rollout may take; longer, and the run ends"},
    )

    name = "k8s.rollout-restart"
    reversible = False
    provable = True

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("deployment", self.deployment)

    @property
    def inject_seconds(self) -> float:
        """The rollout, and the requests before it."""
        return self.within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Find it; its ready pods are what ``keep_ready`` counts. NoTargetError when it has no replicas."""
        needs = [Need(verb=verb, resource="deployments", group="apps") for verb in ("get", "patch")]
        with connect(self.kubeconfig, self.context) as api:
            require(api, [*needs, Need(verb="list", resource="pods")], namespace=self.namespace)
            found = require_found(api, self.namespace, self.deployment)
            words = f"deployment {self.namespace}/{self.deployment}"
            refuse_marked(found, words)
            if not progress(found).done:
                raise DriverError(f"{words} is in the middle of a rollout", hint="kubectl rollout status")
            wanted = progress(found).wanted
            undo = {
                "cluster": api.cluster.to_json(),
                "namespace": self.namespace,
                "path": path(self.namespace, self.deployment),
                "uid": found["metadata"]["uid"],
                "stamp": f"{world.run_id}/{world.fault}",
            }
            shown = f"{words} (each of its {wanted} pods is replaced) {api.cluster.words}"
        return Plan(driver=self.name, targets=(shown,), undo=undo, ready=wanted, replaced=wanted)

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Change the template, and return when every pod is of the new one and available; DriverError when that takes too long."""
        one = One.of(plan)
        stamp = (("spec", "template", "metadata", "annotations", RESTARTED), plan.undo["stamp"])
        with planned(plan.undo) as api:
            unless_newer(one.words, lambda: patch(api, one, free(api, one), [stamp], {}))
            self._await_done(api, plan)

    def _await_done(self, api: Api, plan: Plan) -> None:
        end, said = time.monotonic() + self.within / 1000, ""
        while time.monotonic() < end:
            found = One.of(plan).find(api)
            if found is None:
                raise DriverError(f"{plan.targets[0]} is gone")
            state = progress(found)
            if state.done:
                return
            said = f"{state.updated} of {state.wanted} pods are new, and {state.available} of all are available"
            time.sleep(_LOOK_SECONDS)
        raise DriverError(f"{plan.targets[0]}: not rolled out within {self.within / 1000:g} s: {said}")

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether the controller has seen our template and every live pod is made from it."""
        undo = plan.undo
        with planned(undo) as api:
            found = One.of(plan).find(api)
            if found is None or not _stamped(found["spec"]["template"], undo) or not progress(found).seen:
                return False
            pods = pods_of(api, undo["namespace"], found)
        return bool(pods) and all(_stamped(pod, undo) for pod in pods)

    def recovered(self, plan: Plan, world: World) -> Recovery:  # noqa: ARG002 - the interface
        """Measure how many pods of our template are ready, once none of another one is left; its status is not asked."""
        lost = plan.replaced or 0
        with planned(plan.undo) as api:
            found = One.of(plan).find(api)
            if found is None:
                return Recovery(lost=lost, wanted=lost, back=0, detail=f"{plan.targets[0]} is gone")
            pods = pods_of(api, plan.undo["namespace"], found)
            ours = [read_pod(pod) for pod in pods if _stamped(pod, plan.undo)]
            waiting = unready(api, ours)
        wanted = min(lost, int(found["spec"].get("replicas", 1)))
        if len(ours) < len(pods):
            detail = f"{len(pods) - len(ours)} pods of another template are there"
            return Recovery(lost=lost, wanted=wanted, back=0, detail=detail if wanted else "")
        back = min(wanted, len(ours) - len(waiting))
        return Recovery(lost=lost, wanted=wanted, back=back, detail=", ".join(waiting[:3]) if back < wanted else "")

    def revert(self, plan: Plan, world: World) -> None:
        """Do nothing: the pods of before are gone."""


def _stamped(found: Json, undo: Json) -> bool:
    return bool(look(found, ("metadata", "annotations", RESTARTED)) == undo["stamp"])
