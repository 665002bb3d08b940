"""A cluster as a place where runs of any machine may have left something: found by its marks, undone from its annotations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from gameday.model import Json
from gameday.spi import DriverError
from gameday.spi.leftover import Mark, Marks
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, connect
from gameday_drivers.kube.marks import KINDS, Kind, made, take_back, undo_of
from gameday_drivers.kube.target import EXPIRES, FAULT, RUN, UNDO, notes

_PAGE = "500"
"""Objects that are asked for at once."""
_TRIES = 5
_FINALIZER_SECONDS = 2.0
"""How long is waited, each time, for who has to finish something before what was deleted is gone."""
_MADE = made()
_AGAIN = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMarks:
    """The marks in one cluster, in all of its namespaces unless some are named."""

    kubeconfig: str
    context: str
    namespaces: tuple[str, ...] = ()

    def look(self) -> Marks:
        """Find every object with our marks: what was changed first, because what was made may be what it is undone from."""
        found: list[tuple[bool, Mark]] = []
        unseen: list[str] = []
        with connect(self.kubeconfig, self.context) as api:
            for kind in KINDS:
                for where in self.namespaces if kind.namespaced and self.namespaces else ("",):
                    try:
                        found += _marked(api, kind, where)
                    except KubeError as error:
                        place = f" in {where}" if where else ""
                        unseen.append(f"{kind.resource}{place}: {error}")
        return Marks(found=tuple(mark for _, mark in sorted(found, key=lambda one: one[0])), unseen=tuple(unseen))

    def undo(self, mark: Mark) -> None:
        """Take it back if it still has the marks of that run; DriverError when that cannot be done, or is not what it then shows."""
        resource, _, path = mark.key.partition(" ")
        kind = next(kind for kind in KINDS if kind.resource == resource)
        with connect(self.kubeconfig, self.context) as api:
            for _ in range(_TRIES):
                found = api.find(path)
                if found is None or notes(found).get(RUN) != mark.run or notes(found).get(FAULT, "") != mark.fault:
                    return
                if found["metadata"].get("deletionTimestamp"):
                    time.sleep(_FINALIZER_SECONDS)
                    continue
                try:
                    _undo(api, kind, path, found)
                except KubeError as error:
                    if error.status not in _AGAIN:
                        raise
        raise DriverError(f"{mark.what} has our marks still, after {_TRIES} attempts")


def _undo(api: Api, kind: Kind, path: str, found: Json) -> None:
    name = str(found["metadata"]["name"])
    if undo_of(found).get("made") is not True:
        api.patch(path, take_back(found, kind, _kept(api, found)))
        return
    if not kind.prefix or not name.startswith(kind.prefix):
        raise DriverError(f"it says that a fault has made it, and no fault of ours makes {kind.resource} of this name")
    api.delete(path, uid=str(found["metadata"]["uid"]), grace=0 if kind.resource == "pods" else None)


def _kept(api: Api, found: Json) -> dict[str, Json]:
    """Read the Secrets beside it that have what must not be in annotations."""
    names = {str(change["kept_in"]) for change in undo_of(found).get("changes", ()) if "kept_in" in change}
    base = f"/api/v1/namespaces/{quote(str(found['metadata'].get('namespace')))}/secrets"
    secrets = ((name, api.find(f"{base}/{quote(name)}")) for name in sorted(names))
    return {name: secret.get("data") or {} for name, secret in secrets if secret is not None}


def _marked(api: Api, kind: Kind, namespace: str) -> list[tuple[bool, Mark]]:
    """Return what has our marks, and whether a fault has made it; nothing for a kind that the server does not know."""
    for base in kind.bases:
        where = f"{base}/namespaces/{quote(namespace)}/{kind.resource}" if namespace else f"{base}/{kind.resource}"
        try:
            mine = [item for item in _all(api, where) if RUN in notes(item)]
        except KubeError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        else:
            return [(notes(item).get(UNDO) == _MADE[UNDO], _mark(kind, base, item)) for item in mine]
    return []


def _all(api: Api, where: str) -> Iterator[Any]:
    query = {"limit": _PAGE}
    while True:
        page = api.get(where, query)
        yield from page["items"]
        about: Json = page.get("metadata") or {}
        more = str(about.get("continue") or "")
        if not more:
            return
        query = {"limit": _PAGE, "continue": more}


def _mark(kind: Kind, base: str, item: Json) -> Mark:
    meta, has = item["metadata"], notes(item)
    inside = f"/namespaces/{quote(str(meta['namespace']))}" if kind.namespaced else ""
    named = f"{meta['namespace']}/{meta['name']}" if kind.namespaced else str(meta["name"])
    return Mark(
        what=f"{kind.word} {named}",
        run=str(has[RUN]),
        fault=str(has.get(FAULT, "")),
        expires=str(has.get(EXPIRES, "")),
        expired=_expired(str(has.get(EXPIRES, ""))),
        key=f"{kind.resource} {base}{inside}/{kind.resource}/{quote(str(meta['name']))}",
    )


def _expired(text: str) -> bool:
    """Whether that time is over; what says no time, or none that can be read, never is by itself."""
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return False
    return end.tzinfo is not None and end < datetime.now(UTC)
