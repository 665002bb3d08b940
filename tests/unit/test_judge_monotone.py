"""More bad never makes a better verdict: through the whole judge, for every kind of criterion, in every phase."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gameday.judge import judge
from gameday.model import GaugeSample, LoadRow, Verdict
from tests.fakes.stories import END, REVERTED, ZERO, Story, experiment, rows

RECOVER = {"within": "15s", "hold": "10s"}
RECOVERED = REVERTED // 100 + 1
"""The first whole slot of the recovery phase."""
SECONDS = st.integers(24, END // 1_000 - 1)
"""From the last of the baseline to the last of the recovery."""
Counts = Mapping[int, int]
"""Second → how many of its fifty requests, or what reading of the gauge, are bad."""
COUNTED = {
    "errors < 5%": "http_5xx",
    "availability > 95%": "reset",
    "p95 < 300ms": "slow",
    "throughput > 90%": "timeout",
    "bad_seconds < 10%": "http_5xx",
    "errors < 5%\nbad_seconds < 10%": "http_5xx",
}


def counted(expect: str, counts: Counts) -> Verdict:
    """Judge a run of which, in each of these seconds, so many requests are bad."""
    kind = COUNTED[expect]
    told = rows(lambda slot: min(5, max(0, counts.get(slot // 10, 0) - 5 * (slot % 10))), kind=kind)
    if kind == "slow":
        told = [slowed(row) for row in told]
    objective = {"expect": expect, "during": expect, "recover": RECOVER}
    return verdict(Story(file=experiment(objectives={"one": objective}), rows=told))


def slowed(row: LoadRow) -> LoadRow:
    """The same requests, answered too late."""
    return (
        row
        if row.kind == "ok"
        else LoadRow(slot=row.slot, endpoint="checkout", kind="ok", count=row.count, slower={300_000: row.count})
    )


def gauge(expect: str, values: Counts) -> Verdict:
    """Judge a run whose gauge reads 10 at each second, and this much more in these."""
    file = experiment(
        objectives={"one": {"expect": expect, "recover": RECOVER}}, slis={"queue": {"http": "http://x", "every": "1s"}}
    )
    del file["load"]
    seconds = range(4, END // 1_000)
    read: Sequence[GaugeSample] = [
        GaugeSample(sli="queue", at_ms=1_000 * second + 10, took_ms=5, value=10.0 + values.get(second, 0))
        for second in seconds
    ]
    return verdict(Story(file=file, rows=(), ticks=(), gauges=read))


def verdict(story: Story) -> Verdict:
    return Verdict.from_word(judge(story.run())["verdict"])


def block(*spans: tuple[int, int], of: int = 50) -> dict[int, int]:
    """All of these seconds of the recovery phase, counted from its beginning."""
    return {RECOVERED // 10 + second: of for first, end in spans for second in range(first, end)}


@pytest.mark.parametrize("expect", COUNTED)
@settings(max_examples=25, deadline=None)
@example(bad=block((10, 12)), more=block((0, 1)))
@example(bad=block((0, 3), (20, 22)), more=block((8, 9)))
@given(
    bad=st.dictionaries(SECONDS, st.integers(1, 50), max_size=12),
    more=st.dictionaries(SECONDS, st.integers(1, 50), min_size=1, max_size=4),
)
def test_more_bad_requests_never_make_a_better_verdict(expect: str, bad: Counts, more: Counts) -> None:
    worse = {second: bad.get(second, 0) + more.get(second, 0) for second in {*bad, *more}}
    assert counted(expect, worse) >= counted(expect, bad)


@pytest.mark.parametrize(
    "expect",
    ["max(queue) < 100", "mean(queue) < 60", "p90(queue) < 100", "last(queue) < 100", "share(queue > 100) < 20%"],
)
@settings(max_examples=25, deadline=None)
@example(bad=block((10, 12), of=500), more=block((0, 1), of=500))
@example(bad=block((2, 9), (20, 22), of=500), more=block((0, 2), of=500))
@given(
    bad=st.dictionaries(SECONDS, st.integers(1, 900), max_size=12),
    more=st.dictionaries(SECONDS, st.integers(1, 900), min_size=1, max_size=4),
)
def test_higher_readings_never_make_a_better_verdict(expect: str, bad: Counts, more: Counts) -> None:
    worse = {second: bad.get(second, 0) + more.get(second, 0) for second in {*bad, *more}}
    assert gauge(expect, worse) >= gauge(expect, bad)


@settings(max_examples=25, deadline=None)
@given(bad=st.dictionaries(SECONDS, st.integers(1, 900), max_size=12), rate=st.floats(0.1, 50))
def test_a_steeper_gauge_never_makes_a_better_verdict(bad: Counts, rate: float) -> None:
    worse = {second: bad.get(second, 0) + round(rate * (second - 24)) for second in range(24, END // 1_000)}
    assert gauge("slope(queue) < 5/s", worse) >= gauge("slope(queue) < 5/s", bad)


Judge = Callable[[str, Counts], Verdict]


@pytest.mark.parametrize(
    ("judged", "expect"),
    [(counted, expect) for expect in COUNTED] + [(gauge, "max(queue) < 100"), (gauge, "slope(queue) < 5/s")],
)
def test_the_property_is_about_something(judged: Judge, expect: str) -> None:
    """A clean run passes, and one that is bad all through its fault fails."""
    ramp = {second: 60 * (second - ZERO // 1_000) for second in range(ZERO // 1_000, REVERTED // 1_000)}
    assert judged(expect, {}) is Verdict.PASS
    assert judged(expect, ramp) is Verdict.FAIL


def test_what_is_lost_again_and_back_for_good_in_time_has_recovered() -> None:
    assert counted("errors < 5%", block((10, 12))) is Verdict.PASS
    assert counted("errors < 5%", block((0, 1), (10, 12))) is Verdict.PASS
    assert counted("errors < 5%", block((20, 25))) is Verdict.FAIL
