"""Charts of the load: throughput, and the generator's account of itself."""

from __future__ import annotations

from gameday.model import Tick
from gameday_reports import words
from gameday_reports.charts.hover import Line
from gameday_reports.charts.limits import LimitLine
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts
from gameday_reports.series import Series

LATE_MS = 50.0
"""A request that leaves later than this after its intended start is the generator's fault (docs/run-folder.md, ``late``)."""


def throughput(facts: Facts) -> Panel:
    """Draw what was offered and what was answered."""
    counts = facts.ledger
    total, failed = counts.total(), counts.failed()
    offered = counts.per_second(total)
    served = counts.per_second([n - k for n, k in zip(total, failed, strict=True)])
    lines = (
        Line(label="answered without error", series=served),
        Line(label="offered", series=offered, kind="second"),
    )
    return Panel(key="throughput", title="Requests offered and answered, each second", unit="rate", lines=lines)


def generator_panels(facts: Facts) -> tuple[Panel, ...]:
    """Draw the load generator's account of itself: how late it was, and how much was in flight."""
    ticks = facts.run.load.ticks
    if not ticks:
        return ()
    late = LimitLine(
        from_ms=facts.axis.from_ms,
        to_ms=facts.axis.to_ms,
        value=LATE_MS,
        label=f"late from {words.latency(LATE_MS)} on",
    )
    lag = Line(label="lag p99", series=_ticked(ticks, "lag_p99_ms"))
    flying = Line(label="in flight", series=_ticked(ticks, "in_flight"))
    return (
        Panel(
            key="lag",
            title="How late requests left, p99 of each second",
            unit="ms",
            lines=(lag,),
            limits=(late,),
            height=140.0,
            linear=True,
        ),
        Panel(key="flight", title="Requests in flight", unit="count", lines=(flying,), height=140.0),
    )


def _ticked(ticks: tuple[Tick, ...], name: str) -> Series:
    by_second = {tick.at_ms // 1000: float(getattr(tick, name)) for tick in ticks}
    first, last = min(by_second), max(by_second)
    return Series(start=first, values=tuple(by_second.get(second) for second in range(first, last + 1)))
