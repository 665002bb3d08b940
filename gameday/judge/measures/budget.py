"""The account of an objective's error budget, of whatever its requests were counted by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gameday.judge.counts import Tally
from gameday.judge.windows import SLOT_MS, Window
from gameday.schema.grammar import Criterion
from gameday.schema.openslo import Slo

NO_BUDGET: dict[str, Any] = {
    "bad": None,
    "total": None,
    "used": None,
    "burn_rate": None,
    "outage_ms": None,
    "slo": None,
}
"""Of an objective that has none: nothing in it is a ratio."""


def account(criterion: Criterion, counts: Sequence[tuple[Window, Tally]], slo: Slo | None = None) -> dict[str, Any]:
    """Account for the error budget of one ratio over the windows that the run reached, each with its counts.

    ``used`` is bad / (budget · requests) over all of them, so that a slow recovery costs; ``burn_rate`` is (bad / n) / budget from
    "inject called" to the last revert; ``outage_ms`` is bad / offered rate: how long everything would have had to fail for as much;
    ``slo`` how much of the budget of an OpenSLO document's whole window that is.
    """
    whole = sum((tally for _, tally in counts), Tally())
    fault = sum((tally for window, tally in counts if window.name in ("onset", "fault")), Tally())
    lasted = SLOT_MS * sum(window.slots for window, _ in counts)
    outage = whole.k * lasted / whole.n if whole.n else None
    return {
        "bad": whole.k,
        "total": whole.n,
        "used": _burn(whole, criterion),
        "burn_rate": _burn(fault, criterion),
        "outage_ms": None if outage is None else round(outage),
        "slo": None if slo is None or slo.window_ms is None or outage is None else _share(slo, slo.window_ms, outage),
    }


def _share(slo: Slo, window_ms: int, outage_ms: float) -> dict[str, Any]:
    """Say which share of the budget of the whole window was used: 43.2 minutes of full outage for 99.9 % of 30 days."""
    budget_ms = (1 - slo.target) * window_ms
    return {"name": slo.name, "target": slo.target, "window_ms": window_ms, "share": outage_ms / budget_ms}


def _burn(counts: Tally, criterion: Criterion) -> float | None:
    return counts.k / (criterion.budget * counts.n) if counts.n and criterion.budget else None
