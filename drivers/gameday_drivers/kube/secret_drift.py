"""Let a Secret drift: a password that was rotated elsewhere, a key that is gone; and put back what is still ours."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube import backup
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, connect, planned
from gameday_drivers.kube.drift import Drifts, changeable, keys_in_words
from gameday_drivers.kube.edits import RETRIED, TRIES, One, free, ours, patch, unless_newer
from gameday_drivers.kube.marks import ABSENT, KINDS, Change, changed, digest, take_back, undo_of
from gameday_drivers.kube.target import check_name, marks, owner

FENCE = "gameday.io/fence"
_SECRETS = next(kind for kind in KINDS if kind.resource == "secrets")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSecret(Drifts):
    """Set or remove keys of a Secret; the values from before wait in another Secret beside it, and are never printed."""

    secret: str = field(metadata={"help": "its name"})

    name = "k8s.secret-drift"

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("secret", self.secret)
        self.check_keys()

    def plan(self, world: World) -> Plan:
        """Name the keys; no value is in the plan, neither old nor new."""
        words, base = f"secret {self.namespace}/{self.secret}", _base(self.namespace)
        needs = [Need(verb=verb, resource="secrets") for verb in ("create", "delete", "get", "patch")]
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            found = changeable(api, f"{base}/{quote(self.secret)}", words)
            has: dict[str, Any] = found.get("data") or {}
            changes = self.changes(has, self._written(world), words)
            undo = {
                "cluster": api.cluster.to_json(),
                "base": base,
                "path": f"{base}/{quote(self.secret)}",
                "uid": found["metadata"]["uid"],
                "backup": self._backup_name(world),
                "owner": owner(world),
                "expires_ms": self.expires,
            }
            shown = f"{words} ({keys_in_words(has, changes)}) {api.cluster.words}"
        return Plan(driver=self.name, targets=(shown,), undo=undo)

    def _written(self, world: World) -> dict[str, str]:
        """Return the new values as a Secret has them, with references put in."""
        return {key: b64encode(world.secrets.reveal(value).encode()).decode() for key, value in self.set.items()}

    def _backup_name(self, world: World) -> str:
        parts = (world.run_id, world.fault, self.namespace, self.secret)
        return f"gameday-backup-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:16]}"

    def inject(self, plan: Plan, world: World) -> None:
        """Back up what will change, then change it, in that very version only."""
        undo, one = plan.undo, One.of(plan)
        with planned(undo) as api:
            has: dict[str, Any] = free(api, one).get("data") or {}
            changes = self.changes(has, self._written(world), one.words)
            marked = marks(world, undo["expires_ms"])
            kept = {key: has[key] for key in changes if key in has}
            said = changed(*(_change(key, has, changes, undo["backup"]) for key in changes))
            backup.keep(api, undo["base"], undo["backup"], kept, marked)

            def once() -> None:
                found = free(api, one)
                now: dict[str, Any] = found.get("data") or {}
                if {key: now[key] for key in changes if key in now} != kept:
                    raise DriverError(f"{one.words} was changed by somebody else just now")
                patch(api, one, found, [(("data", key), new) for key, new in changes.items()], {**marked, **said})

            unless_newer(one.words, once)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether that very Secret has our marks and our values, which are known by their digests.

        DriverError when only some are ours, or the backup is there without a change: then the undo has not ended.
        """
        undo = plan.undo
        with planned(undo) as api:
            found = ours(api, One.of(plan), undo["owner"])
            if found is None and backup.kept(api, undo["base"], undo["backup"], undo["owner"]) is not None:
                raise DriverError(f"the Secret {undo['backup']} with the values from before is still there")
        if found is None:
            return False
        has: dict[str, Any] = found.get("data") or {}
        changes: Sequence[Json] = undo_of(found).get("changes", [])
        on = sum(digest(has.get(change["path"][-1], ABSENT)) == change["ours_sha256"] for change in changes)
        if on not in (0, len(changes)):
            raise DriverError(f"{on} of {len(changes)} keys are as the fault made them")
        return bool(on)

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Put back what is still ours, take our marks off, and delete the backup; DriverError when the backup is lost."""
        undo, one = plan.undo, One.of(plan)
        with planned(undo) as api:
            has = backup.kept(api, undo["base"], undo["backup"], undo["owner"])
            before: dict[str, Json] = {} if has is None else {str(undo["backup"]): has.get("data") or {}}
            for _ in range(TRIES):
                if _undone(api, one, undo["owner"], before):
                    break
            else:
                raise DriverError(f"{one.words} changes all the time: it could not be put back")
            if has is not None:
                backup.drop(api, undo["base"], has)


def _base(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace)}/secrets"


def _change(key: str, has: Mapping[str, Any], changes: Mapping[str, str | None], kept_in: str) -> Change:
    new = changes[key]
    return Change(path=("data", key), ours=ABSENT if new is None else new, before=has.get(key, ABSENT), kept_in=kept_in)


def _undone(api: Api, one: One, mine: Mapping[str, str], before: Mapping[str, Json]) -> bool:
    """Take one step towards the Secret as it was; return whether it is, and no change of ours can come any more."""
    try:
        found = one.find(api)
        if found is None:
            return True
        if ours(api, one, mine) is not None:
            api.patch(one.where, take_back(found, _SECRETS, before))
            return one.find(api) is None or ours(api, one, mine) is None
        if not before:
            return True
        # A backup without a change: whoever made it may have died with the change on its way, for the version that is there now.
        patch(api, one, found, [], {FENCE: "up"})
        found = one.find(api)
        if found is None or ours(api, one, mine) is not None:
            return found is None
        patch(api, one, found, [], {FENCE: None})
    except KubeError as error:
        if error.status not in RETRIED:
            raise
        return False
    return True
