"""The values of a Secret before a fault: in a Secret of their own beside it, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from gameday.model import Json
from gameday.spi import DriverError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.marks import made
from gameday_drivers.kube.target import is_ours

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def keep(api: Api, base: str, name: str, data: Mapping[str, str], marked: Mapping[str, str]) -> None:
    """Make it, immutable; DriverError when there is one of this name, because whose values it has is unknown."""
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "immutable": True}
    body |= {"metadata": {"name": name, "annotations": {**marked, **made()}}, "data": dict(data)}
    try:
        api.create(base, body)
    except KubeError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        raise DriverError(f"there is a Secret {name} already: undo first what it is for") from None


def kept(api: Api, base: str, name: str, mine: Mapping[str, str]) -> Json | None:
    """Return it, None when there is none of ours."""
    found = api.find(f"{base}/{name}")
    return found if found is not None and is_ours(found, mine) else None


def drop(api: Api, base: str, found: Json) -> None:
    """Delete that very one; what is gone is done."""
    try:
        api.delete(f"{base}/{found['metadata']['name']}", uid=found["metadata"]["uid"])
    except KubeError as error:
        if error.status not in _GONE:
            raise
