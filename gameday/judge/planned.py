"""How many arrivals a stretch of the run should have: what the file says, and after a change of the running load what that said."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

from gameday.judge.windows import SLOT_MS, Window, phase_edges
from gameday.model import Run
from gameday.schema.experiment import LoadProfile


def planned_arrivals(run: Run, window: Window, profile: LoadProfile) -> float:
    """Return how many arrivals a window should have at least.

    Arrivals at random may be fewer than planned: four standard deviations of their number (its square root). Users of the closed
    model plan none, and from a change of their number on nobody else does.
    """
    planned = sum(_between(run, first * SLOT_MS, end * SLOT_MS, profile) for first, end in window.spans)
    return max(0.0, planned - 4 * sqrt(planned)) if profile.arrivals == "poisson" else planned


def _between(run: Run, from_ms: int, to_ms: int, profile: LoadProfile) -> float:
    changes = [(event.at_ms, event.data.get("rate")) for event in run.of_kind("load-changed")]
    edges = phase_edges(run)
    begin = edges.get("warmup", edges.get("baseline", 0))  # the load's time begins with its warm-up
    first = min(to_ms, changes[0][0]) if changes else to_ms
    planned = profile.offered(from_ms - begin, first - begin) if first > from_ms else 0.0
    for (at_ms, rate), (until_ms, _) in pairwise([*changes, (to_ms, None)]):
        lasted = min(to_ms, until_ms) - max(from_ms, at_ms)
        if isinstance(rate, (int, float)) and lasted > 0:
            planned += rate * lasted / 1000
    return planned
