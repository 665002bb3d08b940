"""Controllers of custom resources that are faults, as those of Chaos Mesh behave: injected after a moment, recovered before they go."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakes.kube.selection import Object
from tests.fakes.kube.store import CLUSTER_WIDE, Resource, Store, is_going

NETWORK_CHAOS: Resource = ("chaos-mesh.org", "v1alpha1", "networkchaos")
POD_CHAOS: Resource = ("chaos-mesh.org", "v1alpha1", "podchaos")
VIRTUAL_SERVICES: Resource = ("networking.istio.io", "v1", "virtualservices")
WIDE: Resource = ("example.org", "v1", "clusterwidgets")
FINALIZER = "chaos-mesh/records"
_KINDS = {NETWORK_CHAOS: "NetworkChaos", POD_CHAOS: "PodChaos", VIRTUAL_SERVICES: "VirtualService", WIDE: "Wide"}


@dataclass(slots=True)
class ChaosMesh:
    """What is installed in an emulated cluster, with its controller."""

    injects: bool = True
    finishes: bool = True
    """Whether its finalizers ever end."""
    hit: list[str] = field(default_factory=list[str])
    """Names of what was injected."""

    def install(self, store: Store) -> None:
        """Let the server know the kinds."""
        store.kinds |= _KINDS
        assert WIDE in CLUSTER_WIDE

    def step(self, store: Store) -> None:
        """Let the controller look once."""
        for res in (NETWORK_CHAOS, POD_CHAOS):
            for found in store.list(res):
                self._look_at(store, res, found)

    def _look_at(self, store: Store, res: Resource, found: Object) -> None:
        where, name = found["metadata"]["namespace"], found["metadata"]["name"]
        if is_going(found):
            if self.finishes:
                store.drop(res, where, name)
        elif "status" not in found:

            def inject(new: Object) -> None:
                new["metadata"]["finalizers"] = [FINALIZER]
                on, off = str(self.injects), str(not self.injects)
                new["status"] = {
                    "conditions": [{"type": "AllInjected", "status": on}, {"type": "AllRecovered", "status": off}],
                    "experiment": {"desiredPhase": "Run"},
                }

            store.change(res, where, name, inject)
            self.hit.append(name)
