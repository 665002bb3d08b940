"""Freeze an autoscaler: load comes, and replicas do not; as with a lagging or a broken one."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from gameday.model import Json, Plan
from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import connect
from gameday_drivers.kube.changing import ChangesOne
from gameday_drivers.kube.edits import Edit, look
from gameday_drivers.kube.hpa import GROUP, RESOURCE, find_hpa
from gameday_drivers.kube.target import check_name, refuse_marked

_DEFAULTS: dict[str, dict[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
}
"""What the API server fills in (kubernetes, pkg/apis/autoscaling/v2/defaults.go): written out, so that it finds nothing to fill in."""
_SIDES = {"up": ("scaleUp",), "down": ("scaleDown",), "both": ("scaleUp", "scaleDown")}


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeAutoscaler(ChangesOne):
    """Keep an autoscaler from scaling: by its policies, or by limits that are both the present number of replicas."""

    autoscaler: str = field(metadata={"help": "name of the HorizontalPodAutoscaler"})
    direction: Literal["up", "down", "both"] = field(
        default="both", metadata={"help": "which way it shall not scale; limits hold both"}
    )
    by: Literal["policies", "limits"] = field(
        default="policies",
        metadata={
            "help": "selectPolicy: Disabled, which its condition ScalingLimited shows; or minReplicas and maxReplicas"
        },
    )

    name = "k8s.hpa-freeze"

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("autoscaler", self.autoscaler)
        if self.by == "limits" and self.direction != "both":
            raise ValueError("direction is for policies: limits hold both ways")

    def plan(self, world: World) -> Plan:
        """Keep its policies, or its limits; NoTargetError when it is frozen so already."""
        needs = [Need(verb=verb, resource=RESOURCE, group=GROUP) for verb in ("get", "list", "patch")]
        words = f"horizontalpodautoscaler {self.namespace}/{self.autoscaler}"
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            where, found = find_hpa(api, self.namespace, self.autoscaler)
            refuse_marked(found, words)
            edits = self._by_limits(found, words) if self.by == "limits" else self._by_policies(found)
            edits = tuple(edit for edit in edits if edit.before != edit.after)
            if not edits:
                raise NoTargetError(f"{words} does not scale {self.direction} now")
            undo = self.undo(api, where, found, edits, world)
            how = f"held at {edits[0].after} replicas" if self.by == "limits" else f"does not scale {self.direction}"
            shown = f"{words} ({how.replace('scale both', 'scale')}) {api.cluster.words}"
        return Plan(driver=self.name, targets=(shown,), undo=undo)

    def _by_limits(self, found: Json, words: str) -> tuple[Edit, ...]:
        now = look(found, ("status", "currentReplicas"))
        if not now:
            raise DriverError(f"{words} has not said yet how many replicas there are, or there are none")
        return tuple(
            Edit(path=("spec", name), before=look(found, ("spec", name)), after=int(now))
            for name in ("minReplicas", "maxReplicas")
        )

    def _by_policies(self, found: Json) -> tuple[Edit, ...]:
        before = look(found, ("spec", "behavior"))
        after: dict[str, Any] = {**copy.deepcopy(_DEFAULTS), **copy.deepcopy(before or {})}
        for side in _SIDES[self.direction]:
            after[side] = {**after[side], "selectPolicy": "Disabled"}
        return (Edit(path=("spec", "behavior"), before=before, after=after),)
