"""Numbers are never rounded to a better result, and every reason of the closed list has words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.model import Reason, Verdict
from gameday_reports import words


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.05, "5%"),
        (0.1284, "12.8%"),
        (0.00033, "0.033%"),
        (0.00001, "<0.01%"),
        (0.99996, ">99.99%"),
        (0.9995, "99.95%"),
        (14.02, "1,402%"),
        (math.nan, words.UNKNOWN),
        (None, words.UNKNOWN),
    ],
)
def test_a_share_reads_like_this(share: float | None, said: str) -> None:
    assert words.percent(share) == said


@given(st.integers(min_value=1, max_value=10**9), st.data())
def test_what_is_not_exactly_none_or_all_never_reads_like_it(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(min_value=0, max_value=n))
    said = words.percent(k / n)
    assert (said == "0%") == (k == 0)
    assert (said == "100%") == (k == n)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (3_200, "3.2 s"),
        (9_960, "10 s"),
        (59_600, "1 min"),
        (72_000, "1 min 12 s"),
        (7_500_000, "2 h 5 min"),
        (None, words.UNKNOWN),
    ],
)
def test_a_length_of_time_reads_like_this(ms: float | None, said: str) -> None:
    assert words.duration(ms) == said


@pytest.mark.parametrize(
    ("ms", "said"), [(0.42, "0.42 ms"), (84.46, "84.5 ms"), (212.4, "212 ms"), (999.7, "1.00 s"), (12_345, "12.3 s")]
)
def test_a_latency_reads_like_this(ms: float, said: str) -> None:
    assert words.latency(ms) == said


def test_times_of_the_run_and_of_the_day() -> None:
    assert words.clock(72_345) == "1:12"
    assert words.clock(72_345, precise=True) == "1:12.345"
    assert words.clock(3_672_000) == "1:01:12"
    assert words.utc(1_790_000_000.123) == "2026-09-21 14:13:20"
    assert words.utc(1e300) == words.UNKNOWN


def test_every_verdict_and_every_reason_has_words() -> None:
    assert set(words.VERDICTS) == set(Verdict)
    assert set(words.REASONS) == set(Reason)
    assert words.reason("of-tomorrow") == "of-tomorrow"
    assert words.outcome("fail", "broken") == "Broken, proven"
    assert words.outcome("inconclusive", "too-few") == "Not judged: too few requests to prove it"
