"""An abort rule on a gauge: ``max(queue) < 1000 for 10s``."""

from __future__ import annotations

from collections import deque

from gameday.judge.gauges import aggregate, is_bad, keeps
from gameday.judge.words import allowed, reading
from gameday.model import GaugeSample
from gameday.schema.grammar import ForRule

_POOLED = ("slope", "share")


class GaugeWatch:
    """Over when every reading of ``window_ms`` was over the line, or when a slope or a share over them is.

    A reading that is missing says nothing: it neither stops a run nor calms a rule.
    """

    def __init__(self, rule: ForRule) -> None:
        self._rule = rule
        self._since: int | None = None
        """When the first of the readings in a row that were over the line began."""
        self._first: int | None = None
        self._seen: deque[tuple[int, float]] = deque()

    def feed(self, sample: GaugeSample) -> str | None:
        """Take the next reading; return what broke the rule."""
        criterion = self._rule.criterion
        if sample.sli != criterion.sli or sample.value is None:
            return None
        if criterion.aggregate in _POOLED:
            return self._pool(sample.at_ms, sample.value)
        if not is_bad(criterion, sample.value):
            self._since = None
            return None
        self._since = sample.at_ms if self._since is None else self._since
        lasted = sample.at_ms - self._since
        if lasted < self._rule.window_ms:
            return None
        now = reading(criterion, sample.value)
        return f"{criterion.sli} is {now}, and was not {allowed(criterion)} for {lasted / 1000:.1f} s"

    def _pool(self, at_ms: int, value: float) -> str | None:
        criterion = self._rule.criterion
        self._first = at_ms if self._first is None else self._first
        self._seen.append((at_ms, value))
        while self._seen[0][0] < at_ms - self._rule.window_ms:
            self._seen.popleft()
        found = aggregate(criterion, tuple(self._seen))
        if at_ms - self._first < self._rule.window_ms or found is None or keeps(criterion, found):
            return None
        return f"{criterion.metric} was {reading(criterion, found)} in {self._rule.window_ms / 1000:.1f} s"
