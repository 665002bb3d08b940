"""Counters, gauges and latency histograms, written as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds in seconds; the last bucket, +Inf, is not listed."""
KNOWN = {
    "shop_requests_total": ("counter", "Requests answered, by route and status code."),
    "shop_request_seconds": ("histogram", "Time to answer a request, by route."),
    "shop_dependency_calls_total": ("counter", "Attempts to call a dependency, by outcome."),
    "shop_retries_total": ("counter", "Attempts beyond the first."),
    "shop_fallbacks_total": ("counter", "Answers given without the dependency, by what stood in for it."),
    "shop_cache_hits_total": ("counter", "Lists of products that were answered from the cache."),
    "shop_canary_percent": ("gauge", "Share of the catalog's calls that goes to its new version."),
    "shop_breaker_state": ("gauge", "Circuit breaker: 0 closed, 1 half-open, 2 open."),
    "shop_calls_in_flight": ("gauge", "Calls to a dependency that wait for its answer."),
    "shop_charges_open": ("gauge", "Charges asked for and not yet made: in line, or at work."),
    "payment_queue_depth": ("gauge", "Payments accepted and not yet delivered."),
    "shop_jobs_delivered_total": ("counter", "Queued payments that were charged in the end."),
    "shop_jobs_rejected_total": ("counter", "Queued payments that were turned away or refused."),
    "shop_webhooks_total": ("counter", "Webhooks taken in, by what became of them."),
    "webhook_queue_depth": ("gauge", "Webhooks taken in and not yet delivered or given up."),
    "dead_letters": ("gauge", "Webhooks that were given up and are kept, to be delivered later."),
    "webhooks_undelivered": ("gauge", "Webhooks that wait, and dead letters."),
    "webhooks_lost": ("gauge", "Webhooks taken in that are neither delivered, nor waiting, nor kept as dead letters."),
    "shop_charges_total": ("counter", "Orders charged; an order that is sent again is not charged again."),
}
"""Every metric of the shop; any other name is a mistake (KeyError)."""

_Labels: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, _Labels], int] = {}
        self._histograms: dict[tuple[str, _Labels], _Histogram] = {}
        self._gauges: dict[tuple[str, _Labels], Callable[[], float]] = {}

    def count(self, name: str, **labels: str) -> None:
        """Add one."""
        key = _key(name, labels)
        self._counters[key] = self._counters.get(key, 0) + 1

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add one duration."""
        histogram = self._histograms.setdefault(_key(name, labels), _Histogram())
        histogram.counts[bisect_left(BUCKETS, seconds)] += 1
        histogram.total += seconds

    def gauge(self, name: str, read: Callable[[], float], **labels: str) -> None:
        """Show what ``read`` returns at the time of each look."""
        self._gauges[_key(name, labels)] = read

    def gauges(self) -> dict[str, object]:
        """Return the gauges as JSON: name → number, or name → label's value → number."""
        found: dict[str, object] = {}
        labelled: dict[str, dict[str, float]] = {}
        for (name, labels), read in self._gauges.items():
            if labels:
                labelled.setdefault(name, {})[".".join(text for _, text in labels)] = read()
            else:
                found[name] = read()
        return {**found, **labelled}

    def render(self) -> str:
        """Write everything, metric by metric."""
        lines: list[str] = []
        for name, (kind, text) in KNOWN.items():
            samples = [*self._simple(name), *self._histogram(name)]
            if samples:
                lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *samples]
        return "".join(f"{line}\n" for line in lines)

    def _simple(self, name: str) -> list[str]:
        counters = [_sample(name, labels, value) for (known, labels), value in self._counters.items() if known == name]
        gauges = [_sample(name, labels, read()) for (known, labels), read in self._gauges.items() if known == name]
        return counters + gauges

    def _histogram(self, name: str) -> list[str]:
        lines: list[str] = []
        for (known, labels), histogram in self._histograms.items():
            if known != name:
                continue
            below = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), histogram.counts, strict=True):
                below += count
                lines.append(_sample(f"{name}_bucket", (*labels, ("le", bound)), below))
            lines += [
                _sample(f"{name}_sum", labels, round(histogram.total, 6)),
                _sample(f"{name}_count", labels, below),
            ]
        return lines


def _key(name: str, labels: dict[str, str]) -> tuple[str, _Labels]:
    KNOWN[name]
    return name, tuple(labels.items())


def _sample(name: str, labels: _Labels, value: float) -> str:
    if not labels:
        return f"{name} {value}"
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
