"""Facts of runs told in a few words, and judged run folders: what tests of the ledger are made of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gameday.gamedays.ledger.facts import Debit, ObjectiveFacts, Occurrence, RunFacts
from tests.fakes.many_runs import verdicts

NOW = time.time()
DAY = 86_400.0
"""Seconds."""
BROKEN, LATE = "b" * 16, "1" * 16
"""Fingerprints of findings about ``available`` and ``fast``."""
ABOUT = {BROKEN: "available", LATE: "fast"}
TITLE = "Checkout survives a payments outage"


def occurrence(fingerprint: str, severity: str = "high", objective: str | None = None) -> Occurrence:
    return Occurrence(
        fingerprint=fingerprint,
        rule="broken",
        severity=severity,
        title=f"what {fingerprint[:4]} is",
        saw="44% of requests failed.",
        next="Give them a time limit.",
        objective=ABOUT.get(fingerprint, "available") if objective is None else objective,
        phase="fault:errors",
    )


def run(
    at: float,
    verdict: str = "pass",
    *findings: str | Occurrence,
    proven: Mapping[str, str] | None = None,
    debits: Iterable[Debit] = (),
    **changes: Any,
) -> RunFacts:
    """A run that began at ``at``; by default every objective of it came to what the run did."""
    name = f"{round(at * 10):06d}-run"
    objectives = proven or {"available": verdict, "fast": verdict}
    given: dict[str, Any] = {
        "run": name,
        "title": TITLE,
        "variant": (),
        "source": "experiments/payments-outage.yaml",
        "digest": "d" * 64,
        "verdict": verdict,
        "reasons": ("proven",),
        "summary": "It is said.",
        "started": float(at),
        "ended_ms": 97_000,
        "rate": 50.0,
        "offered": 3_000,
        "completed": 3_000,
        "day": "",
        "stamp": f"{name} {verdict}",
        "objectives": tuple(
            ObjectiveFacts(name=one, verdict=came, reason="proven", criterion="errors < 5%", bad=3, total=200)
            for one, came in objectives.items()
        ),
        "findings": tuple(occurrence(one) if isinstance(one, str) else one for one in findings),
        "debits": tuple(debits),
        **changes,
    }
    return RunFacts(**given)


def judged(folder: Path, name: str, ending: str, *, at: float, title: str = TITLE, **plan: Any) -> Path:
    """Write a run folder as a run leaves it: ``ending`` is one of many_runs.verdicts()."""
    path = folder / name
    path.mkdir(parents=True)
    verdict = {**verdicts()[ending], "run": name, "title": title, "started_wall": at}
    whole = {"schema": "gameday/plan/1", "run_id": name, "experiment": {"title": title}, "variant": {}, **plan}
    (path / "plan.json").write_text(json.dumps(whole))
    (path / "verdict.json").write_text(json.dumps(verdict))
    return path
