"""How far a deployment has come with its present template; what its status says of an older one does not count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import look
from gameday_drivers.kube.pods import as_text
from gameday_drivers.kube.pods import path as pods_path

CANNOT_PULL = frozenset(("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"))
"""Why the container of a pod waits whose image cannot be had (kubelet, pkg/kubelet/images/types.go)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a deployment's status says of its present generation."""

    seen: bool
    """Its controller has seen this generation."""
    replicas: int
    updated: int
    available: int
    wanted: int

    @property
    def done(self) -> bool:
        """Whether every pod is of the present template and available: as ``kubectl rollout status`` has it."""
        return self.seen and self.updated == self.replicas == self.available == self.wanted


def require_found(api: Api, namespace: str, name: str) -> Json:
    """Return a deployment whose rollouts go on; NoTargetError when there is none, DriverError when it is paused."""
    words = f"deployment {namespace}/{name}"
    found = api.find(path(namespace, name))
    if found is None:
        raise NoTargetError(f"there is no {words} in {api.cluster.context}")
    if found["spec"].get("paused"):
        raise DriverError(f"{words} is paused: no change of it would be rolled out", hint="kubectl rollout resume")
    return found


def path(namespace: str, name: str) -> str:
    """Return where a deployment is."""
    return f"/apis/apps/v1/namespaces/{quote(namespace)}/deployments/{quote(name)}"


def progress(found: Json) -> Progress:
    """Read a deployment."""
    status: Json = found.get("status") or {}
    numbers = {key: int(status.get(key) or 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return Progress(
        seen=int(status.get("observedGeneration") or 0) >= int(found["metadata"]["generation"]),
        replicas=numbers["replicas"],
        updated=numbers["updatedReplicas"],
        available=numbers["availableReplicas"],
        wanted=int(found["spec"].get("replicas", 1)),
    )


def pods_of(api: Api, namespace: str, found: Json) -> list[dict[str, Any]]:
    """Return the live pods that a deployment's selector matches, as they are in the API."""
    selector = as_text(found["spec"]["selector"]) or ""
    listed = api.get(pods_path(namespace), {"labelSelector": selector})["items"]
    return [item for item in listed if not item["metadata"].get("deletionTimestamp")]


def cannot_pull(pod: Json, image: str) -> bool:
    """Whether a container of a pod waits for that very image, because it cannot be had."""
    wanting = {item["name"] for item in pod["spec"]["containers"] if item.get("image") == image}
    return any(
        item["name"] in wanting and look(item, ("state", "waiting", "reason")) in CANNOT_PULL
        for item in look(pod, ("status", "containerStatuses")) or ()
    )
