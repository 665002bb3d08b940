"""What faults have in common that deny pods connections by a policy of their own."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import DriverError, World
from gameday_drivers.kube import policies
from gameday_drivers.kube.api import Api, planned
from gameday_drivers.kube.pods import Pod
from gameday_drivers.kube.reached import REACH_SECONDS, is_reachable_name, is_reached
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, YOUNG_SECONDS, InNamespace, marks, owner

_LOOK_SECONDS = 0.1
_LABELS = re.compile(r"[^\s,=!()]+=[^\s,=!()]*(,[^\s,=!()]+=[^\s,=!()]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Denies(InNamespace):
    """Makes the policy of its plan, and removes it."""

    selector: str = field(metadata={"help": "labels of the pods, like app=payments"})
    check: str = field(
        default="",
        metadata={
            "help": "HOST:PORT which takes connections only while these pods can, like a NodePort, or a URL that they answer; "
            "without it the run is at best inconclusive"
        },
    )
    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    name = ""
    reversible = True

    def check_policy(self) -> None:
        """Raise ValueError for what a policy cannot say, or no check can tell."""
        self.check_namespace()
        if not _LABELS.fullmatch(self.selector):
            raise ValueError("selector is not a list of labels; write one like app=payments,tier=api")
        if self.check and not is_reachable_name(self.check):
            raise ValueError("check is not an address; write HOST:PORT or a URL")

    def check_outbound(self) -> None:
        """Raise ValueError for a check that cannot tell whether pods may connect to others."""
        if self.check and not self.check.startswith("http"):
            raise ValueError(
                "check cannot tell for egress: connections to the pods go on; "
                "name a URL that they answer with 5xx, or not at all, while they cannot connect"
            )

    @property
    def provable(self) -> bool:
        """With ``check``: a policy alone proves nothing, because a network plugin may ignore it."""
        return bool(self.check)

    @property
    def pod_selector(self) -> dict[str, Any]:
        """The selection as a policy has it."""
        return {"matchLabels": dict(part.split("=", 1) for part in self.selector.split(","))}

    def planned_policy(self, api: Api, world: World, spec: Json, pods: Sequence[Pod], words: str) -> Plan:
        """Return the plan; DriverError when ``check`` is not reached now."""
        if self.check and not _is_reached_soon(self.check):
            raise DriverError(f"{self.check} is not reached now: nothing could be told from it")
        undo = {
            "cluster": api.cluster.to_json(),
            "namespace": self.namespace,
            "policy": self.policy_name(world, words),
            "spec": dict(spec),
            "owner": owner(world),
            "expires_ms": self.expires,
            "check": self.check,
        }
        targets = sorted(f"pod {self.namespace}/{pod.name} ({words}) {api.cluster.words}" for pod in pods)
        return Plan(driver=self.name, targets=tuple(targets), undo=undo, ready=sum(pod.ready for pod in pods))

    def policy_name(self, world: World, words: str) -> str:
        """Give every run and fault a policy of its own; run ids are no names in Kubernetes, so a digest stands for them."""
        parts = (world.run_id, world.fault, self.namespace, self.selector, words)
        return f"gameday-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:16]}"

    def inject(self, plan: Plan, world: World) -> None:
        """Make the policy, and return when it is enforced, as far as ``check`` can tell; our own that is there already is done."""
        undo = plan.undo
        with planned(undo) as api:
            marked = marks(world, undo["expires_ms"])
            policies.make(api, undo["namespace"], undo["policy"], undo["spec"], marked)
        end = time.monotonic() + YOUNG_SECONDS
        while undo["check"] and is_reached(undo["check"]) and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure that our policy is there and that ``check`` is not reached; DriverError while it may be enforced any moment."""
        undo = plan.undo
        with planned(undo) as api:
            there, young = policies.there(api, undo["namespace"], undo["policy"], undo["owner"])
        reached = there and bool(undo["check"]) and is_reached(undo["check"])
        if reached and young:
            raise DriverError(f"the policy {undo['policy']} is there, and {undo['check']} is reached still")
        return there and not reached

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Delete that very policy; what is gone is done, and what is not ours stays."""
        undo = plan.undo
        with planned(undo) as api:
            policies.remove(api, undo["namespace"], undo["policy"], undo["owner"])


def _is_reached_soon(address: str) -> bool:
    """Whether it is, within a second: a policy of before may have been taken off just now."""
    end = time.monotonic() + REACH_SECONDS
    while not is_reached(address):
        if time.monotonic() >= end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
