"""PromQL taken apart: the selectors of an expression, and which expressions are sums of counters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday_drivers.promql import counters, selectors


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("up", ["up"]),
        ("vector(1)", []),
        ("sum(queue_depth)", ["queue_depth"]),
        (
            'sum by (job) (rate(http_requests_total{code=~"5..",path="/a}b"}[1m])) / on (job) b',
            ['http_requests_total{code=~"5..",path="/a}b"}', "b"],
        ),
        ("sum without (pod) (a) > bool 5 and b offset 5m", ["a", "b"]),
        ("histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m])))", ["x_bucket"]),
        ('{__name__="a:b"} unless c @ end()', ['{__name__="a:b"}', "c"]),
        ("a * on (x) group_left (y) b # c\n + inf", ["a", "b"]),
        ("topk(3, a) or sum(b) by (x)", ["a", "b"]),
    ],
)
def test_every_selector_is_found(expression: str, found: list[str]) -> None:
    assert list(selectors(expression)) == found


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("requests_total", ["requests_total"]),
        ('requests_total{code="500"}', ['requests_total{code="500"}']),
        ("sum(a)", ["a"]),
        ("sum by (code) (a) + sum(b{x='y'}) by (z)", ["a", "b{x='y'}"]),
        ("(a + (b))", ["a", "b"]),
        ('{__name__="a"}', ['{__name__="a"}']),
    ],
)
def test_a_sum_of_counters_is_its_selectors(expression: str, found: list[str]) -> None:
    assert list(counters(expression)) == found


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("rate(a[1m])", r"rate\(\) makes something else of it"),
        ("sum(increase(a[1m]))", r"increase\(\) makes"),
        ("a[5m]", "not a sum of counters from"),
        ("a - b", "from '-' on"),
        ("a / b", "from '/' on"),
        ("a offset 5m", "from 'offset' on"),
        ("max(a)", r"max\(\) makes"),
        ("1", "not a sum of counters"),
        ("sum(a", "no '\\)'"),
        ("", "1 to 4000 characters"),
        ("a" * 4001, "1 to 4000 characters"),
        ("a{", "not PromQL"),
    ],
)
def test_anything_else_is_no_counter(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        counters(expression)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (selectors, counters):
        try:
            found = read(text)
        except ValueError:
            continue
        assert all(found)
