"""Several load generators as one: nothing counted twice, nothing forgotten, and whoever is silent is missing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gameday.load.merge import SILENT_NS, Merger
from gameday.load.protocol import Message, encode, parse_message

S = 1_000_000_000


def pulse(intended: int, **more: Any) -> Message:
    totals = {"sent": intended, "completed": intended, "capped": 0, "bad": 0, "in_flight": 0}
    return {"t": "pulse", "at_ms": 100, "intended": intended, **totals, "over": {}, "slower": {}, **more}


def tick(at_ms: int, **more: Any) -> Message:
    told = {"started": 10, "late": 0, "lag_p99_ms": 1.0, "in_flight": 1, "oldest_in_flight_ms": 5, "capped": 0}
    return {
        "t": "tick", "at_ms": at_ms, **told, "generator_errors": 0, "cpu": 0.2, "rss_mb": 50.0, "rate": 5.0, "users": 3,
        "workers": 1, "missing": 0, **more,
    }  # fmt: skip


def bye(offered: int, *, drained: bool = True) -> Message:
    return {"t": "bye", "offered": offered, "completed": offered, "drained": drained}


def merger(expect: int = 2) -> tuple[Merger, list[Message]]:
    said: list[Message] = []
    made = Merger(said.append, expect=expect)
    for name in "ab"[:expect]:
        made.add(name, 0)
    return made, said


def checked(message: Message) -> Message:
    return parse_message(encode(message).rstrip())


def test_rows_and_texts_pass_as_they_are() -> None:
    made, said = merger()
    rows: Message = {"t": "agg", "rows": [[1, "home", "ok", 2, {}]], "hist": []}
    for message in (rows, {"t": "log", "text": "x"}):
        made.feed("a", message, 0)
    assert said == [rows, {"t": "log", "text": "x"}]


def test_pulses_are_added_up_and_the_last_of_each_counts() -> None:
    made, said = merger()
    made.feed("a", pulse(5), 0)
    made.feed("a", pulse(9, in_flight=2, over={"300000": 2}, slower={"300000": 1}, bad=1), 0)
    made.feed("b", pulse(3, in_flight=1, over={"300000": 1}, slower={"300000": 4}), 0)
    made.pulse(700)
    assert checked(said[-1]) == {
        "t": "pulse", "at_ms": 700, "intended": 12, "sent": 12, "completed": 12, "capped": 0, "bad": 1, "in_flight": 3,
        "over": {"300000": 3}, "slower": {"300000": 5},
    }  # fmt: skip


def test_totals_never_fall_when_a_generator_is_lost_but_its_flights_end() -> None:
    made, said = merger()
    made.feed("a", pulse(9, in_flight=4, over={"1": 4}, bad=2), 0)
    made.feed("b", pulse(3, in_flight=1, over={"1": 1}), 0)
    made.lose("a")
    made.pulse(1)
    assert (said[-1]["intended"], said[-1]["bad"], said[-1]["in_flight"], said[-1]["over"]) == (12, 2, 1, {"1": 1})


def test_a_tick_adds_counts_and_shows_the_worst() -> None:
    made, said = merger()
    made.feed("a", tick(1000, lag_p99_ms=7.0, cpu=0.3), S)
    made.feed("b", tick(1001, oldest_in_flight_ms=80, late=2), S)
    made.tick(S)
    found = checked(said[-1])
    assert (found["started"], found["late"], found["in_flight"], found["users"], found["rate"]) == (20, 2, 2, 6, 10.0)
    assert (found["lag_p99_ms"], found["cpu"], found["rss_mb"]) == (7.0, 0.3, 100.0)
    assert (found["workers"], found["missing"]) == (2, 0)
    assert found["at_ms"] - found["oldest_in_flight_ms"] == 921, "as far as the slower of both is decided"


def test_two_seconds_of_one_generator_are_not_two_generators() -> None:
    made, said = merger(expect=1)
    made.feed("a", tick(1000, lag_p99_ms=9.0), S)
    made.feed("a", tick(2000, users=4), 2 * S)
    made.tick(2 * S)
    assert (said[-1]["started"], said[-1]["users"], said[-1]["rss_mb"], said[-1]["lag_p99_ms"]) == (20, 4, 50.0, 9.0)


def test_who_is_silent_is_missing_and_holds_nobody_up() -> None:
    made, said = merger()
    made.feed("a", tick(1000), S)
    made.feed("b", tick(1000, oldest_in_flight_ms=900), S)
    made.feed("a", tick(3000), 3 * S)
    made.tick(3 * S)
    assert (said[-1]["workers"], said[-1]["missing"], said[-1]["oldest_in_flight_ms"]) == (1, 1, 5)
    made.feed("b", pulse(1), 3 * S)
    assert made.missing(3 * S) == 0, "it is heard again"
    assert made.missing(3 * S + SILENT_NS) == 2


def test_strangers_are_missing_too() -> None:
    made, _ = merger()
    made.strangers = {"c"}
    assert made.missing(0) == 1


def test_one_that_never_came_is_missing() -> None:
    made = Merger(lambda _: None, expect=3)
    made.add("a", 0)
    assert made.missing(0) == 2


def test_nobody_told_anything_is_no_tick() -> None:
    made, said = merger()
    made.tick(S)
    assert said == []


def test_the_last_word_is_whole_only_when_everybodys_is() -> None:
    for end, whole in ((bye(3), True), (bye(3, drained=False), False), (None, False)):
        made, said = merger()
        made.feed("a", bye(4), 0)
        if end is None:
            made.lose("b")
        else:
            made.feed("b", end, 0)
        assert made.over(0)
        made.bye(0)
        assert said[-1] == bye(4 if end is None else 7, drained=whole)


def test_it_is_not_over_while_one_has_more_to_say() -> None:
    made, _ = merger()
    made.feed("a", bye(1), 0)
    assert not made.over(0)
    assert made.over(SILENT_NS), "or is silent for good"
    made.lose("a")
    assert made.missing(0) == 0, "the end of one that said bye is no loss"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.booleans()), max_size=40))
def test_started_is_counted_once_however_often_ticks_are_merged(steps: list[tuple[str, int, bool]]) -> None:
    made, said = merger()
    for name, started, merge in steps:
        made.feed(name, tick(1000, started=started), 0)
        if merge:
            made.tick(0)
    made.tick(0)
    assert sum(message["started"] for message in said) == sum(started for _, started, _ in steps)
