"""How long a run, and each of its faults, can take at most: what `gameday plan` prints and what the proxy's own end is set by."""

from __future__ import annotations

from gameday.schema.experiment import Experiment, FaultSpec
from gameday.spi.driver import INJECT_SECONDS, REVERT_SECONDS, Driver

_SLACK_MS = 60_000
"""For starting, judging and putting away."""
_WORKERS_MS = 60_000
"""For Locust's workers to connect."""
_WITNESSES_MS = 90_000
"""For what is fetched at the gate, and after the phases: its own bound is in gameday.runner.witnesses."""


def run_max_ms(experiment: Experiment) -> int:
    """Return the sum of a run's phases, its gate and its deadlines, in milliseconds."""
    known = experiment.phases
    deadlines = sum(process.ready.timeout for process in experiment.system.values() if process.ready)
    load = experiment.load
    timeout = load.timeout if load is not None else 0
    waiting = _WORKERS_MS if load is not None and load.workers is not None else 0
    phases = known.warmup + known.baseline + experiment.fault_ms + known.recovery
    hearing = 2 * _WITNESSES_MS if experiment.witnessed else 0
    return phases + deadlines + waiting + 2 * timeout + hearing + _SLACK_MS


def fault_max_ms(fault: FaultSpec, driver: Driver) -> int:
    """Return how long a fault can be on: its length and the deadlines of its inject and its revert, in milliseconds."""
    inject = float(getattr(driver, "inject_seconds", INJECT_SECONDS))
    revert = float(getattr(driver, "revert_seconds", REVERT_SECONDS)) if driver.reversible else 0.0
    return fault.length + round(1000 * (inject + revert))
