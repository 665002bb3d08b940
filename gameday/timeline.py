"""Pure: an experiment's faults in, ordered steps in whole milliseconds from time zero out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gameday.schema.experiment import Experiment, FaultSpec

StepKind = Literal["arm", "revert", "observed", "inject"]
ZERO_AFTER_GATE_MS = 200
"""Time zero of the timeline is this long after the baseline gate's decision."""
ARM_BEFORE_MS = 150
"""``armed`` is written this long before ``at``, so that it is on disk at least 100 ms before."""
_ORDER: dict[StepKind, int] = {"revert": 0, "observed": 1, "arm": 2, "inject": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do to one fault."""

    at_ms: int
    kind: StepKind
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Every step in the order it is due; at equal times what ends comes before what begins."""

    steps: tuple[Step, ...]
    end_ms: int
    """When the last fault is over."""

    def of(self, fault: str) -> dict[StepKind, int]:
        """When each step of one fault is due."""
        return {step.kind: step.at_ms for step in self.steps if step.fault == fault}


def _steps(fault: FaultSpec) -> tuple[Step, ...]:
    if fault.length <= 0:
        raise ValueError(f"fault {fault.name!r} has no length: it would be left injected")
    last: StepKind = "observed" if fault.irreversible else "revert"
    return (
        Step(at_ms=fault.at - ARM_BEFORE_MS, kind="arm", fault=fault.name),
        Step(at_ms=fault.at, kind="inject", fault=fault.name),
        Step(at_ms=fault.at + fault.length, kind=last, fault=fault.name),
    )


def compile_timeline(experiment: Experiment) -> Timeline:
    """Expand the faults of an experiment; raise ValueError for one without a length."""
    steps = [step for fault in experiment.faults for step in _steps(fault)]
    ordered = tuple(sorted(steps, key=lambda step: (step.at_ms, _ORDER[step.kind])))
    return Timeline(steps=ordered, end_ms=experiment.fault_ms)
