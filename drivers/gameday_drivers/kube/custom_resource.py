"""Make a custom resource that is a fault, like one of Chaos Mesh; and delete it, and wait until it is gone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.custom import (
    NONE,
    api_version_of,
    check_expiry,
    check_proof,
    check_reach,
    discover,
    is_proven,
    plain,
)
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.marks import made
from gameday_drivers.kube.reached import is_reachable_name, is_reached
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, InNamespace, is_ours, is_young, marks, owner

_LOOK_SECONDS = 0.1
_SLACK_SECONDS = 10.0
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomResource(InNamespace):
    """Create a custom resource of any kind, prove it by its status, and delete it until it is gone."""

    resource: Mapping[str, Any] = field(metadata={"help": "apiVersion, kind, spec; its name and namespace are given"})
    proven_by: Mapping[str, Any] = field(
        default_factory=dict[str, Any],
        metadata={"help": '{condition: AllInjected, status: "True"}, or {json: $.status.phase, equals: Running}'},
    )
    check: str = field(
        default="",
        metadata={
            "help": "HOST:PORT or URL that is reached only while the fault is off; with proven_by, both must show it"
        },
    )
    expires_by: str = field(
        default="spec.duration",
        metadata={"help": "where in it is how long it lasts; none: nothing ends it by itself, which the plan says"},
    )
    ready_within: int = field(
        default=30_000, metadata={"unit": "duration", "min": 1000, "help": "how long it may take until it is proven"}
    )
    gone_within: int = field(
        default=30_000,
        metadata={"unit": "duration", "min": 1000, "help": "how long its finalizers may take at the end"},
    )
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.custom-resource"
    reversible = True

    def __post_init__(self) -> None:
        self.check_namespace()
        api_version_of(self.resource)
        check_expiry(self.resource, self.expires_by)
        check_reach(self.resource, self.namespace)
        check_proof(self.proven_by)
        if self.check and not is_reachable_name(self.check):
            raise ValueError("check is not an address; write HOST:PORT or a URL")

    @property
    def provable(self) -> bool:
        """With ``proven_by`` or ``check``: that a resource is there says nothing of what its controller has done."""
        return bool(self.proven_by or self.check)

    @property
    def inject_seconds(self) -> float:
        """Until it is proven."""
        return self.ready_within / 1000 + _SLACK_SECONDS

    @property
    def revert_seconds(self) -> float:
        """Until it is gone."""
        return self.gone_within / 1000 + _SLACK_SECONDS

    def plan(self, world: World) -> Plan:
        """Find where the server has the kind, and let it check ours; NoTargetError when it knows none."""
        group, version = api_version_of(self.resource)
        kind = str(self.resource["kind"])
        name = f"gameday-{hashlib.sha256(f'{world.run_id}/{world.fault}/{kind}'.encode()).hexdigest()[:16]}"
        with connect(self.kubeconfig, self.context) as api:
            found = discover(api, group, version, kind, self.namespace)
            needs = [Need(verb=verb, resource=found.plural, group=group) for verb in ("create", "delete", "get")]
            require(api, needs, namespace=self.namespace)
            undo = {
                "cluster": api.cluster.to_json(),
                "base": found.base,
                "name": name,
                "body": plain(self.resource),
                "proven_by": plain(self.proven_by),
                "check": self.check,
                "ready_seconds": self.ready_within / 1000,
                "gone_seconds": self.gone_within / 1000,
                "owner": owner(world),
                "expires_ms": self.expires,
            }
            _require_accepted(api, undo)
            ends = "nothing but the undo ends it" if self.expires_by == NONE else f"ends by its {self.expires_by}, too"
            shown = f"{found.plural}.{group} {self.namespace}/{name} (made; {ends}) {api.cluster.words}"
        if self.check and not is_reached(self.check):
            raise DriverError(f"{self.check} is not reached now: nothing could be told from it")
        return Plan(driver=self.name, targets=(shown,), undo=undo)

    def inject(self, plan: Plan, world: World) -> None:
        """Create it with our marks, and return when it is proven; our own that is there already is done."""
        undo = plan.undo
        body = _body(undo, {**marks(world, undo["expires_ms"]), **made()})
        with planned(undo) as api:
            try:
                api.create(undo["base"], body)
            except KubeError as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
                if _ours(api, undo) is None:
                    raise DriverError(f"there is {plan.targets[0]} already, and it is not of this run") from None
            end = time.monotonic() + undo["ready_seconds"]
            while undo["proven_by"] and not _is_on(api, undo):
                if time.monotonic() >= end:
                    raise DriverError(
                        f"{plan.targets[0]}: not proven within {undo['ready_seconds']:g} s{_status(_ours(api, undo))}"
                    )
                time.sleep(_LOOK_SECONDS)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure that it is there, and its status and ``check`` say so; while its finalizers run it counts as on.

        DriverError while it is new and its controller may be about to act on it, as on one that was made late.
        """
        undo = plan.undo
        with planned(undo) as api:
            found, now = api.find_dated(f"{undo['base']}/{undo['name']}")
        if found is None or not is_ours(found, undo["owner"]):
            return False
        if _shows(found, undo):
            return not (undo["check"] and is_reached(undo["check"]))
        if is_young(found, now):
            raise DriverError(f"{plan.targets[0]} is there, and not proven yet{_status(found)}")
        return False

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Delete it and wait until it is gone; DriverError, with its finalizers, when that does not come."""
        undo = plan.undo
        with planned(undo) as api:
            found = _ours(api, undo)
            if found is None:
                return
            try:
                api.delete(f"{undo['base']}/{undo['name']}", uid=found["metadata"]["uid"])
            except KubeError as error:
                if error.status not in _GONE:
                    raise
            end = time.monotonic() + undo["gone_seconds"]
            while (found := _ours(api, undo)) is not None:
                if time.monotonic() >= end:
                    _stuck(plan, found)
                time.sleep(_LOOK_SECONDS)


def _body(undo: Json, marked: Json) -> dict[str, Any]:
    meta: Json = undo["body"].get("metadata") or {}
    own: Json = meta.get("annotations") or {}
    return {**undo["body"], "metadata": {**meta, "name": undo["name"], "annotations": {**own, **marked}}}


def _require_accepted(api: Api, undo: Json) -> None:
    """Let the server check it without making it (dryRun): its schema, its webhooks, and that the namespace is there."""
    try:
        api.create(undo["base"], _body(undo, {}), {"dryRun": "All"})
    except KubeError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        raise NoTargetError(f"there is no such namespace: {error}") from None


def _stuck(plan: Plan, found: Json) -> None:
    finalizers = ", ".join(found["metadata"].get("finalizers") or ()) or "none"
    raise DriverError(
        f"{plan.targets[0]} is still there {plan.undo['gone_seconds']:g} s after it was deleted (finalizers: {finalizers}): "
        "the fault may be on",
        hint="look after the controller that has to finish it; do not just remove the finalizers",
    )


def _ours(api: Api, undo: Json) -> Json | None:
    found = api.find(f"{undo['base']}/{undo['name']}")
    return found if found is not None and is_ours(found, undo["owner"]) else None


def _is_on(api: Api, undo: Json) -> bool:
    found = _ours(api, undo)
    return found is not None and _shows(found, undo)


def _shows(found: Json, undo: Json) -> bool:
    return bool(found["metadata"].get("deletionTimestamp")) or is_proven(found, undo["proven_by"])


def _status(found: Json | None) -> str:
    conditions = look(found, ("status", "conditions")) or ()
    said = ", ".join(f"{c.get('type')} {c.get('status')}" for c in conditions)
    return f" ({said[:300]})" if said.isprintable() and said else ""
