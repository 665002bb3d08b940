"""Policies of a few lines, and experiments by what a policy looks at."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gameday.policy.file import Policy, Rules
from gameday.schema.experiment import Experiment
from tests.fakes.stories import experiment

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
MINUTE = 60_000


def policy(text: str) -> Policy:
    return Policy(path=Path("gameday.toml"), rules=Rules.model_validate(tomllib.loads(text)))


def run_at(target: str = "http://127.0.0.1:8080", **changes: Any) -> Experiment:
    file = experiment()
    return Experiment.model_validate({**file, "load": {**file["load"], "target": target}, **changes})


def fault(do: str = "proxy.down", **parameters: Any) -> dict[str, Any]:
    return {"faults": [{"name": "one", "do": do, "with": parameters, "at": "0s", "for": "40s"}]}
