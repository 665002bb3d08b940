"""The other process of the driver contract: do what stdin asks, with what stdin says, and nothing else."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.testing.waiting import SETTLE_SECONDS, eventually, stays
from gameday.undo.recover import recover_run
from gameday.undo.reverting import in_fork

CUTS = (0.05, 0.35, 0.65, 0.95)
"""Where inject is cut off, as shares of the time it takes."""


def _load(request: Mapping[str, Any]) -> Driver:
    module, _, name = str(request["class"]).partition(":")
    kind: Any = importlib.import_module(module)
    for part in name.split("."):
        kind = getattr(kind, part)
    given = {key: _frozen(value) for key, value in request["params"].items()}
    return cast("Driver", kind(**given))


def _frozen(value: Any) -> Any:
    match value:
        case [*items]:
            return tuple(items)
        case _:
            return value


def _cut(driver: Driver, plan: Plan, world: World) -> dict[str, Any]:
    """Cut inject off at several moments, each followed by a revert; report the first after which the fault is back."""
    start = time.monotonic()
    driver.inject(plan, world)
    length = time.monotonic() - start
    driver.revert(plan, world)
    cuts = [length * share for share in CUTS]
    back = next((seconds for seconds in cuts if _comes_back(driver, world, seconds, length + SETTLE_SECONDS)), None)
    return {"cut": cuts, "back": back}


def _comes_back(driver: Driver, world: World, seconds: float, settle: float) -> bool:
    """Cut inject off after ``seconds`` and revert; return whether the fault is on again within ``settle``.

    A driver whose request may act after its sender has died says so (``request_seconds``): what comes back then is reverted again, as a
    run does that measures so much later.
    """
    plan = driver.plan(world)
    in_fork(driver, "inject", plan, world, seconds)
    driver.revert(plan, world)
    if _gone_for_good(driver, plan, world, settle):
        return False
    if not getattr(driver, "request_seconds", 0.0):
        return True
    driver.revert(plan, world)
    return not _gone_for_good(driver, plan, world, settle)


def _gone_for_good(driver: Driver, plan: Plan, world: World, settle: float) -> bool:
    return eventually(lambda: not driver.active(plan, world)) and stays(lambda: not driver.active(plan, world), settle)


def main() -> None:
    """Do what stdin asks, in this process."""
    request = json.load(sys.stdin)
    driver, plan, world = _load(request), Plan.from_json(request["plan"]), World.from_json(request["world"])
    report: dict[str, Any] = {}
    if request["op"] == "cut":
        report = _cut(driver, plan, world)
    elif request["op"] == "recover":
        outcome = recover_run(Path(request["folder"]))
        report = {"clean": outcome.clean, "lines": outcome.lines()}
    else:
        {"inject": driver.inject, "revert": driver.revert}[request["op"]](plan, world)
    print(json.dumps(report))  # noqa: T201 - stdout is the protocol


if __name__ == "__main__":
    main()
