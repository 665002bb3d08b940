"""Objectives and abort rules: what each line means, and what it can never mean."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.schema.grammar import AbortRule, Criterion, ForRule, LoseRule, SilentRule, parse_abort, parse_criterion


@pytest.mark.parametrize(
    ("text", "kind", "budget", "slower_us"),
    [
        ("errors < 0.5%", "errors", 0.005, None),
        ("errors <= 5%", "errors", 0.05, None),
        ("availability > 99.5%", "errors", 0.005, None),
        ("p95 < 300ms", "slow", 0.05, 300_000),
        ("p99.9<=1s", "slow", 0.001, 1_000_001),
        ("p50 < 1m30s", "slow", 0.5, 90_000_000),
        ("throughput > 95%", "throughput", 0.05, None),
        ("bad_seconds < 10%", "bad_seconds", 0.1, None),
        ("  errors<1%  ", "errors", 0.01, None),
    ],
)
def test_objectives(text: str, kind: str, budget: float, slower_us: int | None) -> None:
    criterion = parse_criterion(text)
    assert (criterion.kind, criterion.slower_us) == (kind, slower_us)
    assert criterion.budget == pytest.approx(budget)
    assert criterion.text == text.strip()
    assert criterion.exact == (kind in ("throughput", "bad_seconds"))


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "not an objective"),
        ("errors", "not an objective"),
        ("errors = 5%", "not an objective"),
        ("errors < ", "not an objective"),
        ("errors < 5", "not a percentage"),
        ("errors > 5%", "needs an upper limit"),
        ("availability < 99%", "needs a lower limit"),
        ("errors < 0%", "can never be"),
        ("availability > 100%", "can never be"),
        ("errors < 101%", "can never be"),
        ("p95 > 1s", "needs an upper limit"),
        ("p95 < 5%", "not a duration"),
        ("p95 < 0s", "longer than 0s"),
        ("p49 < 1s", "p50"),
        ("p100 < 1s", "unknown metric"),
        ("p99.999 < 1s", "p99.99"),
        ("latency < 1s", "unknown metric"),
        ("max queue < 5", "not an objective"),
        ("errors < 5% for 3s", "not a percentage"),
    ],
)
def test_what_is_no_objective(text: str, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        parse_criterion(text)


def test_abort_rules() -> None:
    assert parse_abort("errors lose 1.5s of traffic beyond 50%") == LoseRule(
        "errors lose 1.5s of traffic beyond 50%", 1500, 0.5
    )
    assert parse_abort("no completion for 5s") == SilentRule("no completion for 5s", 5000)
    rule = parse_abort(" p95 < 2s for 10s ")
    assert isinstance(rule, ForRule)
    assert (rule.criterion.slower_us, rule.window_ms, rule.text) == (2_000_000, 10_000, "p95 < 2s for 10s")


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("errors loose 1.5s of traffic beyond 50%", "not an abort rule"),
        ("errors lose 0s of traffic beyond 50%", "longer than 0s"),
        ("errors lose 1s of traffic beyond 100%", "below 100%"),
        ("errors lose 5 of traffic beyond 50%", "not a duration"),
        ("no completion for 0s", "longer than 0s"),
        ("errors < 5%", "not an abort rule"),
        ("errors < 5% for ever", "not a duration"),
        ("error < 5% for 5s", "unknown metric"),
    ],
)
def test_what_is_no_abort_rule(text: str, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        parse_abort(text)


@settings(deadline=None)
@given(st.sampled_from(["errors", "bad_seconds"]), st.integers(1, 99), st.integers(1, 99))
def test_a_wider_objective_has_a_wider_budget(metric: str, first: int, second: int) -> None:
    budgets = [parse_criterion(f"{metric} < {percent}%").budget for percent in (first, second)]
    assert (budgets[0] < budgets[1]) == (first < second)


@settings(deadline=None)
@given(st.integers(1, 99_999), st.integers(50, 99))
def test_an_objective_survives_its_text(ms: int, percentile: int) -> None:
    criterion = parse_criterion(f"p{percentile} < {ms}ms")
    assert parse_criterion(criterion.text) == criterion


@pytest.mark.parametrize("parse", [parse_criterion, parse_abort])
@settings(deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=300),
        st.text(alphabet="errorsplatfbyi <>=%.0123456789ms", max_size=300),
        st.lists(
            st.sampled_from(
                ["errors", "p95", "<", ">", "5%", "1s", "for", "lose", "of", "traffic", "beyond", " ", "no"]
            )
        ).map(" ".join),
    )
)
def test_no_text_raises_anything_but_value_error(parse: Callable[[str], Criterion | AbortRule], text: str) -> None:
    try:
        parsed = parse(text)
    except ValueError:
        return
    assert parse(parsed.text) == parsed


@pytest.mark.parametrize("text", [" " * 10**6, "p" * 10**6, "errors < " + " " * 10**6 + "5%", "a " * 500_000 + "for x"])
def test_a_long_line_costs_nothing(text: str) -> None:
    started = time.process_time()
    for parse in (parse_criterion, parse_abort):
        with pytest.raises(ValueError, match="not a"):
            parse(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "gauge"),
    [
        ("max(queue) < 1000", ("max", "queue", "<", 1000.0, None)),
        ("mean(queue)<=2.5", ("mean", "queue", "<=", 2.5, None)),
        ("last(disk-free) > 5%", ("last", "disk-free", ">", 0.05, None)),
        ("p95(lag) < 250ms", ("p95", "lag", "<", 0.25, None)),
        ("p99.9(lag) < 1m", ("p99.9", "lag", "<", 60.0, None)),
        ("slope(queue) < 5/s", ("slope", "queue", "<", 5.0, None)),
        ("slope(queue) < -0.5", ("slope", "queue", "<", -0.5, None)),
        ("max(memory.rss) < 64MiB", ("max", "memory.rss", "<", 67_108_864.0, None)),
        ("max(memory) < 1.5GB", ("max", "memory", "<", 1.5e9, None)),
        ("share(queue > 100) < 5%", ("share", "queue", "<", 0.05, (">", 100.0))),
        ("share( lag <= 250ms ) >= 99%", ("share", "lag", ">=", 0.99, ("<=", 0.25))),
    ],
)
def test_an_objective_on_a_gauge(text: str, gauge: tuple[object, ...]) -> None:
    found = parse_criterion(text)
    assert (found.aggregate, found.sli, found.op, found.limit, found.condition) == gauge
    assert (found.kind, found.exact, found.slower_us) == ("gauge", True, None)
    assert found.metric == f"{found.aggregate}({found.sli})"
    assert parse_criterion(found.text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max(queue)", "not an objective on a gauge"),
        ("max() < 5", "not an objective on a gauge"),
        ("max(queue) < 5 apples", "not an objective on a gauge"),
        ("max(queue) = 5", "not an objective on a gauge"),
        ("most(queue) < 5", "unknown aggregate"),
        ("p49(queue) < 5", "p50 to p99.99"),
        ("max(queue > 5) < 5", "takes no comparison"),
        ("share(queue) < 5%", "needs a comparison"),
        ("share(queue > 5) < 5", "not a percentage"),
        ("share(queue > 5) < 0%", "never"),
        ("share(queue > 5) > 100%", "never"),
        ("max(queue) < 5MB/s", "not a number"),
        ("max(queue) < NaN", "not a number"),
    ],
)
def test_what_is_no_objective_on_a_gauge(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_criterion(text)


def test_a_gauge_may_stop_a_run() -> None:
    rule = parse_abort("max(queue) < 5000 for 10s")
    assert isinstance(rule, ForRule)
    assert (rule.criterion.kind, rule.criterion.sli, rule.window_ms) == ("gauge", "queue", 10_000)
