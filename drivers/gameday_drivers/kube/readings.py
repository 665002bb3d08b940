"""What a probe reads in a cluster, each as one number; what cannot be known is an error, never zero."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from gameday.spi import ProbeError, QueryError, StaleError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.hpa import find_hpa
from gameday_drivers.kube.pods import Pod, all_pods, as_text
from gameday_drivers.kube.rollout import path as deployment_path

METRICS_SECONDS = 120.0
"""How old a measurement of the metrics server may be: it measures every 15 s, and answers with what it last had."""
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)([a-zA-Z]{0,2})")
_UNITS: Mapping[str, Decimal] = {
    **{unit: Decimal(10) ** power for unit, power in zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 20, 3), strict=True)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}  # fmt: skip


def quantity(text: str) -> float:
    """Read a quantity of Kubernetes, as ``250m`` or ``128Mi``; raise QueryError for anything else."""
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        raise QueryError(f"not a quantity: {text[:40]!r}")
    return float(Decimal(match[1]) * _UNITS[match[2]])


def selector_of(api: Api, namespace: str, deployment: str) -> str:
    """Return the selector of a deployment; QueryError when there is none of this name."""
    found = api.find(deployment_path(namespace, deployment))
    if found is None:
        raise QueryError(f"there is no deployment {namespace}/{deployment} in {api.cluster.context}")
    return as_text(found["spec"]["selector"]) or ""


def ready(api: Api, namespace: str, selector: str, *, may_be_none: bool) -> float:
    """Count the pods that are ready and not ending; what a deployment's status says of it may be of before."""
    pods = all_pods(api, namespace, selector)
    if not pods and not may_be_none:
        raise ProbeError(f"no pod matches {selector}; where that means 0, write absent: zero")
    return float(sum(pod.ready and not pod.going for pod in pods))


def restarts(api: Api, namespace: str, selector: str) -> float:
    """Add up the restarts of the containers of the pods that are there now; a new pod begins at 0."""
    return float(sum(pod.restarts for pod in _some(all_pods(api, namespace, selector), selector)))


def _some(pods: Sequence[Pod], selector: str) -> Sequence[Pod]:
    if not pods:
        raise ProbeError(f"no pod matches {selector}")
    return pods


def usage(api: Api, namespace: str, selector: str, resource: str) -> float:
    """Add up what the containers of ready pods use: cores of ``cpu``, or bytes of ``memory``.

    ProbeError without a metrics server, or while it has nothing yet of one of these pods; StaleError when it is old.
    """
    pods = {pod.name for pod in _some(all_pods(api, namespace, selector), selector) if pod.ready and not pod.going}
    where = f"/apis/metrics.k8s.io/v1beta1/namespaces/{quote(namespace)}/pods"
    try:
        listed, now = api.dated(where, {"labelSelector": selector})
    except KubeError as error:
        if error.status in (404, 503):
            raise ProbeError(f"{api.cluster.context} has no metrics server that answers") from None
        raise
    measured = {item["metadata"]["name"]: item for item in listed["items"]}
    missing = sorted(pods - set(measured))
    if missing or not pods:
        raise ProbeError(f"the metrics server has nothing yet of {missing[0] if missing else 'any ready pod'}")
    old = [name for name in pods if now - when(measured[name].get("timestamp")) > METRICS_SECONDS]
    if old:
        raise StaleError(f"what the metrics server has of {min(old)} is older than {METRICS_SECONDS:g} s")
    containers = (container for name in pods for container in measured[name]["containers"])
    return sum(quantity(str(container["usage"][resource])) for container in containers)


def warnings(api: Api, namespace: str, reason: str, seconds: float) -> float:
    """Count the warnings of a reason (all: empty) that were last seen within ``seconds``, by the server's clock.

    An event is one object, one reason and one text; that it came several times counts once.
    """
    fields = f"type=Warning,reason={reason}" if reason else "type=Warning"
    listed, now = api.dated(f"/api/v1/namespaces/{quote(namespace)}/events", {"fieldSelector": fields})
    return float(sum(now - _last_seen(event) <= seconds for event in listed["items"]))


def _last_seen(event: Any) -> float:
    times = (look(event, ("series", "lastObservedTime")), event.get("lastTimestamp"), event.get("eventTime"))
    return when(next((text for text in times if text), look(event, ("metadata", "creationTimestamp"))))


def when(text: Any) -> float:
    """Read a time as the API writes it, in seconds since the epoch; raise QueryError for none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        raise QueryError(f"not a time: {str(text)[:40]!r}") from None


def replicas(api: Api, namespace: str, name: str, which: str) -> float:
    """Return ``currentReplicas`` or ``desiredReplicas`` of an autoscaler; StaleError while it cannot make up its mind."""
    _, found = find_hpa(api, namespace, name)
    number = look(found, ("status", which))
    if number is None:
        raise ProbeError(f"the autoscaler {name} has not looked yet")
    conditions = look(found, ("status", "conditions")) or ()
    inactive = next((c for c in conditions if c.get("type") == "ScalingActive" and c.get("status") == "False"), None)
    if which == "desiredReplicas" and inactive is not None:
        raise StaleError(f"the autoscaler {name} does not know what it wants: {str(inactive.get('reason'))[:80]}")
    return float(number)
