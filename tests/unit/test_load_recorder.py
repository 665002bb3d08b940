"""The recorder: each arrival counted once, under its intended start, whatever becomes of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gameday.load.protocol import KINDS, encode, parse_message
from gameday.load.recorder import Recorder

MS = 1_000_000
EPOCH = 7_000 * MS
FAR = 1 << 62


def recorder() -> Recorder:
    return Recorder(endpoints=["home", "buy"], limits_us=[300_000, 1_000_000], epoch_ns=EPOCH)


@dataclass
class Arrival:
    gap_ms: int
    took_ms: int
    endpoint: int
    kind: str


ARRIVALS = st.lists(
    st.builds(
        Arrival,
        gap_ms=st.integers(0, 200),
        took_ms=st.integers(0, 3000),
        endpoint=st.integers(0, 1),
        kind=st.sampled_from(sorted(KINDS)),
    ),
    max_size=60,
)


@given(ARRIVALS, st.integers(1, 7))
def test_rows_add_up_to_what_happened_however_often_they_are_taken(arrivals: list[Arrival], every: int) -> None:
    counted = recorder()
    expected: Counter[tuple[int, str, str]] = Counter()
    slower: Counter[int] = Counter()
    taken: list[dict[str, Any]] = []
    now = EPOCH
    for k, arrival in enumerate(arrivals):
        now += arrival.gap_ms * MS
        key = ((now - EPOCH) // (100 * MS), ["home", "buy"][arrival.endpoint], arrival.kind)
        expected[key] += 1
        if arrival.kind == "capped":
            counted.capped_at(arrival.endpoint, now, now)
        else:
            counted.arrived(k, now)
            counted.left(now, now)
            counted.finished(k, arrival.endpoint, arrival.kind, now + arrival.took_ms * MS)
            slower.update({limit: int(arrival.took_ms * 1000 >= limit) for limit in (300_000, 1_000_000)})
        if k % every == 0:
            taken.append(counted.aggregate())
    taken.append(counted.aggregate())
    rows: Counter[tuple[int, str, str]] = Counter()
    found: Counter[int] = Counter()
    for message in taken:
        assert parse_message(encode(message).rstrip()) == message
        for slot, name, kind, count, over in message["rows"]:
            rows[slot, name, kind] += count
            found.update({int(limit): n for limit, n in over.items()})
    assert rows == expected
    assert +found == +slower
    assert sum(row[2] for m in taken for row in m["hist"]) == counted.completed == counted.sent
    assert counted.offered == len(arrivals) == counted.completed + counted.capped


def test_a_request_in_flight_is_over_a_limit_as_soon_as_it_is_older() -> None:
    counted = recorder()
    counted.arrived(0, EPOCH)
    counted.arrived(1, EPOCH + 500 * MS)
    assert counted.pulse(EPOCH + 299 * MS)["over"] == {"300000": 0, "1000000": 0}
    assert counted.pulse(EPOCH + 300 * MS)["over"] == {"300000": 1, "1000000": 0}
    assert counted.pulse(EPOCH + 1000 * MS)["over"] == {"300000": 2, "1000000": 1}


def test_no_bad_request_is_counted_twice_in_a_pulse() -> None:
    counted = recorder()
    for k, (kind, took) in enumerate([("ok", 10), ("ok", 400), ("timeout", 400), ("http_5xx", 1)]):
        counted.arrived(k, EPOCH)
        counted.finished(k, 0, kind, EPOCH + took * MS)
    counted.arrived(9, EPOCH)
    counted.capped_at(1, EPOCH, EPOCH)
    pulse = counted.pulse(EPOCH + 500 * MS)
    assert pulse["bad"] + pulse["slower"]["300000"] + pulse["over"]["300000"] + pulse["capped"] == 5
    assert pulse["intended"] == 6 == pulse["sent"] + pulse["capped"]
    assert parse_message(encode(pulse).rstrip()) == pulse


def test_a_tick_tells_lag_late_and_the_oldest_and_begins_anew() -> None:
    counted = recorder()
    for k in range(100):
        counted.arrived(k, EPOCH)
        counted.left(EPOCH, EPOCH + (60 if k < 2 else 1) * MS)
    tick = counted.tick(EPOCH + 1000 * MS, due_ns=FAR, cpu=0.5, rss_mb=50.0, rate=100.0)
    assert (tick["started"], tick["late"], tick["lag_p99_ms"], tick["in_flight"]) == (100, 2, 60.0, 100)
    assert tick["oldest_in_flight_ms"] == 1000
    after = counted.tick(EPOCH + 2000 * MS, due_ns=FAR, cpu=0.5, rss_mb=50.0, rate=100.0)
    assert (after["started"], after["late"], after["lag_p99_ms"]) == (0, 0, 0.0)
    assert parse_message(encode(tick).rstrip()) == tick


def test_an_arrival_that_is_due_and_not_yet_sent_counts_as_the_oldest() -> None:
    tick = recorder().tick(EPOCH + 1000 * MS, due_ns=EPOCH + 400 * MS + 1, cpu=0, rss_mb=0, rate=1)
    assert tick["oldest_in_flight_ms"] == 600


def test_few_errors_are_explained_and_only_once_each() -> None:
    counted = Recorder(endpoints=[str(n) for n in range(100)], limits_us=[], epoch_ns=EPOCH)
    first = counted.explain(0, "refused", "x" * 10_000)
    assert first is not None
    assert len(first["text"]) <= 500
    assert counted.explain(0, "refused", "again") is None
    assert sum(counted.explain(n, "reset", "text") is not None for n in range(100)) == 19
