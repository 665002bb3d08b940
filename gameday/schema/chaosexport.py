"""An experiment of ours as one of Chaos Toolkit's, which ``chaos run`` carries out with our drivers as its actions.

What is lost is said in its description: load, objectives, abort rules, and everything that only a run of ours can promise. Faults that
overlap become one list, each step after a pause; the undo of every fault is a rollback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gameday.schema.chaosfile import NAME
from gameday.schema.experiment import CHAOS_EXPERIMENT, Experiment, FaultSpec
from gameday.spi.errors import GamedayError

_MODULE = "gameday_drivers.chaostoolkit_actions"
_LOST = (
    "Exported from gameday. What chaos run does not have is left out: load, objectives, abort rules, the watchdog and a verdict by counts. "
    "Start what the experiment is about before you run it."
)


def to_chaostoolkit(experiment: Experiment, secrets: Sequence[str] = ()) -> dict[str, Any]:
    """Return the experiment as Chaos Toolkit's JSON; raise GamedayError for a fault that needs what only a run of ours starts."""
    for fault in experiment.faults:
        _refuse(experiment, fault)
    probes = list(_probes(experiment))
    document: dict[str, Any] = {
        "version": "1.0.0",
        "title": experiment.title,
        "description": f"{experiment.hypothesis or experiment.title} {_LOST}",
        "tags": list(experiment.tags),
        "extensions": [{"name": "gameday", "experiment": experiment.to_json()}],
    }
    if secrets:
        document["secrets"] = {"gameday": {name: {"type": "env", "key": name} for name in secrets}}
    if probes:
        document["steady-state-hypothesis"] = {"title": experiment.hypothesis or experiment.title, "probes": probes}
    document["method"] = list(_steps(experiment))
    reversible = [fault for fault in experiment.faults if not fault.irreversible]
    document["rollbacks"] = [_activity(experiment, fault, "revert") for fault in reversed(reversible)]
    return document


def _refuse(experiment: Experiment, fault: FaultSpec) -> None:
    process, proxy = fault.with_.get("process"), fault.with_.get("proxy")
    if fault.do == CHAOS_EXPERIMENT:
        raise GamedayError(
            f"{fault.name} is a Chaos Toolkit experiment already", hint="chaos run carries it out as it is"
        )
    if process in experiment.system:
        raise GamedayError(
            f"{fault.name} is about {process}, which only a run of ours starts",
            hint="name it by pidfile: or match: instead",
        )
    if proxy in experiment.proxies and experiment.proxies[str(proxy)].control is None:
        hint = "start it by gameday proxy, and name its control: under proxies"
        raise GamedayError(f"{fault.name} needs the proxy {proxy}, which only a run of ours starts", hint=hint)


def _probes(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield a probe for each request of the load that is a plain GET: it answers 200."""
    load = experiment.load
    if load is None or not load.target:
        return
    for request in load.requests or ():
        if request.get and "{{" not in request.get:
            provider = {"type": "http", "url": f"{load.target.rstrip('/')}{request.get}", "timeout": 5}
            yield {"type": "probe", "name": f"{request.name}-answers", "tolerance": 200, "provider": provider}


def _steps(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Yield every step in the order of the timeline, after a pause for the time since the one before."""
    due = [(fault.at, 1, fault) for fault in experiment.faults]
    due += [(fault.at + fault.length, 0, fault) for fault in experiment.faults if not fault.irreversible]
    clock = 0
    for at, begins, fault in sorted(due, key=lambda step: step[:2]):
        step = _activity(experiment, fault, "inject" if begins else "revert")
        if at > clock:
            step["pauses"] = {"before": (at - clock) / 1000}
        clock = at
        yield step


def _activity(experiment: Experiment, fault: FaultSpec, func: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"driver": fault.do, "params": _plain(fault.with_)}
    proxy = experiment.proxies.get(str(fault.with_.get("proxy")))
    if proxy is not None:
        known = {"control": proxy.control, "name": proxy.name or fault.with_["proxy"], "token": proxy.token}
        arguments["proxies"] = {fault.with_["proxy"]: {key: value for key, value in known.items() if value}}
    provider = {"type": "python", "module": _MODULE, "func": func, "arguments": arguments}
    return {"type": "action", "name": f"{func}-{fault.name or NAME}", "provider": provider}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value  # pyright: ignore[reportUnknownVariableType] - JSON
