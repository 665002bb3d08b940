"""Scale a deployment, to nothing or to too much, and back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json, Plan
from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.edits import One, free, unless_newer
from gameday_drivers.kube.marks import Change, changed
from gameday_drivers.kube.target import (
    EXPIRES_HELP,
    EXPIRES_MS,
    InNamespace,
    check_name,
    is_ours,
    marks,
    no_marks,
    owner,
    refuse_marked,
)

BEFORE = "gameday.io/replicas-before"
SEEN_SECONDS = 8.0
"""How long the cluster may take to follow."""
_LOOK_SECONDS = 0.1
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDeployment(InNamespace):
    """Set the replicas of a deployment; afterwards they are as they were, unless somebody else has changed them."""

    deployment: str = field(metadata={"help": "its name"})
    replicas: int = field(default=0, metadata={"min": 0, "max": 10_000, "help": "how many it shall have"})
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.deployment-scale"
    reversible = True
    provable = True
    inject_seconds = 15.0

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("deployment", self.deployment)

    def plan(self, world: World) -> Plan:
        """Keep how many it has; NoTargetError when there is none, or it has that many already."""
        needs = [Need(verb=verb, resource="deployments", group="apps") for verb in ("get", "patch")]
        words = f"deployment {self.namespace}/{self.deployment}"
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            found = api.find(_path(self.namespace, self.deployment))
            if found is None:
                raise NoTargetError(f"there is no {words} in {api.cluster.context}")
            refuse_marked(found, words)
            before = int(found["spec"].get("replicas", 1))
            if before == self.replicas:
                raise NoTargetError(f"{words} has {before} replicas already")
            shown = f"{words} ({before} to {self.replicas} replicas) {api.cluster.words}"
            undo = {
                "cluster": api.cluster.to_json(),
                "path": _path(self.namespace, self.deployment),
                "uid": found["metadata"]["uid"],
                "before": before,
                "replicas": self.replicas,
                "owner": owner(world),
                "expires_ms": self.expires,
            }
        return Plan(driver=self.name, targets=(shown,), undo=undo)

    def inject(self, plan: Plan, world: World) -> None:
        """Scale it in one request, with our marks; return when the cluster has followed."""
        undo, one = plan.undo, One.of(plan)
        back = changed(Change(path=("spec", "replicas"), ours=undo["replicas"], before=undo["before"]))
        marked = {**marks(world, undo["expires_ms"]), BEFORE: str(undo["before"]), **back}

        def once() -> None:
            found = free(api, one)
            if found["spec"].get("replicas") != undo["before"]:
                raise DriverError(f"{one.words} was scaled by somebody else since it was planned")
            api.patch(undo["path"], _change(found, marked, undo["replicas"]))

        with planned(undo) as api:
            unless_newer(one.words, once)
            _await_followed(api, plan)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether that very deployment has our marks and our number."""
        with planned(plan.undo) as api:
            found = _ours(api, plan.undo)
        return found is not None and found["spec"].get("replicas") == plan.undo["replicas"]

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Give it its number back if it still has ours, and take our marks off; nothing else is touched."""
        undo = plan.undo
        with planned(undo) as api:
            for _ in range(_TRIES):
                found = _ours(api, undo)
                if found is None:
                    return
                still = found["spec"].get("replicas") == undo["replicas"]
                unmarked = {**no_marks(), BEFORE: None}
                try:
                    api.patch(undo["path"], _change(found, unmarked, undo["before"] if still else None))
                except KubeError as error:
                    if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                        raise
            if _ours(api, undo) is not None:
                raise DriverError(f"{plan.targets[0]} changes all the time: its replicas could not be put back")


def _path(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{quote(namespace)}/deployments/{quote(name)}"


def _change(found: Json, annotations: Json, replicas: int | None) -> dict[str, Any]:
    """Patch that very version of that very deployment, or nothing."""
    meta = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
    change: dict[str, Any] = {"metadata": {**meta, "annotations": annotations}}
    return change if replicas is None else {**change, "spec": {"replicas": replicas}}


def _ours(api: Api, undo: Json) -> Json | None:
    """Return that very deployment while it has our marks; a new one of its name has none of ours."""
    found = api.find(undo["path"])
    mine = found is not None and found["metadata"]["uid"] == undo["uid"] and is_ours(found, undo["owner"])
    return found if mine else None


def _await_followed(api: Api, plan: Plan) -> None:
    """Wait until its controller has seen this generation and has the number; what it says of an older one does not count."""
    end = time.monotonic() + SEEN_SECONDS
    while time.monotonic() < end:
        found = api.get(plan.undo["path"])
        status: Json = found.get("status") or {}
        seen = int(status.get("observedGeneration") or 0) >= int(found["metadata"]["generation"])
        if seen and int(status.get("replicas") or 0) == plan.undo["replicas"]:
            return
        time.sleep(_LOOK_SECONDS)
    raise DriverError(f"{plan.targets[0]}: the cluster has not followed within {SEEN_SECONDS:g} s")
