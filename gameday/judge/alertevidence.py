"""What a run knows of one alert: when it fired, and when somebody looked well enough to say that it did not.

A silent alert proves nothing by itself: its rule may be gone, or fail, or nobody may have asked. So every look while the run was on
stands for the time until the next one, and only time that is covered by looks at a rule which was found, evaluated and fresh counts.

When it fired is read from the source's own record where there is one (Prometheus), else from the looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from gameday.model import AlertLook, Reason, Run, Testimony

COVERAGE = 0.9
"""Share of a stretch that looks must cover, as for the readings of a gauge."""
FIRING, FED = "firing", "fed"
"""Parts of the record: evaluations at which it fired, and at which its rule had anything to look at."""
_SLACK_MS = 1_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which an alert fired, in milliseconds of the run's clock."""

    from_ms: int
    to_ms: int | None
    """When it was seen not to fire any more; None when it was not."""

    def meets(self, from_ms: int, to_ms: int) -> bool:
        """Whether it fired at any time in [from_ms, to_ms)."""
        return self.from_ms < to_ms and (self.to_ms is None or self.to_ms > from_ms)


@dataclass(frozen=True, slots=True)
class _Span:
    """The time that one look stands for, and what was wrong with it."""

    from_ms: int
    to_ms: int
    lack: Reason | None


class Witness:
    """Everything that one source said of one alert."""

    def __init__(self, looks: Sequence[AlertLook], said: Testimony | None = None) -> None:
        self._looks = sorted(looks, key=lambda look: look.at_ms)
        self._said = said
        self._record = None if said is None or said.error else said

    @property
    def looked(self) -> bool:
        """Whether anybody looked at all."""
        return bool(self._looks)

    @cached_property
    def interval_ms(self) -> int:
        """How often the rule is evaluated, as the source last said; 0 where it has none."""
        told = self._record.facts.get("interval_ms") if self._record else None
        if isinstance(told, int) and told > 0:
            return told
        return next((look.interval_ms for look in reversed(self._looks) if look.interval_ms), 0)

    @cached_property
    def resolution_ms(self) -> int:
        """How exact its times are: one interval of the rule, or the longest time between two looks."""
        return self.interval_ms or max((look.every_ms for look in self._looks), default=0)

    @property
    def error(self) -> str:
        """What was wrong last; empty when nothing was."""
        said = next((look.error for look in reversed(self._looks) if look.error), "")
        return said or (self._said.error if self._said else "")

    @cached_property
    def _spans(self) -> tuple[_Span, ...]:
        spans: list[_Span] = []
        seen, since = None, 0
        for index, look in enumerate(self._looks):
            if look.evaluated_ms != seen:
                seen, since = look.evaluated_ms, look.at_ms
            after = self._looks[index + 1].at_ms if index + 1 < len(self._looks) else None
            until = look.end_ms + 2 * look.every_ms + _SLACK_MS
            end = until if after is None else min(after, until)
            old = look.evaluated_ms is not None and look.at_ms - since > 2 * look.interval_ms + look.every_ms
            spans.append(_Span(look.at_ms, end, _lack(look, old=old)))
        return tuple(spans)

    def lacking(self, from_ms: int, to_ms: int) -> Reason | None:
        """Say what is missing for "it did not fire" in [from_ms, to_ms), and was for longest; None when nothing is."""
        if to_ms <= from_ms:
            return None
        held: defaultdict[Reason | None, int] = defaultdict(int)
        last: Reason | None = Reason.NO_DATA
        for span in self._spans:
            held[span.lack] += max(0, min(span.to_ms, to_ms) - max(span.from_ms, from_ms))
            if span.from_ms < to_ms <= span.to_ms:
                last = span.lack
        if held[None] >= COVERAGE * (to_ms - from_ms):
            return last
        holes = {reason: ms for reason, ms in held.items() if reason is not None and ms}
        return max(holes, key=holes.__getitem__, default=Reason.NO_DATA)

    @cached_property
    def firing(self) -> tuple[Stretch, ...]:
        """Every time in which it fired, in order: from the source's record, or else from the looks."""
        if self._record is None:
            return tuple(self._seen())
        times = sorted({at for track in self._record.parts.get(FIRING, ()) for at, _ in track.samples})
        return tuple(self._recorded(first, last) for first, last in _runs(times, 2 * self.interval_ms))

    def _recorded(self, first: int, last: int) -> Stretch:
        """Return one stretch of the record; its end is proven by a look that saw the alert not firing."""
        quiet = any(look.at_ms > last and _silent(look) for look in self._looks)
        return Stretch(first, last + self.interval_ms if quiet else None)

    def _seen(self) -> list[Stretch]:
        """Return what the looks saw: it began after the last look that saw it silent, and ended before the next that did."""
        stretches: list[Stretch] = []
        before: int | None = None
        begun: int | None = None
        for look in self._looks:
            if look.error or not look.state:
                continue
            if look.state == FIRING and begun is None:
                begun = _bounded(look, before)
            elif _silent(look):
                before = look.at_ms
                if begun is not None:
                    stretches.append(Stretch(begun, look.at_ms))
                    begun = None
        return stretches if begun is None else [*stretches, Stretch(begun, None)]

    def fed(self, from_ms: int, to_ms: int) -> float | None:
        """Return in which share of a stretch the rule had anything to look at; None where that is not known."""
        tracks = None if self._record is None else self._record.parts.get(FED)
        step = self._record.facts.get("fed_step_ms") if self._record else None
        if tracks is None or to_ms <= from_ms or not isinstance(step, int) or step <= 0:
            return None
        times = {at for track in tracks for at, _ in track.samples if from_ms <= at < to_ms}
        return min(1.0, len(times) * step / (to_ms - from_ms))


def _runs(times: Sequence[int], gap: int) -> Iterator[tuple[int, int]]:
    """Yield first and last of the times that follow each other at less than ``gap``."""
    first: int | None = None
    for index, at in enumerate(times):
        first = at if first is None else first
        if index + 1 == len(times) or times[index + 1] - at >= gap:
            yield first, at
            first = None


def _lack(look: AlertLook, *, old: bool) -> Reason | None:
    if look.error or not look.state:
        return Reason.QUERY_ERROR if look.wrong else Reason.NO_DATA
    return Reason.STALE if old else None


def _silent(look: AlertLook) -> bool:
    return not look.error and look.state in ("inactive", "pending", "suppressed")


def _bounded(look: AlertLook, before: int | None) -> int:
    """Return when it began to fire: what the source says, as far as the looks allow it."""
    began = look.end_ms if look.since_ms is None else min(look.since_ms, look.end_ms)
    return began if before is None else max(began, before)


def looks_of(run: Run, objective: str, source: str) -> list[AlertLook]:
    """Return the looks of one source at one objective's alert."""
    return [look for look in run.alerts if look.objective == objective and look.source == source]
