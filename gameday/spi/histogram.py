"""Latencies in log-linear buckets: what the load generator records and what charts read; no verdict ever reads one.

64 buckets for each power of two, in whole microseconds, as HdrHistogram does it
(https://hdrhistogram.github.io/HdrHistogram/): a bucket is at most 1/64 = 1.6 % wide, and histograms merge exactly by adding counts.
"""

from __future__ import annotations

from collections.abc import Mapping

_LINEAR = 128
"""Below this many microseconds each value has a bucket of its own."""
_STEP_BITS = 6


def bucket(us: int) -> int:
    """Return the bucket of a latency in µs (negative counts as 0); the key grows with the latency."""
    if us < _LINEAR:
        return max(us, 0)
    shift = us.bit_length() - _STEP_BITS - 1
    return (shift << _STEP_BITS) + (us >> shift)


def bounds(key: int) -> tuple[int, int]:
    """Return the smallest and the largest latency in µs that fall into a bucket."""
    if key < _LINEAR:
        return key, key
    shift = (key >> _STEP_BITS) - 1
    low = (key - (shift << _STEP_BITS)) << shift
    return low, low + (1 << shift) - 1


def value(key: int) -> float:
    """Return the middle of a bucket in µs: within 0.8 % of every latency in it."""
    low, high = bounds(key)
    return (low + high) / 2


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """Return the latency in µs at or below which the share ``q`` (0 to 1) of all samples lies; None without samples.

    Nearest rank: the ⌈q·n⌉-th smallest sample, at the middle of its bucket.
    """
    total = sum(buckets.values())
    rank = q * total
    if total and q > 0.5:  # noqa: PLR2004 - from the top it is nearer
        return _from_the_top(buckets, rank, total)
    seen = 0
    last = None
    for key in sorted(buckets):
        seen += buckets[key]
        last = key
        if seen and seen >= rank:
            break
    return None if last is None or not seen else value(last)


def _from_the_top(buckets: Mapping[int, int], rank: float, total: int) -> float:
    """Return the highest bucket below which fewer than ``rank`` samples lie."""
    below = total
    for key in sorted(buckets, reverse=True):
        below -= buckets[key]
        if below < rank:
            return value(key)
    return value(min(buckets))
