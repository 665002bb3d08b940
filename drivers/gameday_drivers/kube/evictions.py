"""Evictions: the deletion of a pod that a disruption budget may put off, asked for again until it is allowed or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from gameday.model import Json
from gameday.spi import DriverError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.pods import Pod, all_pods, as_text, budgets, path

AGAIN_SECONDS = 0.5
"""How long a refused eviction waits until it is asked for again; kubectl drain waits 5 s, a game day has less time."""
_LOOK_SECONDS = 0.1
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
WITHIN_HELP = "how long refused evictions are asked for again, and pods that were evicted may take to end"


def evict_all(api: Api, pods: Sequence[Json], *, grace: int | None, end: float, alive: Callable[[], bool]) -> None:
    """Evict those very pods (``namespace``, ``name``, ``uid``), each as soon as its budget allows, until ``end`` (monotonic).

    One that is gone already is done. DriverError, with how many were, at the end, for any other refusal, and when ``alive`` says
    that whoever asked for this is gone.
    """
    left = list(pods)
    while left:
        still: list[Json] = []
        for place, pod in enumerate(left):
            if not alive():
                raise DriverError("the run has ended: nothing more is evicted")
            try:
                if not _evict(api, pod, grace):
                    still.append(pod)
            except KubeError as error:
                done = len(pods) - len(left) + place - len(still)
                raise DriverError(f"{done} of {len(pods)} pods evicted, then: {error}") from None
        left = still
        if left and time.monotonic() + AGAIN_SECONDS >= end:
            first = f"{left[0]['namespace']}/{left[0]['name']}"
            raise DriverError(
                f"{len(pods) - len(left)} of {len(pods)} pods evicted; {first} is not: {_why(api, left[0])}",
                hint="give it more time (within), or a budget that allows it",
            )
        if left:
            time.sleep(AGAIN_SECONDS)


def _evict(api: Api, pod: Json, grace: int | None) -> bool:
    """Ask once; False when a budget, or the server's own load, puts it off (status 429)."""
    options: dict[str, Any] = {"preconditions": {"uid": pod["uid"]}}
    options |= {} if grace is None else {"gracePeriodSeconds": grace}
    # Without apiVersion: the server takes the one it knows, policy/v1 or, before 1.22, v1beta1.
    body = {"kind": "Eviction", "metadata": {key: pod[key] for key in ("name", "namespace")}, "deleteOptions": options}
    try:
        api.create(f"{path(pod['namespace'], pod['name'])}/eviction", body)
    except KubeError as error:
        if error.status not in (*_GONE, HTTPStatus.TOO_MANY_REQUESTS):
            raise
        return error.status in _GONE
    return True


def _why(api: Api, pod: Json) -> str:
    """Name the budgets that protect a pod, with what they allow now."""
    named: list[str] = []
    for budget in budgets(api, pod["namespace"]):
        selector = as_text(budget["spec"].get("selector"))
        if selector is not None and any(one.uid == pod["uid"] for one in all_pods(api, pod["namespace"], selector)):
            status: Json = budget.get("status") or {}
            named.append(
                f"the disruption budget {budget['metadata']['name']} allows {status.get('disruptionsAllowed', 0)}"
            )
    return " and ".join(named) or "the API server answers 429: it has too much to do"


def await_gone(api: Api, pods: Sequence[Json], *, end: float) -> None:
    """Return when none of those very pods is there any more; DriverError at ``end`` (monotonic)."""
    while left := still_there(api, pods):
        if time.monotonic() >= end:
            raise DriverError(f"{len(left)} of {len(pods)} evicted pods have not ended in time: {left[0].name}")
        time.sleep(_LOOK_SECONDS)


def still_there(api: Api, pods: Sequence[Json]) -> list[Pod]:
    """Return those of them that are there, ending or not."""
    uids = {pod["uid"] for pod in pods}
    spaces = sorted({str(pod["namespace"]) for pod in pods})
    return [pod for space in spaces for pod in all_pods(api, space) if pod.uid in uids]
