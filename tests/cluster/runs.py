"""Experiments of these tests: load through a NodePort, one fault, one objective."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gameday.model import Verdict
from gameday.testing import eventually
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.fakes.busy import until_measured
from tests.harness import Lab, Ran


def experiment(url: str, fault: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An experiment on what answers at ``url``."""
    return {
        "version": 1,
        "title": "The shop survives a fault in its cluster",
        "load": {"target": url, "rate": "25/s", "timeout": "1s", "requests": [{"name": "home", "get": "/"}]},
        "objectives": {
            "available": {"expect": "errors < 5%", "during": "errors < 50%", "recover": {"within": "10s", "hold": "2s"}}
        },
        "phases": {"warmup": "500ms", "baseline": "3s", "recovery": "12s"},
        "faults": [{"broken": {"at": "0s", **fault}}],
        **changes,
    }


def measured(shop: Shop, lab: Lab, path: Path) -> Ran:
    """Run it, and again where the load generator says that this machine was too busy for it to measure anything."""

    def attempt(number: int) -> Ran:
        if number:
            assert eventually(lambda: len(shop.ready()) == shop.replicas(), WAIT_SECONDS), shop.describe()
        return lab.run(path, timeout=170)

    busy = Verdict.INCONCLUSIVE.exit_code
    return until_measured(attempt, lambda ran: ran.code == busy and ran.reasons == ["load-generator"])


def opened(lab: Lab) -> dict[str, Any]:
    """Return the first record of the newest run."""
    (record,) = (event for event in lab.events() if event["kind"] == "opened")
    return record


def phase_of(lab: Lab, name: str) -> tuple[float, float]:
    """Return when a phase began and ended, as wall-clock time."""
    start = opened(lab)
    edges = [(event["data"]["name"], event["at_ms"]) for event in lab.events() if event["kind"] == "phase"]
    names = [edge for edge, _ in edges]
    begin, end = (edges[names.index(name) + step][1] for step in (0, 1))
    return wall_of(start, begin), wall_of(start, end)


def wall_of(start: dict[str, Any], at_ms: float) -> float:
    """Turn a time of the run's clock into wall-clock time."""
    return float(start["wall"]) + float(at_ms - start["at_ms"]) / 1000


def rows(lab: Lab) -> list[tuple[float, bool, int]]:
    """Return what the load measured: wall-clock time of the intended start, whether it was good, how many."""
    start = opened(lab)
    found: list[tuple[float, bool, int]] = []
    for line in (lab.run_folder / "samples.ndjson").read_text().splitlines():
        sample = json.loads(line)
        for slot, _, kind, count, *_ in sample.get("rows", ()) if sample["t"] == "agg" else ():
            found.append((wall_of(start, slot * 100), kind == "ok", count))
    return sorted(found)
