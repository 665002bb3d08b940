"""What the load did, for readers: totals, the generator's health and each endpoint. No result depends on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from gameday.judge.health import Health
from gameday.model import LoadSeries, Run
from gameday.schema.experiment import LoadProfile
from gameday.spi.histogram import quantile


def describe_load(run: Run, profile: LoadProfile, health: Health) -> dict[str, Any]:
    """Return the ``load`` part of verdict.json; counts are of the whole run, warm-up included."""
    kinds = _kinds(run.load)
    total = sum(kinds.values(), Counter[str]())
    stopped = run.of_kind("load-stopped")
    said = stopped[-1].data.get("offered") if stopped else None
    return {
        "target": profile.target,
        "model": "open" if profile.open_model else "closed",
        "rate": profile.peak_rate,
        "users": profile.peak_users,
        "offered": said if isinstance(said, int) else sum(total.values()),
        "completed": sum(total.values()) - total["capped"],
        "capped": total["capped"],
        "generator_errors": total["generator"],
        "late_share": health.late_share,
        "lag_p99_ms": health.lag_p99_ms,
        "cpu": health.cpu,
        "healthy": not health.problems and not health.gaps,
        "problems": [*health.problems, *health.gaps],
        "by_endpoint": _endpoints(run.load, kinds),
    }


def _kinds(load: LoadSeries) -> dict[str, Counter[str]]:
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in load.rows:
        kinds[row.endpoint][row.kind] += row.count
    return dict(kinds)


def _endpoints(load: LoadSeries, kinds: Mapping[str, Counter[str]]) -> list[dict[str, Any]]:
    buckets: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for histogram in load.histograms:
        buckets[histogram.endpoint].update(histogram.buckets)
    return [
        {
            "name": name,
            "n": sum(counts.values()),
            "bad": sum(counts.values()) - counts["ok"],
            "kinds": dict(sorted(counts.items())),
            "p50_ms": _quantile_ms(buckets[name], 0.50),
            "p95_ms": _quantile_ms(buckets[name], 0.95),
            "p99_ms": _quantile_ms(buckets[name], 0.99),
        }
        for name, counts in sorted(kinds.items())
    ]


def _quantile_ms(buckets: Mapping[int, int], q: float) -> float | None:
    us = quantile(buckets, q)
    return None if us is None else us / 1000
