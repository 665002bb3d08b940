"""``gameday check`` of a Chaos Toolkit file: its hypothesis is evaluated once, and nothing else of it is carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gameday.cli.loading import Entry
from gameday.model import Verdict

if TYPE_CHECKING:
    from gameday.runner.ending import Judged


def only_hypothesis(entry: Entry) -> Entry:
    """Return the run of a Chaos Toolkit file that evaluates its hypothesis once and does nothing else."""
    from gameday.schema.experiment import Experiment  # noqa: PLC0415 - heavy

    raw = entry.loaded.experiment.to_json()
    raw["faults"][0]["with"]["only_hypothesis"] = True
    return replace(entry, loaded=replace(entry.loaded, experiment=Experiment.model_validate(raw)))


def hypothesis(judged: Judged) -> dict[str, Any]:
    """Say whether the hypothesis of a Chaos Toolkit file was met."""
    played: list[Any] = judged.document.get("chaostoolkit") or []
    met: bool | None = played[0]["hypothesis"]["before"] if played else None
    passed = met is True and judged.document["abort"] is None
    why = "" if passed else "it has no hypothesis, or nobody could look" if met is None else "its hypothesis is not met"
    row = {
        "name": "steady-state-hypothesis",
        "result": "pass" if passed else "inconclusive",
        "n": 0 if met is None else 1,
    }
    return {
        "variant": {},
        "passed": passed,
        "exit_code": 0 if passed else Verdict.INCONCLUSIVE.exit_code,
        "why": why,
        "objectives": [{**row, "reason": "proven" if passed else "baseline", "k": int(met is False)}],
        "run": str(judged.folder.path),
    }
