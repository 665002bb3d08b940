"""What the faults of a run would be and touch now, as their drivers plan them without starting anything."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gameday.cli.survival import survives, undo_words
from gameday.model import Plan
from gameday.registry import load_driver
from gameday.runner.bounds import fault_max_ms
from gameday.runner.planning import PLAN_SECONDS, api_server, beyond
from gameday.runner.proxies import elsewhere
from gameday.runner.system import specs
from gameday.schema.experiment import Experiment, FaultSpec
from gameday.schema.quantities import format_duration
from gameday.spi import Driver, DriverError, GamedayError, NoTargetError, ProxyRef, World
from gameday.undo.sources import resolve

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded


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
    world = planning_world(loaded)
    return found_in([fault_row(fault, experiment, world) for fault in experiment.faults])


def found_in(faults: list[dict[str, Any]]) -> Found:
    """Gather the targets, API servers and errors of rows of faults."""
    return Found(
        targets={str(fault["name"]): tuple(fault["targets"]) for fault in faults if fault["targets"]},
        servers={str(fault["name"]): str(fault["server"]) for fault in faults if "server" in fault},
        errors=tuple(f"{fault['name']}: {fault['error']}" for fault in faults if fault["error"]),
    )


def planning_world(loaded: Loaded) -> World:
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


def fault_row(fault: FaultSpec, experiment: Experiment, world: World) -> dict[str, Any]:
    """Return one fault as `gameday plan --format json` has it: its targets now, its times in ms, how it is undone."""
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
