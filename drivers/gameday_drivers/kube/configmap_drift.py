"""Let a ConfigMap drift from what it should be, and put back what is still ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube.access import Need, require
from gameday_drivers.kube.api import connect
from gameday_drivers.kube.drift import Drifts, changeable, keys_in_words
from gameday_drivers.kube.edits import Edit
from gameday_drivers.kube.target import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftConfigMap(Drifts):
    """Set or remove keys of a ConfigMap; pods see it in mounted files within about a minute, in variables when they start again."""

    configmap: str = field(metadata={"help": "its name"})

    name = "k8s.configmap-drift"

    def __post_init__(self) -> None:
        self.check_namespace()
        check_name("configmap", self.configmap)
        self.check_keys()

    def plan(self, world: World) -> Plan:
        """Keep the values that it has; the plan shows them, because a ConfigMap is no place for secrets."""
        words = f"configmap {self.namespace}/{self.configmap}"
        where = f"/api/v1/namespaces/{quote(self.namespace)}/configmaps/{quote(self.configmap)}"
        for key, value in self.set.items():
            if world.secrets.mask(value) != value or any(f"${{{name}}}" in value for name in world.secrets.values):
                raise DriverError(
                    f"set {key} is a secret, and a ConfigMap is no place for one", hint="k8s.secret-drift"
                )
        needs = [Need(verb=verb, resource="configmaps") for verb in ("get", "patch")]
        with connect(self.kubeconfig, self.context) as api:
            require(api, needs, namespace=self.namespace)
            found = changeable(api, where, words)
            has: dict[str, Any] = found.get("data") or {}
            binary = sorted({*self.set, *self.remove} & set(found.get("binaryData") or {}))
            if binary:
                raise DriverError(f"{words} has {', '.join(binary)} as binary data, which is not changed")
            changes = self.changes(has, self.set, words)
            edits = [Edit(path=("data", key), before=has.get(key), after=new) for key, new in changes.items()]
            undo = self.undo(api, where, found, edits, world)
            shown = f"{words} ({keys_in_words(has, changes)}) {api.cluster.words}"
        return Plan(driver=self.name, targets=(shown,), undo=undo)
