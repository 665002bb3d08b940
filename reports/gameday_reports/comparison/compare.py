"""Compare two runs: differences first, exact counts, and for shares how far chance alone could put them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gameday.model import Json
from gameday.spi.sameness import differences
from gameday_reports import words
from gameday_reports.comparison.interval import newcombe
from gameday_reports.comparison.sides import Side
from gameday_reports.comparison.statuses import Statuses, statuses
from gameday_reports.gauges import read as read_gauge
from gameday_reports.reading import bounded, number, part, parts, text

PHASES = {"baseline": "before the fault", "fault": "while it was on", "recovery": "after the fault"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is not the same in both runs, beside what was measured."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of both runs."""

    subject: str
    """Objective or endpoint."""
    measure: str
    """``errors < 5%, while it was on``, ``time to recover``."""
    before: str
    now: str
    change: str
    """``+1.9 points``; empty where nothing can be subtracted."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval of the difference of two shares."""
    beyond: bool | None = None
    """Whether the interval excludes no difference at all; None for what is no share, or where the runs are not comparable."""
    worse: bool | None = None
    """Whether more (True) or less (False) is wrong than before; None where neither can be said."""

    @property
    def differs(self) -> bool:
        """Whether the two figures are not the same."""
        return self.before != self.now

    @property
    def interval(self) -> str:
        """The interval in words: ``+0.4 to +2.9 points``."""
        return "" if self.low is None or self.high is None else f"{_signed(self.low)} to {points(self.high)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs beside each other."""

    before: Side
    now: Side
    comparable: bool
    why: tuple[str, ...]
    """Why they are not comparable, a line for each part of the experiment."""
    changes: tuple[Change, ...]
    rows: tuple[Row, ...]
    """What differs first: verdicts, then what is beyond chance, then the rest."""
    findings: Statuses


def compare(before: Side, now: Side, *, why: Iterable[str] | None = None) -> Comparison:
    """Compare two judged runs; ``why`` says why they are not comparable where that is known already (previous.json)."""
    reasons = tuple(bounded(line) for line in (differences(before.plan, now.plan) if why is None else why))
    comparable = not reasons
    rows = [*_objectives(before, now, comparable=comparable), *_times(before, now), *_load(before, now)]
    rows.sort(key=lambda row: (not row.differs, row.measure != "verdict", not row.beyond))
    return Comparison(
        before=before,
        now=now,
        comparable=comparable,
        why=reasons,
        changes=tuple(change for change in _changes(before, now) if change.before != change.now),
        rows=tuple(rows),
        findings=statuses(now.verdict, before.verdict, comparable=comparable),
    )


def _changes(before: Side, now: Side) -> Iterator[Change]:
    yield Change(name="verdict", before=text(before.verdict, "verdict"), now=text(now.verdict, "verdict"))
    if before.digest and now.digest:
        yield Change(name="digest of the experiment", before=before.digest[:12], now=now.digest[:12])
    for key in ("title", "seed"):
        yield Change(name=key, before=text(before.verdict, key, 120), now=text(now.verdict, key, 120))
    old, new = part(before.plan, "environment"), part(now.plan, "environment")
    for key in sorted({*old, *new}) if old and new else ():
        yield Change(name=bounded(key, 60), before=text(old, key, 120) or "none", now=text(new, key, 120) or "none")
    targets = [text(part(side.verdict, "load"), "target", 120) for side in (before, now)]
    yield Change(name="target of the load", before=targets[0] or "none", now=targets[1] or "none")


def _objectives(before: Side, now: Side, *, comparable: bool) -> Iterator[Row]:
    earlier = {text(raw, "name"): raw for raw in parts(before.verdict, "objectives")}
    later = {text(raw, "name"): raw for raw in parts(now.verdict, "objectives")}
    for name in dict.fromkeys((*later, *earlier)):
        old, new = earlier.get(name, {}), later.get(name, {})
        yield Row(subject=name, measure="verdict", before=_judged(old), now=_judged(new), change="")
        phases_before, phases_now = _phases(old), _phases(new)
        for key in dict.fromkeys((*phases_now, *phases_before)):
            measure = f"{key[0]}, {PHASES[key[1]]}"
            yield _phase(name, measure, phases_before.get(key, {}), phases_now.get(key, {}), comparable=comparable)
        if part(old, "alert") or part(new, "alert"):
            fired = [number(part(raw, "alert"), "fired_ms") for raw in (old, new)]
            yield _lengths(name, "alert fires after", *fired)
        if part(old, "recovery") or part(new, "recovery"):
            yield _recovery(name, part(old, "recovery"), part(new, "recovery"))


def _judged(raw: Json) -> str:
    return words.outcome(text(raw, "verdict"), text(raw, "reason")) if raw else "not there"


def _phases(raw: Json) -> dict[tuple[str, str], Json]:
    """Return (criterion, phase) → what it came to."""
    found: dict[tuple[str, str], Json] = {}
    for criterion in parts(raw, "criteria"):
        for phase in PHASES:
            measured = part(part(criterion, "phases"), phase)
            if measured:
                found[text(measured, "criterion"), phase] = measured
    return found


def _phase(name: str, measure: str, old: Json, new: Json, *, comparable: bool) -> Row:
    if "coverage" in old or "coverage" in new:
        return Row(
            subject=name,
            measure=measure,
            before=read_gauge(old) if old else "not there",
            now=read_gauge(new) if new else "not there",
            change="",
        )
    n, k, n_now, k_now = (number(raw, key) for raw in (old, new) for key in ("n", "k"))
    said = [_share(k, n), _share(k_now, n_now)]
    if not n or not n_now or k is None or k_now is None:
        return Row(subject=name, measure=measure, before=said[0], now=said[1], change="")
    found = newcombe(int(k), int(n), int(k_now), int(n_now))
    low, high = found or (None, None)
    beyond = bool(found and (found[0] > 0 or found[1] < 0))
    difference = k_now / n_now - k / n
    return Row(
        subject=name,
        measure=measure,
        before=said[0],
        now=said[1],
        change=points(difference) if difference else "the same",
        low=low,
        high=high,
        beyond=beyond if comparable else None,
        worse=difference > 0 if difference else None,
    )


def _share(k: float | None, n: float | None) -> str:
    if n is None or k is None:
        return "not there"
    return f"{words.percent(k / n)} ({words.count(k)} of {words.count(n)})" if n else "no requests"


def _recovery(name: str, old: Json, new: Json) -> Row:
    before, now = number(old, "seconds"), number(new, "seconds")
    return _lengths(name, "time to recover", *(None if s is None else s * 1000 for s in (before, now)))


def _times(before: Side, now: Side) -> Iterator[Row]:
    for key in ("detect", "mitigate"):
        old, new = part(part(before.verdict, "times"), key), part(part(now.verdict, "times"), key)
        if text(old, "source") or text(new, "source"):
            yield _lengths("run", f"time to {key}", number(old, "ms"), number(new, "ms"))


def _lengths(subject: str, measure: str, before: float | None, now: float | None) -> Row:
    """Compare two times; one that never came is no number, and nothing is subtracted from it."""
    said = ["not reached" if ms is None else words.duration(ms) if ms else "at once" for ms in (before, now)]
    change, worse = "", (now is None) if (before is None) != (now is None) else None
    if before is not None and now is not None and before != now:
        change, worse = f"{'+' if now > before else MINUS}{words.duration(abs(now - before))}", now > before
    return Row(subject=subject, measure=measure, before=said[0], now=said[1], change=change, worse=worse)


def _load(before: Side, now: Side) -> Iterator[Row]:
    old, new = part(before.verdict, "load"), part(now.verdict, "load")
    if not old and not new:
        return
    offered = [words.count(number(raw, "offered")) for raw in (old, new)]
    yield Row(subject="load", measure="requests offered", before=offered[0], now=offered[1], change="")
    earlier = {text(raw, "name"): raw for raw in parts(old, "by_endpoint")}
    for raw in parts(new, "by_endpoint"):
        name = text(raw, "name")
        for key in ("p50_ms", "p95_ms", "p99_ms"):
            was, is_ = number(earlier.get(name, {}), key), number(raw, key)
            if was is None and is_ is None:
                continue
            change = f"{100 * (is_ / was - 1):+.0f}%".replace("-", MINUS) if was and is_ is not None else ""
            measure = f"{key.removesuffix('_ms')} over the whole run"
            yield Row(subject=name, measure=measure, before=words.latency(was), now=words.latency(is_), change=change)


MINUS = "\N{MINUS SIGN}"


def points(difference: float) -> str:
    """Write a difference of two shares: ``+1.9 points``, in percentage points."""
    return f"{_signed(difference)} points"


def _signed(difference: float) -> str:
    return f"{100 * difference:+.2g}".replace("-", MINUS) if abs(difference) >= 5e-5 else "0"  # noqa: PLR2004 - a hundredth of a point
