"""What `--accept near-limit` may let pass in CI: a run that only had too little traffic to decide, and looks as if it would."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.model import Json, Reason, Verdict

NEAR_LIMIT = str(Reason.NEAR_LIMIT)


def acceptable(document: Json) -> bool:
    """Whether near-limit is the only reason of an inconclusive verdict, and every estimate behind it is inside its budget.

    The estimate is the share of bad requests in the phase that is near its limit; while the fault was on also with its onset. A budget
    is the criterion's own, or that of the committed baseline. The verdict itself stays inconclusive.
    """
    if document["verdict"] != Verdict.INCONCLUSIVE.word or list(document["reasons"]) != [NEAR_LIMIT]:
        return False
    rows = [row for objective in document["objectives"] for row in objective["criteria"]]
    near = [found for row in rows for found in _near(row)]
    return bool(near) and all(n and k <= budget * n for k, n, budget in near)


def _near(row: Json) -> Iterator[tuple[int, int, float]]:
    """Yield bad, total and budget of everything in one criterion that is near its limit."""
    phases: Json = row["phases"]
    held: Json = row.get("baseline") or {}
    for name, phase in phases.items():
        told: tuple[Json, Json] = (phase, held.get(name) or {})
        budgets: list[float] = [one["budget"] for one in told if one.get("reason") == NEAR_LIMIT]
        for budget in budgets:
            yield phase["k"], phase["n"], budget
            if name == "fault" and phases.get("onset"):
                yield phase["k"] + phases["onset"]["k"], phase["n"] + phases["onset"]["n"], budget
