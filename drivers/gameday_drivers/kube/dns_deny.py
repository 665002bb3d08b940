"""Deny pods DNS, and nothing else, by a policy of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.model import Plan
from gameday.spi import World
from gameday_drivers.kube import policies
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import connect
from gameday_drivers.kube.denying import Denies
from gameday_drivers.kube.pods import live_pods

_DNS, _LAST = 53, 65535
_AROUND = ((1, _DNS - 1), (_DNS + 1, _LAST))
_WORDS = "no DNS: egress to port 53 by UDP and TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyDns(Denies):
    """Deny pods connections to port 53, by UDP and TCP; all others go on."""

    name = "k8s.dns-deny"

    def __post_init__(self) -> None:
        self.check_policy()
        self.check_outbound()

    def plan(self, world: World) -> Plan:
        """Name the pods, and keep the policy that will be made; DriverError when another policy is about their egress."""
        needs = [*policies.needs("list"), Need(verb="list", resource="pods")]
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            pods = live_pods(api, self.namespace, self.selector)
            policies.require_alone(api, self.namespace, pods)
            spec = {"podSelector": self.pod_selector, "policyTypes": ["Egress"], "egress": [{"ports": _all_but_dns()}]}
            policies.require_understood(api, self.namespace, self.policy_name(world, _WORDS), spec)
            return self.planned_policy(api, world, spec, pods, _WORDS)


def _all_but_dns() -> list[dict[str, Any]]:
    around = [
        {"protocol": protocol, "port": low, "endPort": high} for protocol in ("TCP", "UDP") for low, high in _AROUND
    ]
    return [*around, {"protocol": "SCTP", "port": 1, "endPort": _LAST}]
