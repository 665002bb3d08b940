"""All abort rules of a run, armed together and latched together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.guard.totals import Totals
from gameday.guard.watches import Watch, watch
from gameday.model import Json
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import AbortRule, ForRule


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

    def __init__(self, rules: Sequence[AbortRule], rate: float, limits_us: Sequence[int] = ()) -> None:
        """Watch ``rules`` at ``rate`` planned arrivals per second; ``limits_us`` are the latency limits the load counts by."""
        self._rules = tuple(rules)
        self._rate = rate
        limits = {rule.criterion.slower_us for rule in self._rules if isinstance(rule, ForRule)}
        self._limits = tuple({*limits_us, *(limit for limit in limits if limit is not None)})
        self._last: Totals | None = None
        self._armed = False
        self._watches: list[tuple[AbortRule, Watch]] | None = None
        self._trip: Trip | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> Guard:
        """Return the guard of an experiment."""
        return cls(experiment.abort, experiment.profile.peak_rate, experiment.latency_limits_us)

    @property
    def trip(self) -> Trip | None:
        """What tripped it: once it has, it stays."""
        return self._trip

    def arm(self) -> None:
        """Let the rules act: on what happens after the last pulse before now."""
        if not self._armed:
            self._armed = True
            self._watches = None if self._last is None else self._begin(self._last)

    def disarm(self) -> None:
        """Let the rules rest; a trip stays."""
        self._armed, self._watches = False, None

    def feed(self, pulse: Json) -> Trip | None:
        """Take one pulse; return the first rule that it broke, and from then on always the same one."""
        now = Totals.read(pulse, self._limits)
        if self._last is not None and now.at_ms < self._last.at_ms:
            return self._trip
        self._last = now
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

    def _begin(self, since: Totals) -> list[tuple[AbortRule, Watch]]:
        return [(rule, watch(rule, self._rate, since)) for rule in self._rules]
