"""Pods as they are now, by uid: those that live, which of them are chosen, and which a disruption budget protects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api

_DONE = ("Succeeded", "Failed")
_OPERATORS = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}
BUDGETS = "poddisruptionbudgets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The controller of an object, as the object names it."""

    api: str
    """Its apiVersion: ``apps/v1``."""
    kind: str
    name: str
    uid: str

    def to_json(self) -> dict[str, str]:
        """As a plan keeps it."""
        return {"api": self.api, "kind": self.kind, "name": self.name, "uid": self.uid}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What counts of one pod."""

    name: str
    uid: str
    node: str
    ready: bool
    going: bool
    """It is being deleted."""
    owner: Owner | None = None
    """The controller that will replace it."""
    restarts: int = 0
    containers: tuple[str, ...] = ()
    """Their names."""

    @property
    def owned(self) -> bool:
        """Whether a controller will replace it."""
        return self.owner is not None


def path(namespace: str, name: str = "") -> str:
    """Return where the pods of a namespace are, or one of them."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods" + (f"/{quote(name)}" if name else "")


def all_pods(api: Api, namespace: str, selector: str = "") -> tuple[Pod, ...]:
    """Return the pods that match, also those that are ending."""
    found = api.get(path(namespace), {"labelSelector": selector} if selector else {})
    return tuple(read_pod(item) for item in found["items"] if item.get("status", {}).get("phase") not in _DONE)


def read_pod(item: Json) -> Pod:
    """Read one, as the API has it."""
    meta, status = item["metadata"], item.get("status", {})
    return Pod(
        name=str(meta["name"]),
        uid=str(meta["uid"]),
        node=str(item["spec"].get("nodeName") or ""),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()),
        going=bool(meta.get("deletionTimestamp")),
        owner=owner_of(meta),
        containers=tuple(str(one["name"]) for one in item["spec"].get("containers") or ()),
        restarts=sum(int(c.get("restartCount") or 0) for c in status.get("containerStatuses") or ()),
    )


def owner_of(meta: Json) -> Owner | None:
    """Return the controller that the metadata of an object names; None where there is none."""
    for ref in meta.get("ownerReferences") or ():
        if ref.get("controller"):
            api, kind, name = (str(ref.get(key) or "") for key in ("apiVersion", "kind", "name"))
            return Owner(api=api, kind=kind, name=name, uid=str(ref["uid"]))
    return None


def live_pods(api: Api, namespace: str, selector: str) -> tuple[Pod, ...]:
    """Return the pods that match and are neither ending nor done; NoTargetError when there is none."""
    found = tuple(pod for pod in all_pods(api, namespace, selector) if not pod.going)
    if not found:
        raise NoTargetError(
            f"no live pod matches {selector} in the namespace {namespace} of {api.cluster.context}",
            hint=f"kubectl --context {api.cluster.context} -n {namespace} get pods -l '{selector}'",
        )
    return found


def chosen(pods: Sequence[Pod], number: int, seed: str, where: str = "") -> tuple[Pod, ...]:
    """Choose some, at random by the seed, ready ones first: the same again for the same pods and the same run, by name."""
    if number > len(pods):
        raise DriverError(f"{number} pods are asked for, and {len(pods)} match{where}")

    def lot(pod: Pod) -> tuple[bool, bytes]:
        return not pod.ready, hashlib.sha256(f"{seed}/{pod.uid}".encode()).digest()

    return tuple(sorted(sorted(pods, key=lot)[:number], key=lambda pod: pod.name))


def chosen_per(pods: Sequence[Pod], place: Mapping[str, str], number: int, seed: str) -> tuple[Pod, ...]:
    """Choose so many at each place; ``place`` is that of a node, by its name. Pods without a node, or a node without a place, are left."""
    groups: dict[str, list[Pod]] = {}
    for pod in pods:
        if where := place.get(pod.node):
            groups.setdefault(where, []).append(pod)
    if not groups:
        raise NoTargetError("none of the pods is at a place that is known", hint="see: kubectl get nodes --show-labels")
    found = (pod for where, group in groups.items() for pod in chosen(group, number, seed, f" on {where}"))
    return tuple(sorted(found, key=lambda pod: pod.name))


def require_budgets(api: Api, namespace: str, victims: Sequence[Pod]) -> None:
    """Raise DriverError when a disruption budget allows fewer disruptions now than these; a delete does not ask it, we do."""
    for budget in budgets(api, namespace):
        name = str(budget["metadata"]["name"])
        status: Json = budget.get("status") or {}
        selector = as_text(budget["spec"].get("selector"))
        if selector is None:
            continue
        protected = {pod.uid for pod in all_pods(api, namespace, selector)}
        hit = sum(pod.uid in protected for pod in victims)
        if not hit:
            continue
        stale = int(status.get("observedGeneration") or 0) < int(budget["metadata"].get("generation") or 0)
        allowed = 0 if stale else int(status.get("disruptionsAllowed") or 0)
        if hit > allowed:
            raise DriverError(
                f"the disruption budget {name} allows {allowed} disruptions now, and this would be {hit}",
                hint="take fewer, or say with: {ignore_budgets: true}",
            )


def budgets(api: Api, namespace: str) -> list[Any]:
    """Ask for them as policy/v1, and where that is not known (before 1.21) as v1beta1."""
    for version in ("v1", "v1beta1"):
        try:
            return list(api.get(f"/apis/policy/{version}/namespaces/{quote(namespace)}/{BUDGETS}")["items"])
        except KubeError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
    raise DriverError("the API server knows no disruption budgets", hint="say with: {ignore_budgets: true}")


def as_text(selector: Mapping[str, Any] | None) -> str | None:
    """Write a LabelSelector object as the text that selects the same: "" is everything, None is nothing."""
    if selector is None:
        return None
    labels: Json = selector.get("matchLabels") or {}
    parts = [f"{key}={value}" for key, value in labels.items()]
    for item in selector.get("matchExpressions") or ():
        values = ",".join(item.get("values") or ())
        parts.append(_OPERATORS[item["operator"]].format(key=item["key"], values=values))
    return ",".join(parts)
