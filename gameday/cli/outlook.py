"""What a run would be, without starting anything: targets, phases, load, chances, undo, and what would refuse it."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gameday.cli import alertplan
from gameday.cli.advice import advice, chance_row, together
from gameday.cli.earlier import Earlier
from gameday.cli.outlook_sources import look
from gameday.cli.survival import survives, undo_words
from gameday.judge.chance import chances
from gameday.judge.counterchance import counter_chances, never_enough, too_short
from gameday.load.limits import check_open_files, open_files_needed
from gameday.model import Plan, Reason
from gameday.policy.approvals import unapproved
from gameday.policy.file import Policy
from gameday.policy.found import find_policies
from gameday.policy.refusal import Refusal
from gameday.policy.rules import refusals, target_refusals, under
from gameday.policy.subject import lasting
from gameday.registry import load_driver
from gameday.runner.bounds import fault_max_ms, run_max_ms
from gameday.runner.budget import budgets
from gameday.runner.folder import subject_of
from gameday.runner.planning import PLAN_SECONDS, api_server, beyond
from gameday.runner.proxies import elsewhere
from gameday.runner.system import specs
from gameday.schema.experiment import Experiment, FaultSpec, LoadProfile
from gameday.schema.power import never_provable
from gameday.schema.quantities import format_duration
from gameday.spi import Driver, DriverError, GamedayError, LoadError, NoTargetError, ProxyRef, World
from gameday.undo.leftover import describe, residue
from gameday.undo.sources import resolve
from gameday.undo.state import pressed

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

SCHEMA = "gameday/outlook/1"


def outlook(loaded: Loaded, earlier: Earlier | None) -> dict[str, Any]:
    """Return everything that `gameday plan` says about one run, as its JSON has it."""
    policies = find_policies(loaded.path)
    experiment = under(policies, loaded.experiment)
    world = _world(loaded)
    faults = [_fault(fault, experiment, world) for fault in experiment.faults]
    silences = [_fault(silence, experiment, world) for silence in experiment.silences]
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
            *_refusals(loaded),
            *_forbidden(policies, experiment, loaded, faults),
            *(_refused(fault) for fault in (*faults, *silences) if fault["error"]),
            *_lacking(Reason.TOO_SHORT, too_short(experiment, known)),
            *_lacking(Reason.TOO_FEW, never_enough(counted)),
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


def _refusals(loaded: Loaded) -> Iterator[dict[str, str]]:
    """Yield why a run would be refused now, or could only end inconclusive."""
    if why := pressed():
        yield {
            "reason": str(Reason.PERSON),
            "detail": f"gameday stop: {why}; let runs start again with: gameday resume",
        }
    if left := residue(loaded.experiment):
        yield {"reason": str(Reason.RESIDUE), "detail": describe(left)}
    for lack in never_provable(loaded.experiment):
        wanted = "which no count can prove" if lack.needed is None else f"it takes {lack.needed:,}"
        offers = f"the {lack.phase} phase offers {lack.expected:,} requests, {wanted}"
        detail = f"{lack.objective}: {lack.criterion} can never be proven: {offers}"
        yield {"reason": str(Reason.TOO_FEW), "detail": detail}
    if loaded.needed:
        needed = f"a run needs the secrets {', '.join(loaded.needed)}: export them, or use --var-file"
        yield {"reason": str(Reason.REFUSED), "detail": needed}
    if loaded.experiment.load is not None:
        try:
            check_open_files(loaded.experiment.load)
        except LoadError as error:
            yield {"reason": str(Reason.LOAD_GENERATOR), "detail": f"{error}; {error.hint}"}


def _forbidden(
    policies: tuple[Policy, ...], experiment: Experiment, loaded: Loaded, faults: list[dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """Yield each rule of a policy that would refuse a run that begins now."""
    now, found = datetime.now(UTC), _found(faults)
    broken = refusals(policies, experiment, now, run_max_ms(experiment))
    broken += target_refusals(policies, experiment, found.targets, found.servers)
    broken += unapproved(policies, experiment, subject_of(loaded), now, lasting(experiment, found.targets))
    broken += [one for one in budgets(policies, experiment, os.environ) if isinstance(one, Refusal)]
    for refusal in broken:
        yield {"reason": str(Reason.POLICY), "detail": str(refusal)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the faults of a run would touch now."""

    targets: Mapping[str, tuple[str, ...]]
    servers: Mapping[str, str]
    """API servers, of faults in clusters."""
    errors: tuple[str, ...]
    """Why a fault cannot be planned."""


def found_targets(loaded: Loaded, experiment: Experiment) -> Found:
    """Look for the targets of a run, as its plan does."""
    world = _world(loaded)
    return _found([_fault(fault, experiment, world) for fault in experiment.faults])


def _found(faults: list[dict[str, Any]]) -> Found:
    return Found(
        targets={str(fault["name"]): tuple(fault["targets"]) for fault in faults if fault["targets"]},
        servers={str(fault["name"]): str(fault["server"]) for fault in faults if "server" in fault},
        errors=tuple(f"{fault['name']}: {fault['error']}" for fault in faults if fault["error"]),
    )


def _lacking(reason: Reason, lacks: Iterable[tuple[str, str, str]]) -> Iterator[dict[str, str]]:
    for objective, criterion, why in lacks:
        yield {"reason": str(reason), "detail": f"{objective}: {criterion} can never be proven: {why}"}


def _refused(fault: Mapping[str, Any]) -> dict[str, str]:
    return {"reason": str(Reason.ACTION_FAILED), "detail": f"{fault['name']} cannot be planned: {fault['error']}"}


def _world(loaded: Loaded) -> World:
    """Return what drivers would see, with this run's own proxies known by name and not started."""
    experiment, base = loaded.experiment, loaded.path.absolute().parent
    own = {
        name: ProxyRef(control="", name=name, listen=str(proxy.listen), upstream=str(proxy.upstream))
        for name, proxy in experiment.proxies.items()
        if proxy.listen is not None
    }
    try:
        others = elsewhere(experiment.proxies, loaded.secrets)
        sources = resolve(experiment.sources, loaded.secrets, base)
    except DriverError:  # a token that is missing is told as a secret that is needed
        others, sources = {}, {}
    return World(
        run_id="plan",
        system=specs(experiment, base, base),
        proxies={**own, **others},
        sources=sources,
        secrets=loaded.secrets,
    )


def _fault(fault: FaultSpec, experiment: Experiment, world: World) -> dict[str, Any]:
    driver = load_driver(fault.do, fault.with_)
    plan, error, note = _plan(fault, driver, experiment, world)
    return {
        "name": fault.name,
        "driver": fault.do,
        "targets": list(plan.targets),
        "note": note or _rounds(fault),
        "error": error,
        "at_ms": fault.at,
        "length_ms": fault.length,
        "max_ms": fault_max_ms(fault, driver),
        "reversible": driver.reversible,
        "provable": driver.provable,
        "undo": undo_words(driver),
        "survives": survives(driver, plan),
        **({"server": server} if (server := api_server(plan)) else {}),
    }


def _rounds(fault: FaultSpec) -> str:
    return f"{fault.times} times, every {format_duration(fault.every or 0)}, chosen anew" if fault.rounds else ""


def _plan(fault: FaultSpec, driver: Driver, experiment: Experiment, world: World) -> tuple[Plan, str, str]:
    """Return the plan, an error, and a note; what is started by the run itself is known by its name only."""
    try:
        plan = _planned(driver, world)
    except GamedayError as error:
        named = fault.with_.get("process")
        if named in experiment.system:
            return Plan(driver=fault.do, targets=(str(named),)), "", "started by this run, under system:"
        nothing = Plan(driver=fault.do, targets=())
        if isinstance(error, NoTargetError) and fault.when_no_target == "skip":
            return nothing, "", f"{error}; when_no_target: skip makes the run at best inconclusive"
        return nothing, f"{error}" + (f"; {error.hint}" if error.hint else ""), ""
    return plan, beyond(fault, plan), ""


def _planned(driver: Driver, world: World) -> Plan:
    """Let the driver look for its targets within its deadline, in a thread that is left behind when it hangs."""
    found: list[Plan | Exception] = []

    def look() -> None:
        try:
            found.append(driver.plan(world))
        except Exception as error:  # noqa: BLE001 - a stranger's driver may raise anything, and this thread tells it on
            found.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(PLAN_SECONDS)
    if not found:
        raise DriverError(f"{driver.name} did not plan within {PLAN_SECONDS:g} s")
    if isinstance(found[0], Plan):
        return found[0]
    if isinstance(found[0], GamedayError):
        raise found[0]
    raise DriverError(f"{driver.name} failed: {type(found[0]).__name__}: {found[0]}")


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
