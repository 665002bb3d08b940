"""How soon an alert can fire: the expressions that people write, the numbers that they come to, and the bounds."""

from __future__ import annotations

from math import inf, isinf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge.firing import chance_to_fire, seconds_to_burn
from gameday.judge.promexpr import Burn, Either, Every, Need, Unknown, burns, read_need
from gameday.spi.alert import AlertRule

HOUR = 3_600_000
PAGE = Burn(14.4 * 0.001, HOUR)
SLOW = Burn(6 * 0.001, 6 * HOUR)
RATIO = 'sum(rate(http_requests_total{{code=~"5.."}}[{0}])) / sum(rate(http_requests_total[{0}]))'
SLOTH = """
(
    max(slo:sli_error:ratio_rate5m{sloth_id="a-b", sloth_service="a"} > (14.4 * 0.001)) without (sloth_window)
    and
    max(slo:sli_error:ratio_rate1h{sloth_id="a-b", sloth_service="a"} > (14.4 * 0.001)) without (sloth_window)
)
or
(
    max(slo:sli_error:ratio_rate30m{sloth_id="a-b", sloth_service="a"} > (6 * 0.001)) without (sloth_window)
    and
    max(slo:sli_error:ratio_rate6h{sloth_id="a-b", sloth_service="a"} > (6 * 0.001)) without (sloth_window)
)
"""
WORKBOOK = """
  job:slo_errors_per_request:ratio_rate1h{job="myjob"} > (14.4*0.001)
and
  job:slo_errors_per_request:ratio_rate5m{job="myjob"} > (14.4*0.001)
or  # the slower pair
  job:slo_errors_per_request:ratio_rate6h{job="myjob"} > (6*0.001)
and
  job:slo_errors_per_request:ratio_rate30m{job="myjob"} > (6*0.001)
"""


@pytest.mark.parametrize(
    ("need", "share", "seconds"),
    [
        (PAGE, 1.0, 52), (PAGE, 0.5, 104), (PAGE, 0.2, 259), (PAGE, 0.05, 1037),
        (SLOW, 1.0, 130), (SLOW, 0.5, 259), (SLOW, 0.2, 648), (SLOW, 0.05, 2592),
    ],
)  # fmt: skip
def test_the_seconds_that_a_burn_rate_takes(need: Need, share: float, seconds: int) -> None:
    assert round(seconds_to_burn(need, share)) == seconds


@pytest.mark.parametrize(
    ("expression", "threshold", "window_ms"),
    [
        (RATIO.format("1h") + " > 14.4 * 0.001", 0.0144, HOUR),
        (f"({RATIO.format('5m')}) > 0.05", 0.05, 300_000),
        (f"14.4 * 0.001 < {RATIO.format('1h')}", 0.0144, HOUR),
        (f"{RATIO.format('1h30m')} >= (1 - 0.99) * 2", 0.02, HOUR + HOUR // 2),
        ('1 - sum(rate(good_total{a="}"}[10m])) / sum(rate(all_total[10m])) > 0.01', 0.01, 600_000),
        ("sum by (job) (rate(good_total[10m])) / sum by (job) (rate(all_total[10m])) < 0.99", 0.01, 600_000),
        ("(1 - (sum(increase(good[1d])) / sum(increase(all[1d])))) > 1e-2", 0.01, 24 * HOUR),
        ("slo:sli_error:ratio_rate1h > (14.4 * 0.001)", 0.0144, HOUR),
        ('max(slo:sli_error:ratio_rate5m{a="b"} > 0.02) without (w)', 0.02, 300_000),
        ("max by (x) (slo:sli_error:ratio_rate5m > 0.02)", 0.02, 300_000),
        ("avg(rate(errors[5m]) / rate(requests[5m])) > 0.02", 0.02, 300_000),
    ],
)
def test_the_forms_of_a_burn_rate(expression: str, threshold: float, window_ms: int) -> None:
    need = read_need(expression)

    assert isinstance(need, Burn)
    assert need.threshold == pytest.approx(threshold)
    assert need.window_ms == window_ms


@pytest.mark.parametrize("expression", [SLOTH, WORKBOOK], ids=["sloth", "workbook"])
def test_the_pairs_of_windows_that_generators_write(expression: str) -> None:
    need = read_need(expression)

    assert isinstance(need, Either)
    assert all(isinstance(part, Every) for part in need.parts)
    assert sorted(burn.window_ms for burn in burns(need)) == [300_000, 1_800_000, HOUR, 6 * HOUR]
    assert round(seconds_to_burn(need, 0.2)) == 259
    assert round(seconds_to_burn(need, 0.01)) == 12_960, "at 1 % only the slow pair: 0.006 · 6 h / 0.01"
    assert isinf(seconds_to_burn(need, 0.005))


@pytest.mark.parametrize(
    "expression",
    [
        "", "up == 0", "vector(1)", "payment_queue_depth > 1000", "rate(errors_total[5m]) > 10",
        "histogram_quantile(0.99, sum by (le) (rate(seconds_bucket[5m]))) > 0.5", "absent(up{job='a'})",
        "a / b > 0.5", "rate(a[5m]) / rate(b[10m]) > 0.1", RATIO.format("5m") + " > 5", RATIO.format("5m") + " > on() limit",
        RATIO.format("5m") + " == 0.5", "((((", 'a{b="', "a > 1 / 0", "x" * 30_000, "(" * 5_000 + "a" + ")" * 5_000,
        "predict_linear(disk[1h], 4 * 3600) < 0",
    ],
)  # fmt: skip
def test_from_anything_else_nothing_follows(expression: str) -> None:
    assert read_need(expression) == Unknown()
    assert seconds_to_burn(read_need(expression), 0.2) == 0.0


def test_of_a_conjunction_what_is_known_bounds_it_and_of_a_choice_what_is_not_does_not() -> None:
    known = RATIO.format("1h") + " > 0.0144"

    assert round(seconds_to_burn(read_need(f"{known} and on (job) up == 1"), 0.2)) == 259
    assert round(seconds_to_burn(read_need(f"{known} unless on (job) maintenance == 1"), 0.2)) == 259
    assert seconds_to_burn(read_need(f"{known} or up == 0"), 0.2) == 0.0


def test_a_word_in_a_label_or_a_comment_joins_nothing() -> None:
    need = read_need('max(ratio:rate1h{a="this and that # or these"}) > 0.0144 # and so on')

    assert need == Burn(0.0144, HOUR)


def rule(expression: str, **changes: float) -> AlertRule:
    return AlertRule(expression=expression, **{"interval": 15.0, **changes})


PAGING = RATIO.format("1h") + " > 14.4 * 0.001"


def test_a_fault_of_a_minute_at_20_percent_never_fires_the_page() -> None:
    chance = chance_to_fire([rule(PAGING, scrape=15.0)], share=0.2, held_ms=600_000)

    assert chance is not None
    assert chance.burn
    assert round(chance.usual.total_ms) == 259_200 + 15_000 + 15_000
    assert chance.late(within_ms=600_000, fault_ms=60_000)
    assert not chance.cannot(within_ms=600_000, fault_ms=60_000), "a system without other traffic, wholly broken: 8.8 s"


def test_what_not_even_a_full_outage_can_do() -> None:
    chance = chance_to_fire([rule(PAGING, wait=300.0)], share=1.0, held_ms=600_000)

    assert chance is not None
    assert chance.cannot(within_ms=120_000, fault_ms=600_000), "its for is five minutes"
    assert not chance.cannot(within_ms=600_000, fault_ms=120_000)
    short = chance_to_fire([rule("ratio:rate5m > 0.9")], share=1.0, held_ms=600_000)
    assert short is not None
    assert short.cannot(within_ms=600_000, fault_ms=60_000), "270 s of a full outage"


def test_a_for_is_waited_in_whole_evaluations() -> None:
    chance = chance_to_fire([rule("up == 0", wait=20.0)], share=1.0, held_ms=0)

    assert chance is not None
    assert not chance.burn
    assert chance.soonest.total_ms == 30_000
    assert chance.usual.total_ms == 45_000


def test_of_several_rules_the_quickest_counts() -> None:
    chance = chance_to_fire([rule(PAGING), rule("up == 0", wait=20.0)], share=0.2, held_ms=0)

    assert chance is not None
    assert chance.usual.total_ms == 45_000
    assert chance_to_fire([], share=1.0, held_ms=0) is None


THRESHOLDS = st.floats(0.0001, 0.9)
WINDOWS = st.integers(1, 86_400).map(lambda seconds: 1000 * seconds)
SHARES = st.floats(0.001, 1.0)


@given(THRESHOLDS, WINDOWS, SHARES, st.floats(0, 1e5))
def test_at_that_time_the_window_holds_just_the_threshold(
    threshold: float, window: int, share: float, held: float
) -> None:
    took = seconds_to_burn(Burn(threshold, window), share, held)
    if share <= threshold:
        assert took == inf
        return
    seen = min(window / 1000, held + took)
    assert share * took == pytest.approx(threshold * seen)


@given(THRESHOLDS, WINDOWS, SHARES, SHARES)
def test_more_errors_never_take_longer(threshold: float, window: int, one: float, other: float) -> None:
    need = Burn(threshold, window)

    assert seconds_to_burn(need, max(one, other)) <= seconds_to_burn(need, min(one, other))


@given(THRESHOLDS, WINDOWS, SHARES, st.floats(0, 1e5), st.floats(0, 1e5))
def test_more_clean_traffic_never_makes_it_quicker(
    threshold: float, window: int, share: float, one: float, other: float
) -> None:
    need = Burn(threshold, window)

    assert seconds_to_burn(need, share, min(one, other)) <= seconds_to_burn(need, share, max(one, other))
    assert seconds_to_burn(need, share, one) <= seconds_to_burn(need, share)


RULES = st.builds(
    AlertRule,
    expression=st.builds("ratio:rate{}s > {:.6f}".format, st.integers(1, 86_400), THRESHOLDS),
    wait=st.floats(0, 3600),
    interval=st.floats(1, 120),
    scrape=st.floats(0, 120),
)


@given(st.lists(RULES, min_size=1, max_size=3), SHARES)
def test_the_usual_is_never_sooner_than_the_soonest(rules: list[AlertRule], share: float) -> None:
    chance = chance_to_fire(rules, share=share, held_ms=60_000)

    assert chance is not None
    assert chance.soonest.total_ms <= chance.usual.total_ms


@given(st.text(alphabet="()[]{}\"'`# andor/<>=.0159abmh_:", max_size=80))
def test_no_text_is_an_error(text: str) -> None:
    seconds_to_burn(read_need(text), 0.5)
