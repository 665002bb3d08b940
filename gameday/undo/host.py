"""The driver host: a child process in which faults are planned, injected, measured and reverted.

Inject and revert never run in a thread of the runner: an abandoned thread injects *after* the revert. A host is ended by
killing its process group, its end is awaited, and only then comes the revert, in another host.

It reads JSON lines on stdin: first ``{"faults": {name: {"driver", "params"}}, "world": {…}}``, answered by ``{"ready": true}`` when
every driver is imported, then ``{"op", "fault", "plan"}`` with op one of plan, inject, active, met, recovered, renew, revert, and
"follow N" (what was told beyond the first N). End of file ends it. The drivers that its command line names are imported before anything is
read, so that it can be started beside what its world is not known before.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import product
from typing import IO, Any

from gameday.model import Plan
from gameday.registry import driver_class, load_driver
from gameday.spi import Driver, Expires, Follows, GamedayError, Meets, NoTargetError, Recovers, World
from gameday.spi.driver import EXPIRY_SECONDS, FOLLOW_SECONDS


def perform(driver: Driver, op: str, plan: Plan | None, world: World) -> dict[str, Any]:
    """Do one operation and return its answer as JSON; a failure is an answer too: ``{"error": …}``."""
    try:
        if op == "plan":
            return {"plan": driver.plan(world).to_json()}
        if plan is None:
            return {"error": f"{op} needs a plan"}
        return _of_plan(driver, op, plan, world)
    except NoTargetError as error:
        return {"error": world.secrets.mask(str(error)), "hint": error.hint, "no_target": True}
    except GamedayError as error:
        return {"error": world.secrets.mask(str(error)), "hint": error.hint}
    except Exception as error:  # noqa: BLE001 - a stranger's driver may raise anything; it becomes a journal event
        return {"error": world.secrets.mask(f"{type(error).__name__}: {error}")}


def _of_plan(driver: Driver, op: str, plan: Plan, world: World) -> dict[str, Any]:
    if op == "active":
        return {"active": driver.active(plan, world)}
    if op == "met":
        return {"met": driver.met(plan, world) if isinstance(driver, Meets) else None}
    if op == "recovered":
        return {"recovery": driver.recovered(plan, world).to_json() if isinstance(driver, Recovers) else None}
    if op.startswith("follow "):
        return _follow(driver, plan, world, int(op.removeprefix("follow ")))
    if op == "renew":
        return {"renewed": _renew(driver, plan, world)}
    {"inject": driver.inject, "revert": driver.revert}[op](plan, world)
    return {"ok": True}


def _renew(driver: Driver, plan: Plan, world: World) -> bool:
    if not isinstance(driver, Expires):
        return False
    driver.renew(plan, world, EXPIRY_SECONDS)
    return True


def _follow(driver: Driver, plan: Plan, world: World, seen: int) -> dict[str, Any]:
    if not isinstance(driver, Follows):
        return {"error": f"{driver.name} does not run by itself"}
    return dict(driver.follow(plan, world, seen, FOLLOW_SECONDS))


def load_all(faults: Mapping[str, Any]) -> dict[str, Driver]:
    """Import and build every driver of a file; raise GamedayError for one that cannot be."""
    return {name: load_driver(spec["driver"], spec["params"]) for name, spec in faults.items()}


def import_ahead(names: Iterable[str], attributes: Iterable[str] = ("imports",)) -> None:
    """Import drivers, and what they say that they import when they are used; what fails is told when it is asked for.

    Who only undoes leaves out ``inject_imports``.
    """
    for name, attribute in product(names, attributes):
        with suppress(GamedayError, ImportError):
            for module in getattr(driver_class(name), attribute, ()):
                import_module(module)


def private_stdout() -> IO[str]:
    """Keep stdout for the protocol: what a driver prints goes to the log, which is stderr."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.set_inheritable(channel.fileno(), False)  # noqa: FBT003 - positional in the standard library
    os.dup2(2, 1)
    return channel


def main() -> None:
    """Serve until the runner closes our stdin: its death does that too."""
    out = private_stdout()

    def answer(reply: Mapping[str, Any]) -> None:
        out.write(json.dumps(reply) + "\n")
        out.flush()

    import_ahead(sys.argv[1:], ("imports", "inject_imports"))
    first = sys.stdin.readline()
    if not first:
        return
    config = json.loads(first)
    world = World.from_json(config["world"])
    try:
        drivers = load_all(config["faults"])
    except GamedayError as error:
        answer({"error": str(error), "hint": error.hint})
        return
    answer({"ready": True, "pid": os.getpid()})
    for line in sys.stdin:
        request = json.loads(line)
        plan = Plan.from_json(request["plan"]) if request.get("plan") is not None else None
        asking = replace(world, fault=request["fault"])
        answer(perform(drivers[request["fault"]], request["op"], plan, asking))


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # it may end by SIGKILL at any moment: nothing waits for an interpreter to be taken down
