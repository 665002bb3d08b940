"""Another machine's clock: as good as the shortest round trip, and not known when that is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gameday.load.clock import ENOUGH, TRUSTED_NS, Clock

NS = st.integers(0, 10**9)


@given(st.integers(-(10**18), 10**18), st.lists(st.tuples(NS, NS), min_size=1, max_size=30))
def test_the_offset_is_wrong_by_half_the_shortest_round_trip_at_most(ahead: int, trips: list[tuple[int, int]]) -> None:
    clock = Clock()
    now = 10**12
    for there, back in trips:
        clock.read(now, now + there - ahead, now + there + back)
        now += there + back + 1
    shortest = min(there + back for there, back in trips[-10:])
    assert abs(clock.theirs(now) - (now - ahead)) <= shortest / 2 + 1


def test_it_is_known_after_some_readings_of_which_one_is_good() -> None:
    clock = Clock()
    for n in range(ENOUGH - 1):
        clock.read(n, 0, n + 10)
        assert not clock.known
    clock.read(9, 0, 19)
    assert clock.known


def test_slow_answers_make_no_known_clock() -> None:
    clock = Clock()
    for _ in range(20):
        clock.read(0, 0, 2 * TRUSTED_NS + 4)
    assert not clock.known


def test_an_answer_from_the_future_is_no_answer() -> None:
    clock = Clock()
    clock.read(100, 0, 50)
    assert clock.readings == 0
