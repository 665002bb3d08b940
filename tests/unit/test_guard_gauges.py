"""Abort rules on gauges, and the rate that a rule on the load means where it is not one number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gameday.guard import Guard
from gameday.model import GaugeSample
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_abort
from tests.fakes.stories import experiment
from tests.unit.test_guard_rules import Load


def sample(at_ms: int, value: float | None, sli: str = "queue") -> GaugeSample:
    return GaugeSample(sli=sli, at_ms=at_ms, took_ms=10, value=value, error="" if value is not None else "gone")


def guard(*texts: str, arm: bool = True) -> Guard:
    made = Guard([parse_abort(text) for text in texts], None)
    if arm:
        made.arm()
    return made


def trip_ms(made: Guard, values: Sequence[float | None]) -> int | None:
    """Feed a reading a second; return when it tripped."""
    for second, value in enumerate(values):
        trip = made.feed_gauge(sample(1_000 * second, value))
        if trip is not None:
            return trip.at_ms
    return None


def test_a_gauge_over_its_line_for_that_long_trips() -> None:
    made = guard("max(queue) < 1000 for 5s")
    assert trip_ms(made, [100, 2_000, 2_000, 2_000, 2_000, 2_000, 2_100, 2_000]) == 6_010
    assert made.trip is not None
    assert made.trip.detail == "queue is 2,100, and was not < 1000 for 5.0 s"


def test_a_blip_does_not_and_begins_anew() -> None:
    assert trip_ms(guard("max(queue) < 1000 for 5s"), [2_000] * 5 + [900] + [2_000] * 5) is None


def test_a_missing_reading_says_nothing() -> None:
    assert trip_ms(guard("max(queue) < 1000 for 5s"), [None] * 30) is None
    assert trip_ms(guard("max(queue) < 1000 for 3s"), [2_000, None, None, 2_000]) == 3_010


@pytest.mark.parametrize(
    ("rule", "values", "at"),
    [
        ("share(queue > 10) < 50% for 4s", [0, 20, 20, 0, 20, 20, 20], 4_010),
        ("share(queue > 10) < 90% for 4s", [0, 20, 20, 0, 20, 20, 20, 20, 20], 8_010),
        ("slope(queue) < 5 for 3s", [0, 0, 0, 0, 10, 20], 4_010 + 1_000),
        ("slope(queue) < 5 for 3s", [0, 4, 8, 12, 16], None),
    ],
)
def test_what_is_pooled_is_pooled_over_the_last_readings(
    rule: str, values: Sequence[float | None], at: int | None
) -> None:
    assert trip_ms(guard(rule), values) == at


def test_it_acts_only_while_armed_and_on_its_own_gauge() -> None:
    asleep = guard("max(queue) < 1000 for 2s", arm=False)
    assert trip_ms(asleep, [2_000] * 10) is None
    other = guard("max(queue) < 1000 for 2s")
    assert all(other.feed_gauge(sample(second * 1_000, 5_000, "lag")) is None for second in range(10))
    armed = guard("max(queue) < 1000 for 2s")
    armed.disarm()
    assert trip_ms(armed, [2_000] * 10) is None


def test_a_trip_stays() -> None:
    made = guard("max(queue) < 1000 for 1s")
    assert trip_ms(made, [2_000, 2_000]) == 1_010
    first = made.feed_gauge(sample(9_000, 0))
    assert first is made.trip
    assert first is not None


def closed(rate: float) -> Load:
    load = Load("errors lose 2s of traffic beyond 50%", rate=rate)
    load.guard = Guard([parse_abort("errors lose 2s of traffic beyond 50%")], None)
    return load


def test_users_are_as_fast_as_they_were_before_the_fault() -> None:
    """2 s of 200/s lost at a share of 1 - 0.5: 4 s; with a rate of its own the bucket would be 12 requests small."""
    load = closed(200)
    for _ in range(150):
        load.step()
    load.guard.arm()
    load.rate = 50
    seconds = load.seconds_to_trip(bad=1.0)
    assert seconds == pytest.approx(16, abs=0.4)


def test_stages_mean_the_rate_of_the_moment() -> None:
    file = experiment(abort=["errors lose 2s of traffic beyond 50%"])
    load = {key: value for key, value in file["load"].items() if key != "rate"}
    load["stages"] = [{"rate": "1000/s", "hold": "5s"}, {"rate": "100/s", "hold": "10m"}]
    staged = Load(rate=1_000)
    staged.guard = Guard.of(Experiment.model_validate({**file, "load": load}))
    for _ in range(60):
        staged.step()
    staged.guard.arm()
    staged.rate = 100
    assert staged.seconds_to_trip(bad=1.0) == pytest.approx(4.1, abs=0.2)


def test_without_load_there_is_a_guard_and_nothing_to_feed_it() -> None:
    file = experiment(
        slis={"queue": {"http": "http://127.0.0.1:1/", "every": "1s"}},
        objectives={"backlog": {"expect": "max(queue) < 10"}},
        abort=["max(queue) < 1000 for 2s"],
    )
    del file["load"]
    made = Guard.of(Experiment.model_validate(file))
    made.arm()
    assert trip_ms(made, [2_000] * 5) == 2_010
