"""Realistic judged runs in memory, one for each verdict, in the exact shape of docs/run-folder.md."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from gameday.model import Run
from tests.fakes.sample_events import sample_events
from tests.fakes.sample_facts import DIGEST, HEAD, NAME, Outcome, Times, renamed
from tests.fakes.sample_load import sample_load
from tests.fakes.sample_verdict import sample_verdict


def sample_run(
    outcome: Outcome = "fail", *, baseline_s: int = 60, fault_s: int = 60, recovery_s: int = 60, objectives: int = 3
) -> Run:
    """Build a run that ended like this; every figure of its verdict is counted from its own load."""
    times = Times(outcome, baseline_s, fault_s, recovery_s)
    load = sample_load(times.shape)
    verdict = sample_verdict(outcome, times, load, objectives)
    return Run(
        name=NAME,
        experiment=_experiment(times, objectives),
        plan=_plan(),
        events=tuple(sample_events(outcome, times, verdict)),
        head=HEAD,
        closed=True,
        load=load,
        verdict=json.loads(json.dumps(verdict)),
    )


def small_run(outcome: Outcome = "fail", **changes: Any) -> Run:
    """Build one with phases of a few seconds, which is rendered sooner."""
    return replace(sample_run(outcome, baseline_s=6, fault_s=6, recovery_s=14), **changes)


def _experiment(times: Times, objectives: int) -> dict[str, Any]:
    wanted = [
        (
            "checkout-available",
            {
                "expect": "errors < 0.5%",
                "during": "errors < 5%",
                "where": {"endpoint": ["checkout"]},
                "recover": {"within": "20s"},
            },
        ),
        ("checkout-fast", {"expect": "p95 < 300ms", "during": "p95 < 1s", "where": {"endpoint": ["checkout"]}}),
        ("browse-unharmed", {"expect": "errors < 0.5%\np95 < 300ms", "where": {"endpoint": ["browse"]}}),
    ]
    return {
        "version": 1,
        "title": "Checkout survives a payments outage",
        "hypothesis": "With payments down, checkout queues the payment and answers within a second.",
        "owner": "team-checkout",
        "tags": ["dependency-outage"],
        "runbook": "https://runbooks.example.com/payments-down",
        "load": {
            "target": "http://127.0.0.1:8080",
            "rate": "100/s",
            "arrivals": "constant",
            "timeout": "5s",
            "requests": [
                {"name": "browse", "weight": 7, "get": "/products"},
                {"name": "checkout", "weight": 3, "post": "/checkout", "json": {"sku": "A1"}},
            ],
        },
        "objectives": {renamed(name, index): body for index in range(objectives) for name, body in [wanted[index % 3]]},
        "phases": {
            "warmup": "10s",
            "baseline": f"{(times.baseline[1] - times.baseline[0]) // 1000}s",
            "recovery": "60s",
        },
        "faults": [
            {
                "name": "payments-down",
                "do": "proxy.down",
                "with": {"proxy": "payments"},
                "at": "0s",
                "for": f"{times.fault_ms // 1000}s",
            }
        ],
        "abort": ["errors lose 1.5s of traffic beyond 50%"],
    }


def _plan() -> dict[str, Any]:
    return {
        "schema": "gameday/plan/1",
        "run_id": NAME,
        "seed": 1,
        "digest": DIGEST,
        "source": "experiments/dependency/payments-outage.yaml",
        "lines": {"objectives.checkout-available": 31},
        "environment": {
            "python": "3.11.7",
            "gameday": "0.1.0",
            "locust": "2.47.0",
            "chaostoolkit-lib": "1.44.0",
            "platform": "Linux-6.1-x86_64",
        },
        "command": ["gameday", "run", "experiments/dependency/payments-outage.yaml", "--seed", "1"],
    }
