"""All abort rules of a run, armed together and latched together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gameday.guard.gaugewatch import GaugeWatch
from gameday.guard.totals import Totals
from gameday.guard.watches import Watch, watch
from gameday.model import GaugeSample, Json
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import AbortRule, ForRule

Rate = float | Callable[[float], float]
CALM_MS = 10_000
"""How long before the faults the rate of a closed model is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A rule that asks for the end of the run."""

    rule: str
    """As the file has it."""
    at_ms: int
    detail: str
    """The numbers that broke it."""


class Guard:
    """All abort rules of a run. They act only while armed: from the first inject to the end of recovery."""

    def __init__(self, rules: Sequence[AbortRule], rate: Rate | None, limits_us: Sequence[int] = ()) -> None:
        """Watch ``rules``; ``limits_us`` are the latency limits the load counts by.

        ``rate`` is the planned arrivals per second, as a number or for each millisecond of the load's time, which begins with
        the first arrival; None where users decide, whose rate is then that of the last CALM_MS before the rules were armed.
        """
        self._rules = tuple(rule for rule in rules if not _on_gauge(rule))
        self._gauge_rules = tuple(rule for rule in rules if isinstance(rule, ForRule) and _on_gauge(rule))
        self._gauges: list[GaugeWatch] = []
        self._rate = rate
        self._began_ms: int | None = None
        self._calm: deque[Totals] = deque()
        limits = {rule.criterion.slower_us for rule in self._rules if isinstance(rule, ForRule)}
        self._limits = tuple({*limits_us, *(limit for limit in limits if limit is not None)})
        self._last: Totals | None = None
        self._armed = False
        self._watches: list[tuple[AbortRule, Watch]] | None = None
        self._trip: Trip | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> Guard:
        """Return the guard of an experiment; without load nothing is ever fed to it."""
        load = experiment.load
        rate = None if load is None or not load.open_model else load.rate_at
        return cls(experiment.abort, rate, experiment.latency_limits_us)

    @property
    def trip(self) -> Trip | None:
        """What tripped it: once it has, it stays."""
        return self._trip

    def arm(self) -> None:
        """Let the rules act: on what happens after the last pulse before now."""
        if not self._armed:
            self._armed = True
            self._gauges = [GaugeWatch(rule) for rule in self._gauge_rules]
            self._watches = None if self._last is None else self._begin(self._last)

    def disarm(self) -> None:
        """Let the rules rest; a trip stays."""
        self._armed, self._watches, self._gauges = False, None, []

    def feed(self, pulse: Json) -> Trip | None:
        """Take one pulse; return the first rule that it broke, and from then on always the same one."""
        now = Totals.read(pulse, self._limits)
        if self._last is not None and now.at_ms < self._last.at_ms:
            return self._trip
        self._last = now
        if self._began_ms is None and now.intended > 0:
            self._began_ms = now.at_ms
        self._remember(now)
        if not self._armed or self._trip is not None:
            return self._trip
        if self._watches is None:
            self._watches = self._begin(now)
            return None
        for rule, watching in self._watches:
            broke = watching.feed(now)
            if broke is not None and self._trip is None:
                self._trip = Trip(rule=rule.text, at_ms=now.at_ms, detail=broke)
        return self._trip

    def feed_gauge(self, sample: GaugeSample) -> Trip | None:
        """Take one reading of an SLI; return the first rule that it broke, and from then on always the same one."""
        for rule, watching in zip(self._gauge_rules, self._gauges, strict=False):
            broke = watching.feed(sample)
            if broke is not None and self._trip is None:
                self._trip = Trip(rule=rule.text, at_ms=sample.end_ms, detail=broke)
        return self._trip

    def _begin(self, since: Totals) -> list[tuple[AbortRule, Watch]]:
        return [(rule, watch(rule, self._rate_now(), since)) for rule in self._rules]

    def _remember(self, now: Totals) -> None:
        """Keep the last CALM_MS of pulses until the rules are armed."""
        if not self._armed:
            self._calm.append(now)
            while self._calm[-1].at_ms - self._calm[0].at_ms > CALM_MS:
                self._calm.popleft()

    def _rate_now(self) -> Callable[[int], float]:
        """Return arrivals per second at a time of the run's clock."""
        rate, began = self._rate, self._began_ms or 0
        if callable(rate):
            planned = rate
            return lambda at_ms: planned(at_ms - began)
        fixed = self._measured() if rate is None else rate
        return lambda _: fixed

    def _measured(self) -> float:
        if len(self._calm) < 2:  # noqa: PLR2004 - a rate lies between two pulses
            return 0.0
        first, last = self._calm[0], self._calm[-1]
        return 1000 * (last.intended - first.intended) / max(1, last.at_ms - first.at_ms)


def _on_gauge(rule: AbortRule) -> bool:
    return isinstance(rule, ForRule) and rule.criterion.kind == "gauge"
