"""The process that carries out one Chaos Toolkit experiment as ``chaos run`` does, or plays what is left of its rollbacks.

A driver host forks it when everything is imported. As a program (``python -m gameday_drivers.chaostoolkit_child``) it plays the rollbacks
of an experiment whose process is gone; GAMEDAY_EXPERIMENT in its environment says which.
"""

# pyright: reportMissingTypeStubs=false, reportArgumentType=false, reportGeneralTypeIssues=false, reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# chaoslib has annotations, but they are neither published nor true

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from chaoslib.caching import cache_activities
from chaoslib.control import initialize_controls, initialize_global_controls, load_global_controls
from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid, run_experiment
from chaoslib.loader import load_experiment
from chaoslib.notification import RunFlowEvent, notify
from chaoslib.run import Runner, apply_rollbacks, get_background_pools
from chaoslib.settings import load_settings
from chaoslib.types import Schedule, Strategy
from chaostoolkit import encoder
from chaostoolkit.check import check_hypothesis_strategy_spelling

from gameday.model import ProcessRef
from gameday.spi.processes import identify
from gameday_drivers.chaostoolkit_place import Place, say
from gameday_drivers.chaostoolkit_teller import Teller

VARIABLE = "GAMEDAY_EXPERIMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a child must know."""

    place: Place
    file: str
    """The experiment, as it is kept in the place."""
    cwd: str
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    only_hypothesis: bool = False


def fork(setup: Setup) -> None:
    """Carry an experiment out in a fork of this process, which must have no threads; return at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        return
    try:
        os.setpgid(0, 0)
        ref = identify(os.getpid()) or ProcessRef(pid=os.getpid(), start=0)
        say(setup.place, "child", **ref.to_json())
        _apart(setup)
        carry_out(setup)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not go on in the host's own code
        with suppress(Exception):
            say(setup.place, "refused", error=f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def _apart(setup: Setup) -> None:
    """Let go of what belongs to the host: its pipes; its signals are the usual ones again."""
    log = os.open(setup.place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)
    for descriptor in _pipes():
        os.close(descriptor)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)
    os.chdir(setup.cwd)


def _pipes() -> list[int]:
    """Return the descriptors beyond the standard three that are not the watchdog's pipe: the host's own channel is among them."""
    kept = os.environ.get("GAMEDAY_PIPE_FD", "")
    found = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - numbers, not paths
    return [number for number in found if number > 2 and str(number) != kept and _is_pipe(number)]  # noqa: PLR2004 - stdio


def _is_pipe(descriptor: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")  # noqa: PTH115 - no path
    except OSError:
        return False


def carry_out(setup: Setup) -> NoReturn:
    """Do what ``chaos run`` does, with rollbacks always, and end this process."""
    log_to_stderr()
    settings: dict[str, Any] = load_settings() or {}
    load_global_controls(settings)
    try:
        experiment = load_experiment(setup.file, settings)
        notify(settings, RunFlowEvent.RunStarted, experiment)
        ensure_experiment_is_valid(experiment)
    except (ChaosException, ValueError, TypeError, OSError) as error:
        say(setup.place, "refused", error=str(error))
        os._exit(2)
    experiment["dry"] = None
    strategy, own = _strategies(settings, experiment)
    if setup.only_hypothesis:
        experiment["method"], experiment["rollbacks"], strategy = [], [], Strategy.BEFORE_METHOD
    teller = Teller(setup.place, strategy=own)
    try:
        journal = run_experiment(
            experiment,
            settings=settings,
            strategy=strategy,
            schedule=Schedule(continuous_hypothesis_frequency=1.0, fail_fast=False),
            experiment_vars=(dict(setup.variables), {}),
            event_handlers=[teller],
        )
    except SystemExit:
        teller.tell("stopped", detail="before its method began")
        os._exit(1)
    _keep(setup.place, journal)
    teller.tell(
        "ended",
        sure=True,
        status=str(journal["status"]),
        deviated=bool(journal.get("deviated")),
        iterations=teller.iterations,
        violations=teller.violations,
    )
    _notify_end(settings, journal)
    os._exit(0)


def _strategies(settings: dict[str, Any], experiment: Mapping[str, Any]) -> tuple[Strategy, str]:
    """Return the strategies of the hypothesis and, as the file has it, of the rollbacks; in the settings the latter is always."""
    runtime = settings.setdefault("runtime", {})
    chosen = {name: (runtime.setdefault(name, {}).get("strategy") or "default") for name in ("rollbacks", "hypothesis")}
    if own := experiment.get("runtime"):
        chosen = {name: own.get(name, {}).get("strategy", "default") for name in chosen}
    runtime["hypothesis"]["strategy"] = chosen["hypothesis"]
    runtime["rollbacks"]["strategy"] = "always"
    return check_hypothesis_strategy_spelling(chosen["hypothesis"]), str(chosen["rollbacks"])


def _keep(place: Place, journal: Mapping[str, Any]) -> None:
    """Write the journal as ``chaos run`` writes it, whole or not at all; what JSON cannot hold as text, and no crash."""
    if "dry" in journal["experiment"]:
        journal["experiment"]["dry"] = None
    partial = place.journal.with_suffix(".partial")
    partial.write_text(json.dumps(journal, indent=2, ensure_ascii=False, default=_encoded), encoding="utf-8")
    partial.replace(place.journal)


def _encoded(value: object) -> str:
    try:
        return str(encoder(value))
    except TypeError:
        return str(value)


def _notify_end(settings: Mapping[str, Any], journal: Mapping[str, Any]) -> None:
    with suppress(Exception):
        completed = journal["status"] == "completed"
        notify(settings, RunFlowEvent.RunCompleted if completed else RunFlowEvent.RunFailed, journal)
        if journal.get("deviated"):
            notify(settings, RunFlowEvent.RunDeviated, journal)


def play_rollbacks(setup: Setup, left: list[int]) -> None:
    """Play these rollbacks of an experiment whose process is gone, in their order, as chaoslib does."""
    os.chdir(setup.cwd)
    settings: dict[str, Any] = load_settings() or {}
    load_global_controls(settings)
    experiment = load_experiment(setup.file, settings)
    cache_activities(experiment)
    experiment["rollbacks"] = [experiment["rollbacks"][index] for index in left]
    with Runner(Strategy.SKIP) as runner:
        teller = Teller(setup.place, strategy="always")
        teller.section, teller.began = "rollbacks", True
        runner.register_event_handler(teller)
        runner.configure(experiment, settings, (dict(setup.variables), {}))
        registry = runner.event_registry
        initialize_global_controls(experiment, runner.config, runner.secrets, settings, event_registry=registry)
        initialize_controls(experiment, runner.config, runner.secrets, event_registry=registry)
        _, pool = get_background_pools({"rollbacks": experiment["rollbacks"]})
        apply_rollbacks(experiment, runner.config, runner.secrets, pool, None, registry, [])


def log_to_stderr() -> None:
    """Let chaoslib log what it does, and no values, to where this process writes."""
    logger = logging.getLogger("chaostoolkit")
    logger.handlers = [logging.StreamHandler(sys.stderr)]
    logger.handlers[0].setFormatter(logging.Formatter("[%(asctime)s %(levelname)s] %(message)s"))
    logger.propagate = False
    logger.setLevel(logging.INFO)


def main() -> None:
    """Play the rollbacks that the environment names."""
    asked = json.loads(os.environ.pop(VARIABLE))
    raw = asked["setup"]
    setup = Setup(
        place=Place.from_json(raw["place"]), file=raw["file"], cwd=raw["cwd"], variables=dict(raw["variables"])
    )
    log_to_stderr()
    play_rollbacks(setup, list(asked["left"]))


if __name__ == "__main__":
    main()
