"""Change a few fields of one object under an optimistic lock, and change back what is still ours.

What they were is in the plan, and on the object itself (see marks.py), so that another machine can undo it without a journal. No
secret may be among them: see backup.py.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from gameday.model import Json, Plan
from gameday.spi import DriverError
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.marks import ABSENT, Change, changed, difference
from gameday_drivers.kube.target import is_ours, no_marks, refuse_marked

_NAMED = "name="
TRIES = 5
RETRIED = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field, as it was and as we make it."""

    path: tuple[str, ...]
    """Members from the root; ``name=web`` takes the item of a list that has this name."""
    before: Any
    """None where the field was not there."""
    after: Any

    def to_json(self) -> dict[str, Any]:
        """As plans keep it."""
        return {"path": list(self.path), "before": self.before, "after": self.after}

    @property
    def change(self) -> Change:
        """As the object itself says it."""
        path = tuple({"name": step.removeprefix(_NAMED)} if step.startswith(_NAMED) else step for step in self.path)
        after, before = (ABSENT if value is None else value for value in (self.after, self.before))
        return Change(path=path, ours=after, before=before)

    @classmethod
    def from_json(cls, raw: Json) -> Edit:
        """Read what to_json wrote."""
        return cls(path=tuple(map(str, raw["path"])), before=raw["before"], after=raw["after"])


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """Which very object."""

    where: str
    """Its path in the API."""
    uid: str
    words: str

    @classmethod
    def of(cls, plan: Plan) -> One:
        """Read it from a plan."""
        return cls(where=str(plan.undo["path"]), uid=str(plan.undo["uid"]), words=plan.targets[0])

    def find(self, api: Api) -> Json | None:
        """Return it as it is now, None when it is gone or another one has its name."""
        found = api.find(self.where)
        return found if found is not None and found["metadata"]["uid"] == self.uid else None


def edits_from(raw: Sequence[Json]) -> tuple[Edit, ...]:
    """Read those of a plan."""
    return tuple(map(Edit.from_json, raw))


def look(found: Any, path: Sequence[str]) -> Any:
    """Return the value at a path, None where there is none."""
    for step in path:
        if isinstance(found, list):
            found = _item(found, step)
        elif isinstance(found, Mapping):
            found = cast("Mapping[str, Any]", found).get(step)
        else:
            return None
    return found


def hold(found: Json, edits: Sequence[Edit]) -> bool:
    """Whether every field is as we made it; what the server adds within a field does not count. DriverError when only some are."""
    on = sum(_within(edit.after, look(found, edit.path)) for edit in edits)
    if on not in (0, len(edits)):
        raise DriverError(f"{on} of {len(edits)} fields are as the fault made them")
    return on > 0


def apply(api: Api, one: One, edits: Sequence[Edit], marked: Mapping[str, str]) -> None:
    """Make the edits and the marks in one request.

    Raises DriverError when the object is gone, is another one, has marks, or is not any more as it was planned.
    """
    said = changed(*(edit.change for edit in edits))

    def once() -> None:
        found = free(api, one)
        if any(look(found, edit.path) != edit.before for edit in edits):
            raise DriverError(f"{one.words} was changed by somebody else since it was planned")
        patch(api, one, found, [(edit.path, edit.after) for edit in edits], {**marked, **said})

    unless_newer(one.words, once)


def free(api: Api, one: One) -> Json:
    """Return that very object as it is now; DriverError when it is gone, or a run has changed it."""
    found = one.find(api)
    if found is None:
        raise DriverError(f"{one.words} is gone, or another one has its name")
    refuse_marked(found, one.words)
    return found


def unless_newer(words: str, once: Callable[[], None]) -> None:
    """Read and change, and again when there was a newer version at the change: the server has refused it then.

    Controllers write the status of their objects at any time, and each time it is a newer version.
    """
    for _ in range(TRIES):
        try:
            return once()
        except KubeError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
    raise DriverError(f"{words} changes all the time: nothing was done to it")


def ours(api: Api, one: One, mine: Mapping[str, str]) -> Json | None:
    """Return it while it has our marks; a new one of its name has none of ours."""
    found = one.find(api)
    return found if found is not None and is_ours(found, mine) else None


def restore(api: Api, one: One, edits: Sequence[Edit], mine: Mapping[str, str]) -> None:
    """Put back each field that is still as we made it, and take our marks off; DriverError when that cannot be done."""
    for _ in range(TRIES):
        found = ours(api, one, mine)
        if found is None:
            return
        back = [(edit.path, edit.before) for edit in edits if _within(edit.after, look(found, edit.path))]
        try:
            patch(api, one, found, back, no_marks())
        except KubeError as error:
            if error.status not in RETRIED:
                raise
    if ours(api, one, mine) is not None:
        raise DriverError(f"{one.words} changes all the time: it could not be put back")


def patch(
    api: Api,
    one: One,
    found: Json,
    values: Sequence[tuple[tuple[str, ...], Any]],
    annotations: Mapping[str, str | None],
) -> None:
    """Set values (None: not there) and annotations of that very version; KubeError with status 409 when there is a newer one."""
    new = copy.deepcopy(dict(found))
    for path, value in values:
        _put(new, path, value)
    meta = {key: found["metadata"][key] for key in ("uid", "resourceVersion")}
    api.patch(one.where, {**difference(dict(found), new), "metadata": {**meta, "annotations": dict(annotations)}})


def _put(found: dict[str, Any], path: Sequence[str], value: Any) -> None:
    below: Any = found
    for step in path[:-1]:
        below = _item(below, step) if isinstance(below, list) else below.setdefault(step, {})
    if value is None:
        below.pop(path[-1], None)
    else:
        below[path[-1]] = value


def _item(found: Any, step: str) -> Any:
    return next((item for item in found if item.get("name") == step.removeprefix(_NAMED)), None)


def _within(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        inner = cast("Mapping[str, Any]", wanted)
        return all(_within(value, cast("Mapping[str, Any]", found).get(key)) for key, value in inner.items())
    return bool(wanted == found)
