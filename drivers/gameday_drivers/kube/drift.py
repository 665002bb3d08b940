"""What drift of a ConfigMap and of a Secret have in common: which keys get which value, and which are removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json
from gameday.spi import DriverError, NoTargetError
from gameday_drivers.kube.api import Api
from gameday_drivers.kube.changing import ChangesOne
from gameday_drivers.kube.target import refuse_marked

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts(ChangesOne):
    """Sets and removes keys of an object's ``data``."""

    set: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "key: value, as text"})
    remove: tuple[str, ...] = field(default=(), metadata={"help": "keys that shall not be there"})

    def check_keys(self) -> None:
        """Raise ValueError for what is no key, no text, both set and removed, or nothing at all."""
        if not self.set and not self.remove:
            raise ValueError("set is empty, and so is remove: nothing would change")
        for name, keys in (("set", tuple(self.set)), ("remove", self.remove)):
            wrong = [key for key in keys if not _KEY.fullmatch(key)]
            if wrong:
                raise ValueError(f"{name} has what is no key: {wrong[0]!r:.80}")
        odd = [key for key, value in self.set.items() if not isinstance(value, str)]
        if odd:
            raise ValueError(f'set takes text: write {odd[0]}: "…" in quotes')
        both = set(self.set) & set(self.remove)
        if both:
            raise ValueError(f"set and remove both have {min(both)}")

    def changes(self, has: Mapping[str, Any], written: Mapping[str, str], words: str) -> dict[str, str | None]:
        """Return key → its new value, None to remove it, in the order of keys.

        Raises NoTargetError when a key that is to be removed is not there, or everything is as it shall be already.
        """
        missing = [key for key in self.remove if key not in has]
        if missing:
            raise NoTargetError(
                f"{words} has no key {', '.join(missing)}; there are {', '.join(sorted(has)) or 'none'}"
            )
        wanted: dict[str, str | None] = {**written, **dict.fromkeys(self.remove)}
        changes = {key: wanted[key] for key in sorted(wanted) if has.get(key) != wanted[key]}
        if not changes:
            raise NoTargetError(f"{words} has these values already")
        return changes


def changeable(api: Api, where: str, words: str) -> Json:
    """Return an object that a fault may change; NoTargetError when there is none, DriverError for an immutable one."""
    found = api.find(where)
    if found is None:
        raise NoTargetError(f"there is no {words} in {api.cluster.context}")
    refuse_marked(found, words)
    if found.get("immutable"):
        raise DriverError(f"{words} is immutable: the API server lets nobody change it")
    return found


def keys_in_words(has: Mapping[str, Any], changes: Mapping[str, str | None]) -> str:
    """Say which keys change and how; never a value."""
    kinds = {key: "removed" if new is None else "changed" if key in has else "added" for key, new in changes.items()}
    return ", ".join(f"{key} {kind}" for key, kind in kinds.items())
