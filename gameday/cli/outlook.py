"""What a run would be, without starting anything: targets, phases, load, chances, undo, and what would refuse it."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gameday.cli import alertplan
from gameday.cli.advice import advice, chance_row, together
from gameday.cli.earlier import Earlier
from gameday.cli.outlook_faults import fault_row, planning_world
from gameday.cli.outlook_refusals import forbidden, standing, unplanned, unprovable
from gameday.cli.outlook_sources import look
from gameday.judge.chance import chances
from gameday.judge.counterchance import counter_chances, never_enough, too_short
from gameday.load.limits import open_files_needed
from gameday.model import Reason
from gameday.policy.found import find_policies
from gameday.policy.rules import under
from gameday.runner.bounds import run_max_ms
from gameday.schema.experiment import Experiment, LoadProfile

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

SCHEMA = "gameday/outlook/1"


def outlook(loaded: Loaded, earlier: Earlier | None) -> dict[str, Any]:
    """Return everything that `gameday plan` says about one run, as its JSON has it."""
    policies = find_policies(loaded.path)
    experiment = under(policies, loaded.experiment)
    world = planning_world(loaded)
    faults = [fault_row(fault, experiment, world) for fault in experiment.faults]
    silences = [fault_row(silence, experiment, world) for silence in experiment.silences]
    alerts = alertplan.plan_alerts(experiment, world)
    shares: Mapping[tuple[str, str, str], float] = earlier.shares if earlier else {}
    looks = look(experiment, world)
    known = {one.sli: one.known for one in looks if one.known is not None}
    counted = tuple(counter_chances(experiment, known, shares))
    expected = (*chances(experiment, shares), *counted)
    return {
        "schema": SCHEMA,
        "source": str(loaded.path),
        "variant": dict(loaded.variant),
        "title": experiment.title,
        "hypothesis": experiment.hypothesis,
        "refusals": [
            *standing(loaded),
            *forbidden(policies, experiment, loaded, faults),
            *unplanned((*faults, *silences)),
            *unprovable(Reason.TOO_SHORT, too_short(experiment, known)),
            *unprovable(Reason.TOO_FEW, never_enough(counted)),
            *alertplan.refusals(alerts),
        ],
        "max_ms": run_max_ms(experiment),
        "system": list(experiment.system),
        "slis": [
            {"name": name, "kind": sli.kind, "every_ms": None if sli.is_ratio else sli.every}
            for name, sli in experiment.slis.items()
        ],
        "sources": [one.to_json() for one in looks],
        "load": None if experiment.load is None else _load(experiment.load),
        "phases": list(_phases(experiment)),
        "faults": faults,
        "silenced": [target for silence in silences for target in silence["targets"]],
        "alerts": alerts,
        "abort": [rule.text for rule in experiment.abort],
        "earlier": None if earlier is None else str(earlier.folder),
        "chances": [chance_row(one) for one in expected],
        "chance": together(expected),
        "advice": list(advice(expected, experiment)),
    }


def _load(load: LoadProfile) -> dict[str, Any]:
    return {
        "target": load.target,
        "model": "open" if load.open_model else "closed",
        "peak_rate": load.peak_rate,
        "peak_users": load.peak_users,
        "max_in_flight": load.cap,
        "open_files_needed": open_files_needed(load),
        "open_files_allowed": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def _phases(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield the phases in the load's time; the gate between baseline and fault takes as long as the last answer."""
    phases, clock = experiment.phases, 0
    lengths = {
        "warmup": phases.warmup,
        "baseline": phases.baseline,
        "fault": experiment.fault_ms,
        "recovery": phases.recovery,
    }
    for name, length in lengths.items():
        offered = None if experiment.load is None else round(experiment.load.offered(clock, clock + length))
        yield {"name": name, "from_ms": clock, "to_ms": clock + length, "offered": offered}
        clock += length
