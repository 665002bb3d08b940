"""How what a fault made or changed is undone from its own annotations: another machine has no journal.

Beside whose it is and until when, an object carries in ``gameday.io/undo`` either ``{"made": true}`` (it is deleted) or ``{"changes":
[…]}``. A change is taken back only where the object still has the value that the fault gave it, and only at the places that faults of
ours change in objects of that kind: whoever may write annotations gains nothing by writing these.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from gameday.model import Json
from gameday.spi import DriverError
from gameday_drivers.kube.target import UNDO, notes

Step = str | Mapping[str, str]
"""A key, or ``{"name": NAME}``: the item of a list that has this name."""
_MOST_BYTES = 100_000
"""What one object may carry for us, of the 256 KiB that Kubernetes allows for all of its annotations."""
_PREFIX = "gameday.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """No value at all."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value of an object, as the fault sets it and as it was; ABSENT where there is, or was, none."""

    path: tuple[Step, ...]
    ours: Any
    before: Any
    kept_in: str = ""
    """The Secret beside the object that has, under the last key of the path, what ``before`` must not show."""

    def to_json(self) -> dict[str, Any]:
        """As the annotation has it; of what is kept elsewhere, only a digest of our value."""
        said: dict[str, Any] = {"path": list(self.path)}
        if self.kept_in:
            return {**said, "ours_sha256": digest(self.ours), "kept_in": self.kept_in}
        said |= {} if self.ours is ABSENT else {"ours": self.ours}
        return said | ({} if self.before is ABSENT else {"before": self.before})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object that can carry our marks."""

    resource: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    """Newest first; what the server does not know is not asked again."""
    namespaced: bool = True
    places: tuple[str, ...] = field(default=())
    """Where faults of ours change objects of this kind, as ``spec.replicas``."""
    prefix: str = field(default="")
    """How the names of those begin that faults of ours make, and that may be deleted."""

    @property
    def word(self) -> str:
        """One of them, in words: ``network policy``."""
        plural = self.resource.replace("networkpolicies", "network policies")
        return f"{plural.removesuffix('ies')}y" if plural.endswith("ies") else plural.removesuffix("s")

    @property
    def bases(self) -> tuple[str, ...]:
        """The paths of its API, newest first."""
        return tuple(f"/apis/{self.group}/{version}" if self.group else f"/api/{version}" for version in self.versions)


_CHAOS_MESH = ("dnschaos", "httpchaos", "iochaos", "networkchaos", "podchaos", "stresschaos", "timechaos")
KINDS = (
    Kind(resource="nodes", namespaced=False, places=("spec.unschedulable",)),
    Kind(resource="deployments", group="apps", places=("spec.replicas", "spec.template")),
    Kind(resource="horizontalpodautoscalers", group="autoscaling", versions=("v2", "v2beta2"), places=("spec",)),
    Kind(resource="configmaps", places=("data", "binaryData"), prefix="gameday-"),
    Kind(resource="networkpolicies", group="networking.k8s.io", prefix="gameday-"),
    *(Kind(resource=name, group="chaos-mesh.org", versions=("v1alpha1",), prefix="gameday-") for name in _CHAOS_MESH),
    Kind(resource="virtualservices", group="networking.istio.io", versions=("v1", "v1beta1"), prefix="gameday-"),
    Kind(resource="pods", prefix="gameday-"),
    Kind(resource="secrets", places=("data",), prefix="gameday-"),  # last: what is kept in them is read before they go
)


def made() -> dict[str, str]:
    """Return the annotation of what the undo deletes."""
    return {UNDO: json.dumps({"made": True})}


def changed(*changes: Change) -> dict[str, str]:
    """Return the annotation of what the undo changes back; DriverError when it does not fit into annotations."""
    text = json.dumps({"changes": [change.to_json() for change in changes]}, separators=(",", ":"))
    if len(text.encode()) > _MOST_BYTES:
        raise DriverError(f"the undo would not fit into an annotation: it is longer than {_MOST_BYTES} bytes")
    return {UNDO: text}


def digest(value: Any) -> str:
    """Return the digest by which a value that must not be shown is known again; empty for none."""
    return "" if value is ABSENT else hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def undo_of(found: Json) -> Json:
    """Read an object's undo; DriverError when it has none, or none that is ours."""
    try:
        raw: Any = json.loads(notes(found)[UNDO])
    except (KeyError, ValueError):
        raw = None
    if isinstance(raw, dict) and isinstance(cast("Json", raw).get("changes", []), list):
        return cast("Json", raw)
    raise DriverError("its annotations do not say how it was", hint=f"put it back by hand, and remove its {_PREFIX}…")


def take_back(found: Json, kind: Kind, kept: Mapping[str, Json]) -> dict[str, Any]:
    """Return the merge patch that takes back what is still ours, and our marks, of that very version of the object.

    ``kept`` is the data of the Secrets that the changes name. DriverError for a place that no fault of ours changes in this kind.
    """
    changes: Sequence[Json] = undo_of(found).get("changes", [])
    new = copy.deepcopy(dict(found))
    for change in changes:
        _take_back(new, change, kind, kept)
    meta = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
    gone = {key: None for key in notes(found) if key.startswith(_PREFIX)}
    return {**difference(dict(found), new), "metadata": {**meta, "annotations": gone}}


def _take_back(new: dict[str, Any], change: Json, kind: Kind, kept: Mapping[str, Json]) -> None:
    path: Sequence[Step] = change["path"]
    words = ".".join(step if isinstance(step, str) else step["name"] for step in path)
    if not any(f"{words}.".startswith(f"{place}.") for place in kind.places):
        raise DriverError(f"its annotation would change {words}, which no fault of ours changes in {kind.resource}")
    holder: Any = new
    for step in path[:-1]:
        holder = _below(holder, step)
        if holder is None:
            return
    last = cast("str", path[-1])
    now: Any = holder.get(last, ABSENT)
    if "kept_in" in change:
        if digest(now) != change["ours_sha256"]:
            return
        if change["kept_in"] not in kept:
            raise DriverError(f"the Secret {change['kept_in']} that has its {last} is gone")
        before: Any = kept[change["kept_in"]].get(last, ABSENT)
    else:
        if now != change.get("ours", ABSENT):
            return
        before = change.get("before", ABSENT)
    if before is ABSENT:
        holder.pop(last, None)
    else:
        holder[last] = before


def _below(holder: Any, step: Step) -> Any:
    match holder, step:
        case dict(), str():
            return cast("dict[str, Any]", holder).get(step)
        case [*items], {"name": name}:
            return next((item for item in items if item.get("name") == name), None)
        case _:
            return None


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the merge patch (RFC 7386) from one to the other; a list is replaced as a whole."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        was = old.get(key)
        if isinstance(value, dict) and isinstance(was, dict):
            below = difference(cast("dict[str, Any]", was), cast("dict[str, Any]", value))
            patch |= {key: below} if below else {}
        elif key not in old or value != was:
            patch[key] = value
    return patch
