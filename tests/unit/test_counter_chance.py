"""What is said of ratios before a run: phases of too few scrapes, and chances at the rate that a source has told of."""

from __future__ import annotations

import pytest

from gameday.judge.counterchance import Known, counter_chances, never_enough, too_short
from gameday.schema.experiment import Experiment
from tests.fakes.counter_stories import counter_story, said

FILE = Experiment.model_validate(counter_story(said()).file)
"""A baseline of 20 s, a fault of 40 s and a recovery of 30 s; ratio(api) < 5%."""


@pytest.mark.parametrize(
    ("interval", "phases"),
    [
        (1_000, []),
        (5_000, []),
        (5_001, []),
        (6_000, ["baseline"]),
        (9_000, ["baseline", "recovery"]),
        (15_000, ["baseline", "fault", "recovery"]),
    ],
)
def test_a_phase_needs_four_scrapes(interval: int, phases: list[str]) -> None:
    found = list(too_short(FILE, {"api": Known(interval, 50.0)}))
    assert [
        next(phase for phase in ("baseline", "fault", "recovery") if f"the {phase} phase" in why) for _, _, why in found
    ] == phases


def test_chances_are_those_of_what_lies_inside() -> None:
    found = tuple(counter_chances(FILE, {"api": Known(1_000, 50.0)}, {}))
    assert [(one.phase, one.requests) for one in found] == [("baseline", 950), ("fault", 1_950), ("recovery", 450)]
    assert all(0.9 < one.chance <= 1 for one in found)
    assert list(never_enough(found)) == []
    few = tuple(counter_chances(FILE, {"api": Known(1_000, 1.0)}, {}))
    assert [why for _, _, why in never_enough(few)] == ["the fault phase offers about 39 requests, it takes 59"]


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert list(counter_chances(FILE, {}, {})) == []
    assert list(counter_chances(FILE, {"api": Known(1_000, 0.0)}, {})) == []
    seen = next(
        iter(counter_chances(FILE, {"api": Known(1_000, 50.0)}, {("api", "ratio(api) < 5%", "baseline"): 0.04}))
    )
    assert (seen.seen, seen.share) == (True, 0.04)
