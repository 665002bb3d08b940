"""What ``/metrics`` says, and the switches of the command line."""

from __future__ import annotations

import argparse

import pytest

from gameday.shop.metrics import Metrics
from gameday.shop.options import breaker_rule, duration, limit, retry, retry_budget, timeout
from gameday.shop.retry import Retry


def test_counters_gauges_and_histograms_in_prometheus_text() -> None:
    metrics = Metrics()
    metrics.count("shop_requests_total", route="/x", code="200")
    metrics.count("shop_requests_total", route="/x", code="200")
    metrics.gauge("payment_queue_depth", lambda: 7)
    metrics.observe("shop_request_seconds", 0.005, route="/x")
    metrics.observe("shop_request_seconds", 0.3, route="/x")
    metrics.observe("shop_request_seconds", 60.0, route="/x")
    lines = metrics.render().splitlines()
    assert 'shop_requests_total{route="/x",code="200"} 2' in lines
    assert "# TYPE payment_queue_depth gauge" in lines
    assert "payment_queue_depth 7" in lines
    assert 'shop_request_seconds_bucket{route="/x",le="0.005"} 1' in lines, "a bound belongs to its bucket"
    assert 'shop_request_seconds_bucket{route="/x",le="0.25"} 1' in lines
    assert 'shop_request_seconds_bucket{route="/x",le="0.5"} 2' in lines
    assert 'shop_request_seconds_bucket{route="/x",le="+Inf"} 3' in lines
    assert 'shop_request_seconds_count{route="/x"} 3' in lines
    assert 'shop_request_seconds_sum{route="/x"} 60.305' in lines


def test_labels_are_escaped_and_unknown_metrics_refused() -> None:
    metrics = Metrics()
    metrics.count("shop_requests_total", route='a"b\\c\nd')
    assert 'route="a\\"b\\\\c\\nd"' in metrics.render()
    with pytest.raises(KeyError):
        metrics.count("shop_request_total")


def test_switches_are_read() -> None:
    assert duration("300ms") == pytest.approx(0.3)
    assert timeout("none") is None
    assert retry("2/50ms") == Retry(count=2, backoff=0.05)
    assert retry("none").count == 0
    rule = breaker_rule("5/10s")
    assert rule is not None
    assert (rule().failures, rule().open_seconds) == (5, 10.0)
    assert rule() is not rule(), "each dependency has a breaker of its own"
    assert breaker_rule("none") is None
    share = retry_budget("10%")
    assert share is not None
    assert share().share == pytest.approx(0.1)
    assert retry_budget("none") is None
    assert (limit("4"), limit("none")) == (4, None)


@pytest.mark.parametrize("text", ["300", "-1s", "", "1 s", "5", "0/1s", "x/1s", "5/10"])
def test_switches_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        duration(text)
    for read in (retry, breaker_rule, retry_budget):
        with pytest.raises(argparse.ArgumentTypeError):
            read(text)


@pytest.mark.parametrize("text", ["0", "-1", "", "1.5", "many"])
def test_limits_are_numbers_of_at_least_one(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        limit(text)


def test_gauges_as_json_for_probes() -> None:
    metrics = Metrics()
    metrics.count("shop_requests_total", route="/x", code="200")
    metrics.gauge("payment_queue_depth", lambda: 7)
    metrics.gauge("shop_calls_in_flight", lambda: 2, dependency="payments")
    metrics.gauge("shop_calls_in_flight", lambda: 3, dependency="catalog")
    assert metrics.gauges() == {"payment_queue_depth": 7, "shop_calls_in_flight": {"payments": 2, "catalog": 3}}
