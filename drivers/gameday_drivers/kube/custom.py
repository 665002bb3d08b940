"""A custom resource as a file gives it: what it must say, how its end is known, and what proves it."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.jsonpath import Path, parse_path, value_at
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.edits import look

NONE = "none"
_API_VERSION = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)+)/(v[a-z0-9]+)")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+")
"""As Go reads it (time.ParseDuration), in the units that make sense here."""
_SYSTEM_GROUP = "k8s.io"
_META = frozenset(("labels", "annotations"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where the server has a kind."""

    plural: str
    base: str
    """The path of its objects in the namespace."""


def api_version_of(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Return group and version; raise ValueError for what is no custom resource, or says what only we may say."""
    match = _API_VERSION.fullmatch(str(resource.get("apiVersion", "")))
    if match is None or f".{match[1]}".endswith(f".{_SYSTEM_GROUP}"):
        raise ValueError("resource has no apiVersion of a custom resource; write one like chaos-mesh.org/v1alpha1")
    if not _KIND.fullmatch(str(resource.get("kind", ""))):
        raise ValueError("resource has no kind; write one like NetworkChaos")
    odd = sorted(set(resource.get("metadata") or {}) - _META)
    if odd:
        raise ValueError(
            f"resource has metadata.{odd[0]}, which is ours to give; labels and annotations may stand there"
        )
    return match[1], match[2]


def check_expiry(resource: Mapping[str, Any], expires_by: str) -> None:
    """Raise ValueError unless the resource says at that path how long it lasts, or it is said that nothing ends it."""
    if expires_by == NONE:
        return
    found = look(resource, expires_by.split("."))
    if not isinstance(found, str) or not _DURATION.fullmatch(found) or not re.search("[1-9]", found):
        raise ValueError(
            f"resource has no duration at {expires_by}, so that it would outlive whoever undoes it; "
            "write one like 60s there, or name by expires_by where it is (none: nothing ends it by itself)"
        )


def check_reach(resource: Mapping[str, Any], namespace: str) -> None:
    """Raise ValueError when it names another namespace as its target."""
    others = sorted(set(_namespaces(resource.get("spec"))) - {namespace})
    if others:
        raise ValueError(f"resource is about the namespace {others[0]}, and the fault is for {namespace}")


def _namespaces(found: Any) -> Generator[str]:
    if isinstance(found, Mapping):
        for key, value in cast("Mapping[str, Any]", found).items():
            if key == "namespaces" and isinstance(value, (list, tuple)):
                yield from map(str, cast("list[Any]", value))
            elif key == "namespace" and isinstance(value, str):
                yield value
            else:
                yield from _namespaces(value)
    elif isinstance(found, (list, tuple)):
        for item in cast("list[Any]", found):
            yield from _namespaces(item)


def plain(found: Any) -> Any:
    """Return it as JSON has it: a YAML list arrives as a tuple."""
    if isinstance(found, Mapping):
        return {str(key): plain(value) for key, value in cast("Mapping[str, Any]", found).items()}
    if isinstance(found, (list, tuple)):
        return [plain(item) for item in cast("list[Any]", found)]
    return found


def check_proof(proven_by: Mapping[str, Any]) -> None:
    """Raise ValueError unless it names a condition and its status, or a path and what is there then."""
    keys = frozenset(proven_by)
    if keys not in (
        frozenset(),
        frozenset(("condition",)),
        frozenset(("condition", "status")),
        frozenset(("json", "equals")),
    ):
        raise ValueError('proven_by is {condition: NAME, status: "True"} or {json: $.status.x, equals: VALUE}')
    if "json" in keys:
        _path(str(proven_by["json"]))


def _path(text: str) -> Path:
    try:
        return parse_path(text)
    except ValueError as error:
        raise ValueError(f"proven_by has {error}") from None


def is_proven(found: Json, proven_by: Json) -> bool:
    """Measure whether the object's status says so; without ``proven_by``, that it is there."""
    if "condition" in proven_by:
        conditions = look(found, ("status", "conditions")) or ()
        wanted = str(proven_by.get("status", "True"))
        return any(c.get("type") == proven_by["condition"] and str(c.get("status")) == wanted for c in conditions)
    if "json" in proven_by:
        try:
            return bool(value_at(found, _path(str(proven_by["json"]))) == proven_by["equals"])
        except ValueError:
            return False
    return True


def discover(api: Api, group: str, version: str, kind: str, namespace: str) -> Found:
    """Ask the server where it has a kind; NoTargetError when it knows none, DriverError for one that is in no namespace."""
    root = f"/apis/{group}/{version}"
    try:
        listed = api.get(root).get("resources") or ()
    except KubeError as error:
        if error.status != 404:  # noqa: PLR2004 - HTTP
            raise
        listed = ()
    found = next((item for item in listed if item.get("kind") == kind and "/" not in item["name"]), None)
    if found is None:
        raise NoTargetError(f"{api.cluster.context} knows no {kind} of {group}/{version}", hint="install what it is of")
    if not found.get("namespaced"):
        raise DriverError(f"{kind} of {group}/{version} is for the whole cluster, and faults are for one namespace")
    plural = str(found["name"])
    return Found(plural=plural, base=f"{root}/namespaces/{namespace}/{plural}")
