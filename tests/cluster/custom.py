"""A kind of custom resource that is a fault, and its controller: injected after a moment, recovered before it goes."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gameday.testing import eventually
from tests.cluster.real import WAIT_SECONDS, Shop

VERSION, KIND, PLURAL = "v1", "SlowNetwork", "slownetworks"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LOOK_SECONDS = 0.1


def _definition(group: str) -> dict[str, Any]:
    spec = {"type": "object", "required": ["duration"], "properties": {"duration": {"type": "string"}}}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": spec, "status": free}, "required": ["spec"]}
    version = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": PLURAL, "singular": KIND.lower(), "kind": KIND, "listKind": f"{KIND}List"},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


@dataclass(slots=True)
class Controller:
    """Looks after the resources of one namespace, as that of Chaos Mesh does."""

    shop: Shop
    group: str
    """This test's own."""
    finishes: bool = True
    """Whether its finalizers ever end."""
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def path(self) -> str:
        """Where its resources are."""
        return f"/apis/{self.group}/{VERSION}/namespaces/{self.shop.namespace}/{PLURAL}"

    def found(self) -> list[Any]:
        """Return its resources as they are now."""
        return list(self.shop.ask("GET", self.path)["items"])

    def run(self) -> None:
        """Look again and again; a resource that somebody else writes meanwhile is looked at the next time."""
        while not self._ended.wait(_LOOK_SECONDS):
            with suppress(Exception):
                for resource in self.found():
                    self._look_at(resource)

    def stop(self) -> None:
        self._ended.set()

    def _look_at(self, resource: Any) -> None:
        meta = resource["metadata"]
        where = f"{self.path}/{meta['name']}"
        if meta.get("deletionTimestamp"):
            if self.finishes:
                meta["finalizers"] = []
                self.shop.ask("PUT", where, resource)
        elif "status" not in resource:
            meta["finalizers"] = [f"{self.group}/records"]
            new = self.shop.ask("PUT", where, resource)
            new["status"] = {"conditions": [{"type": "AllInjected", "status": "True"}]}
            self.shop.ask("PUT", f"{where}/status", new)


@contextmanager
def installed(shop: Shop) -> Generator[Controller]:
    """Let the cluster know the kind while the block runs."""
    group = f"t{secrets.token_hex(4)}.gameday.example"
    definition = f"{_DEFINITIONS}/{PLURAL}.{group}"
    shop.ask("POST", _DEFINITIONS, _definition(group))
    controller = Controller(shop, group)
    thread = threading.Thread(target=controller.run)
    thread.start()
    try:
        assert eventually(lambda: shop.finds(controller.path), WAIT_SECONDS), "the server does not serve the kind"
        yield controller
    finally:
        controller.finishes = True
        shop.ask("DELETE", definition)
        gone = eventually(lambda: not shop.finds(definition), WAIT_SECONDS)
        controller.stop()
        thread.join()
        assert gone, "the kind is still there"
