"""A service and the pods behind it, by address; and the peers of a policy that are all but those."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.pods import path as pods_path

_WORLD = {4: "0.0.0.0/0", 6: "::/0"}
_NAMESPACE = "kubernetes.io/metadata.name"
"""The label that every namespace has, from 1.21 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What stands behind a service now."""

    selector: Mapping[str, str]
    addresses: frozenset[str]
    """Of its pods, and its own."""


def serving(api: Api, namespace: str, name: str) -> Serving:
    """Look at a service; NoTargetError when there is none or no pod is behind it, DriverError when it has no selector."""
    found = api.find(f"/api/v1/namespaces/{quote(namespace)}/services/{quote(name)}")
    if found is None:
        raise NoTargetError(f"there is no service {namespace}/{name} in {api.cluster.context}")
    selector: Mapping[str, str] = look(found, ("spec", "selector")) or {}
    if not selector:
        raise DriverError(f"the service {namespace}/{name} selects no pods: what is behind it is not known")
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    pods = api.get(pods_path(namespace), {"labelSelector": labels})["items"]
    of_pods = {str(ip["ip"]) for pod in pods for ip in look(pod, ("status", "podIPs")) or ()}
    of_pods |= {str(look(pod, ("status", "podIP"))) for pod in pods if look(pod, ("status", "podIP"))}
    if not of_pods:
        raise NoTargetError(f"no pod is behind the service {namespace}/{name}")
    own = look(found, ("spec", "clusterIPs")) or [look(found, ("spec", "clusterIP"))]
    return Serving(selector=selector, addresses=frozenset(of_pods | {str(ip) for ip in own if ip and ip != "None"}))


def all_but(service: Serving, namespace: str) -> list[dict[str, Any]]:
    """Return the peers that a policy allows so that only the pods of the service are denied.

    Twice, because some plugins match pods by labels alone and others by address, too: other pods of the namespace (one peer for
    each label that they lack), those of other namespaces, and every address but those of the service.
    """
    others: list[dict[str, Any]] = [
        {"podSelector": {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}}
        for key, value in sorted(service.selector.items())
    ]
    elsewhere = {"key": _NAMESPACE, "operator": "NotIn", "values": [namespace]}
    others.append({"namespaceSelector": {"matchExpressions": [elsewhere]}})
    addresses = [ipaddress.ip_address(address) for address in sorted(service.addresses)]
    for version, everything in _WORLD.items():
        mine = [f"{address}/{address.max_prefixlen}" for address in addresses if address.version == version]
        others.append({"ipBlock": {"cidr": everything, **({"except": mine} if mine else {})}})
    return others
