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
    """Cut inject off at several moments, each followed by a revert; report the first after which the fault is back.

    Then it is reverted once more, and ``mended`` says whether that was the end of it.
    """
    start = time.monotonic()
    driver.inject(plan, world)
    length = time.monotonic() - start
    driver.revert(plan, world)
    cuts = [length * share for share in CUTS]
    for seconds in cuts:
        known = driver.plan(world)
        in_fork(driver, "inject", known, world, seconds)
        if not _reverted_for_good(driver, known, world, length + SETTLE_SECONDS):
            mended = _reverted_for_good(driver, known, world, length + SETTLE_SECONDS)
            return {"cut": cuts, "back": seconds, "mended": mended}
    return {"cut": cuts, "back": None, "mended": True}


def _reverted_for_good(driver: Driver, plan: Plan, world: World, settle: float) -> bool:
    """Revert; return whether the fault is gone and not on again within ``settle``."""
    driver.revert(plan, world)
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
