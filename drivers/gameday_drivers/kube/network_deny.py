"""Deny pods the network by a policy of our own, which is gone afterwards."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import KubeError, connect, planned
from gameday_drivers.kube.marks import made
from gameday_drivers.kube.pods import live_pods
from gameday_drivers.kube.reached import is_reachable_name, is_reached
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, InNamespace, is_ours, marks, owner

_LABELS = re.compile(r"[^\s,=!()]+=[^\s,=!()]*(,[^\s,=!()]+=[^\s,=!()]*)*")
_TYPES = {"ingress": ("Ingress",), "egress": ("Egress",), "both": ("Ingress", "Egress")}
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyNetwork(InNamespace):
    """Deny pods all connections, to them or from them, by a NetworkPolicy of this run."""

    selector: str = field(metadata={"help": "labels of the pods, like app=payments"})
    direction: Literal["ingress", "egress", "both"] = field(
        default="ingress", metadata={"help": "connections to the pods, from them, or both"}
    )
    check: str = field(
        default="",
        metadata={
            "help": "HOST:PORT which takes connections only while these pods can, like a NodePort, or a URL that they answer; "
            "without it the run is at best inconclusive"
        },
    )
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = "k8s.network-deny"
    reversible = True

    def __post_init__(self) -> None:
        self.check_namespace()
        if not _LABELS.fullmatch(self.selector):
            raise ValueError("selector is not a list of labels; write one like app=payments,tier=api")
        if self.check and not is_reachable_name(self.check):
            raise ValueError("check is not an address; write HOST:PORT or a URL")
        if self.check and self.direction == "egress":
            raise ValueError("check cannot tell for egress: connections to the pods go on")

    @property
    def provable(self) -> bool:
        """With ``check``: a policy alone proves nothing, because a network plugin may ignore it."""
        return bool(self.check)

    def plan(self, world: World) -> Plan:
        """Name the pods, and the policy that will be made; DriverError when ``check`` is not reached now."""
        needs = [
            Need(verb=v, resource="networkpolicies", group="networking.k8s.io") for v in ("create", "delete", "get")
        ]
        with connect(self.kubeconfig, self.context) as api:
            require(api, [*needs, Need(verb="list", resource="pods")], namespace=self.namespace)
            pods = live_pods(api, self.namespace, self.selector)
            undo = {
                "cluster": api.cluster.to_json(),
                "namespace": self.namespace,
                "policy": self._policy_name(world),
                "owner": owner(world),
                "check": self.check,
            }
            shown = (f"pod {self.namespace}/{pod.name} ({self.direction}) {api.cluster.words}" for pod in pods)
            targets = tuple(sorted(shown))
        if self.check and not is_reached(self.check):
            raise DriverError(f"{self.check} is not reached now: nothing could be told from it")
        return Plan(driver=self.name, targets=targets, undo=undo, ready=sum(pod.ready for pod in pods))

    def _policy_name(self, world: World) -> str:
        """Give every run and fault a policy of its own; run ids are no names in Kubernetes, so a digest stands for them."""
        parts = (world.run_id, world.fault, self.namespace, self.selector, self.direction)
        return f"gameday-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:16]}"

    def inject(self, plan: Plan, world: World) -> None:
        """Make the policy; our own that is there already is done."""
        undo = plan.undo
        spec = {
            "podSelector": {"matchLabels": dict(part.split("=", 1) for part in self.selector.split(","))},
            "policyTypes": list(_TYPES[self.direction]),
        }
        body: dict[str, Any] = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": spec}
        body["metadata"] = {"name": undo["policy"], "annotations": {**marks(world, self.expires), **made()}}
        with planned(undo) as api:
            try:
                api.create(_path(undo["namespace"]), body)
            except KubeError as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
                found = api.get(_path(undo["namespace"], undo["policy"]))
                if not is_ours(found, undo["owner"]):
                    raise DriverError(f"there is a policy {undo['policy']} that is not of this run") from None

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure that our policy is there and that ``check`` is not reached."""
        undo = plan.undo
        with planned(undo) as api:
            found = api.find(_path(undo["namespace"], undo["policy"]))
        if found is None or not is_ours(found, undo["owner"]):
            return False
        return not (undo["check"] and is_reached(undo["check"]))

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Delete that very policy; what is gone is done, and what is not ours stays."""
        undo = plan.undo
        with planned(undo) as api:
            where = _path(undo["namespace"], undo["policy"])
            found = api.find(where)
            if found is None or not is_ours(found, undo["owner"]):
                return
            try:
                api.delete(where, uid=found["metadata"]["uid"])
            except KubeError as error:
                if error.status not in _GONE:
                    raise


def _path(namespace: str, name: str = "") -> str:
    base = f"/apis/networking.k8s.io/v1/namespaces/{quote(namespace)}/networkpolicies"
    return f"{base}/{quote(name)}" if name else base
