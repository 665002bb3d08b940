"""Any action of any Chaos Toolkit extension as a fault, with a deadline, an undo and a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday_drivers import chaostoolkit_lib as lib
from gameday_drivers.chaostoolkit_call import Call, read_call, revealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosToolkit:
    """Call an action of a Chaos Toolkit extension, and the action that undoes it."""

    module: str = field(default="", metadata={"help": "a Python module, like chaosk8s.pod.actions"})
    func: str = field(default="", metadata={"help": "a function in it"})
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "its arguments, by name"})
    provider: Mapping[str, Any] | None = field(
        default=None, metadata={"help": "instead of the three: any provider as Chaos Toolkit writes it, with its type"}
    )
    undo: Mapping[str, Any] = field(
        default_factory=dict[str, Any],
        metadata={"help": "the action that undoes it, {module, func, arguments}; without it, irreversible"},
    )
    active_: Mapping[str, Any] = field(
        default_factory=dict[str, Any],
        metadata={"help": "a probe that is within its tolerance (default: true) while the fault is on"},
    )
    secrets: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"help": "what it gets as secrets"})
    configuration: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "what it gets as configuration"}
    )
    timeout: int = field(
        default=10_000, metadata={"unit": "duration", "min": 1, "help": "how long it, and its undo, may take"}
    )

    name = "chaostoolkit"

    def __post_init__(self) -> None:
        self._call()
        for where, raw in (("undo", self.undo), ("active", self.active_)):
            if raw:
                read_call(where, raw, "action" if where == "undo" else "probe")

    def _call(self) -> Call:
        given = {"module": self.module, "func": self.func, "arguments": self.arguments}
        if self.provider is not None:
            given = {**{key: value for key, value in given.items() if value}, "provider": self.provider}
        return read_call("module" if self.provider is None else "provider", given, "action")

    @property
    def reversible(self) -> bool:
        """With an undo action; without one the fault needs ``irreversible: allow``."""
        return bool(self.undo)

    @property
    def provable(self) -> bool:
        """With an ``active`` probe; without one the run is at best inconclusive."""
        return bool(self.active_)

    @property
    def inject_seconds(self) -> float:
        """The deadline, at which the host that calls it is killed with all that it has started."""
        return self.timeout / 1000

    @property
    def revert_seconds(self) -> float:
        """The deadline of the undo."""
        return self.timeout / 1000

    def plan(self, world: World) -> Plan:  # noqa: ARG002 - the interface
        """Import what would be called and check its arguments; keep what undoes and checks it."""
        call = self._call()
        undo = read_call("undo", self.undo, "action").to_json() if self.undo else None
        active = read_call("active", self.active_, "probe").to_json() if self.active_ else None
        for activity in (call.to_json(), undo, active):
            if activity is not None:
                lib.check(activity)
        kept = {"secrets": dict(self.secrets), "configuration": dict(self.configuration)}
        return Plan(driver=self.name, targets=(call.shown,), undo={"undo": undo, "active": active, **kept})

    def inject(self, plan: Plan, world: World) -> None:
        """Call the action; raise DriverError when it fails."""
        _perform(self._call().to_json(), plan, world)

    def active(self, plan: Plan, world: World) -> bool:
        """Ask the probe; raise DriverError when it fails, or nobody can compare what it says."""
        probe = plan.undo["active"]
        if probe is None:
            raise DriverError("this action has no check", hint="give a probe as active: {module, func, arguments}")
        found = _perform(probe, plan, world)
        given = revealed(plan.undo["configuration"], world), revealed(plan.undo["secrets"], world)
        return lib.within(probe["tolerance"], found, *given)

    def revert(self, plan: Plan, world: World) -> None:
        """Call the undo action, which must be safe to call twice, and before the fault."""
        if plan.undo["undo"] is not None:
            _perform(plan.undo["undo"], plan, world)


def _perform(activity: Mapping[str, Any], plan: Plan, world: World) -> Any:
    given = revealed(plan.undo["configuration"], world), revealed(plan.undo["secrets"], world)
    return lib.perform(revealed(activity, world), *given)
