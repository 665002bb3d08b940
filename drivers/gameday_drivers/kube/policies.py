"""A network policy of this run, made, measured and removed; and what others may have said about the same pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError
from gameday_drivers.kube.access import Need
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.marks import made
from gameday_drivers.kube.pods import Pod, all_pods, as_text
from gameday_drivers.kube.target import FAULT, RUN, is_ours, is_young

RESOURCE, GROUP = "networkpolicies", "networking.k8s.io"
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def needs(*verbs: str) -> list[Need]:
    """Return the rights on policies: to make and remove one, and these."""
    return [Need(verb=verb, resource=RESOURCE, group=GROUP) for verb in ("create", "delete", "get", *verbs)]


def path(namespace: str, name: str = "") -> str:
    """Return where the policies of a namespace are, or one of them."""
    base = f"/apis/{GROUP}/v1/namespaces/{quote(namespace)}/{RESOURCE}"
    return f"{base}/{quote(name)}" if name else base


def body(name: str, spec: Json, marked: Mapping[str, str]) -> dict[str, Any]:
    """Write a policy of ours."""
    meta = {"name": name, "annotations": {**marked, **made()}}
    return {"apiVersion": f"{GROUP}/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": dict(spec)}


def require_understood(api: Api, namespace: str, name: str, spec: Json) -> None:
    """Ask the server to make it without making it (dryRun); DriverError when it would drop a part, as one before 1.22 drops endPort."""
    answer = api.create(path(namespace), body(name, spec, {}), {"dryRun": "All"})
    if answer["spec"].get("egress") != spec.get("egress"):
        raise DriverError("the API server does not know ranges of ports in policies (endPort, from 1.22 on)")


def require_alone(api: Api, namespace: str, pods: Sequence[Pod]) -> None:
    """Raise DriverError when a policy is about the egress of one of these pods already.

    Policies add up: what one allows no other denies. Ours, which allows all but one thing, would allow what theirs denies.
    """
    ours = {pod.uid for pod in pods}
    for found in api.get(path(namespace))["items"]:
        if "Egress" not in (look(found, ("spec", "policyTypes")) or ()):
            continue
        theirs = all_pods(api, namespace, as_text(look(found, ("spec", "podSelector")) or {}) or "")
        if ours & {pod.uid for pod in theirs}:
            raise DriverError(
                f"the policy {found['metadata']['name']} is about the egress of these pods already, and policies add up",
                hint="deny all of it: do: k8s.network-deny, direction: egress, without to",
            )


def make(api: Api, namespace: str, name: str, spec: Json, marked: Mapping[str, str]) -> None:
    """Make it; our own that is there already is done."""
    try:
        api.create(path(namespace), body(name, spec, marked))
    except KubeError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        if not is_ours(api.get(path(namespace, name)), {key: marked[key] for key in (RUN, FAULT)}):
            raise DriverError(f"there is a policy {name} that is not of this run") from None


def there(api: Api, namespace: str, name: str, mine: Mapping[str, str]) -> tuple[bool, bool]:
    """Measure whether there is one of this name that is ours, and whether it was made a moment ago."""
    found, now = api.find_dated(path(namespace, name))
    ours = found is not None and is_ours(found, mine)
    return ours, ours and found is not None and is_young(found, now)


def remove(api: Api, namespace: str, name: str, mine: Mapping[str, str]) -> None:
    """Delete that very policy; what is gone is done, and what is not ours stays."""
    found = api.find(path(namespace, name))
    if found is None or not is_ours(found, mine):
        return
    try:
        api.delete(path(namespace, name), uid=found["metadata"]["uid"])
    except KubeError as error:
        if error.status not in _GONE:
            raise
