"""What `--accept near-limit` may let pass in CI: a run that only had too little traffic to decide, and looks as if it would."""

from __future__ import annotations

from gameday.model import Json, Reason, Verdict

NEAR_LIMIT = str(Reason.NEAR_LIMIT)


def acceptable(document: Json) -> bool:
    """Whether near-limit is the only reason of an inconclusive verdict, and every estimate behind it is inside its budget.

    The estimate is the share of bad requests while the fault was on, its onset included. The verdict itself stays inconclusive.
    """
    if document["verdict"] != Verdict.INCONCLUSIVE.word or list(document["reasons"]) != [NEAR_LIMIT]:
        return False
    near = [
        row["phases"]
        for objective in document["objectives"]
        for row in objective["criteria"]
        if row["phases"].get("fault", {}).get("reason") == NEAR_LIMIT
    ]
    return bool(near) and all(_inside(phases["fault"], phases["onset"]) for phases in near)


def _inside(fault: Json, onset: Json) -> bool:
    n, k = fault["n"] + onset["n"], fault["k"] + onset["k"]
    return bool(n and k <= fault["budget"] * n and fault["k"] <= fault["budget"] * fault["n"])
