"""Horizontal pod autoscalers: where they are, in whichever version the server knows."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api

RESOURCE, GROUP = "horizontalpodautoscalers", "autoscaling"
_VERSIONS = ("v2", "v2beta2")
"""Of the same form; v2 is there from 1.23 on."""
_LIST_LIMIT = {"limit": "1"}


def hpa_path(api: Api, namespace: str, name: str) -> str:
    """Return where an autoscaler is, in the newest version that the server knows; DriverError when it knows none."""
    for version in _VERSIONS:
        base = f"/apis/{GROUP}/{version}/namespaces/{quote(namespace)}/{RESOURCE}"
        try:
            api.get(base, _LIST_LIMIT)
        except KubeError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        else:
            return f"{base}/{quote(name)}"
    raise DriverError("the API server knows no autoscalers of autoscaling/v2")


def find_hpa(api: Api, namespace: str, name: str) -> tuple[str, Json]:
    """Return an autoscaler and where it is; NoTargetError when there is none."""
    where = hpa_path(api, namespace, name)
    found = api.find(where)
    if found is None:
        raise NoTargetError(f"there is no horizontalpodautoscaler {namespace}/{name} in {api.cluster.context}")
    return where, found
