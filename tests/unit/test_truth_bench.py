"""The simulation that measures the verdicts: its traffic has the truth that it says, and its rules and goals say what they see."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from bench.truth import aborts
from bench.truth.rules import one_sample, ours, threshold
from bench.truth.traffic import FAMILIES, Phase, bad_of, blips, phase
from bench.truth.verdictrates import Goal, Setting, goals, one_cell

SETTING = Setting(rate=50, seconds=60, budget=0.005)


@pytest.mark.parametrize("p", [0.0, 0.002, 0.05, 0.6, 1.0])
def test_draws_have_the_mean_and_spread_of_the_binomial(p: float) -> None:
    dice = random.Random(1)
    drawn = [bad_of(dice, 200, p) for _ in range(4_000)]
    assert fmean(drawn) == pytest.approx(200 * p, abs=0.05 + 0.02 * 200 * p)
    assert fmean((k - 200 * p) ** 2 for k in drawn) == pytest.approx(200 * p * (1 - p), rel=0.15, abs=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_the_mean_that_is_asked_for(family: str) -> None:
    dice = random.Random(2)
    phases = [phase(dice, family, 0.01, rate=50, seconds=60) for _ in range(600)]
    assert fmean(one.truth for one in phases) == pytest.approx(0.01, rel=0.1)
    assert fmean(one.k / one.n for one in phases) == pytest.approx(0.01, rel=0.1)
    assert all(len(one.bad) == 60 and max(one.bad) <= 50 for one in phases)


def test_the_rules_judge_the_same_phase() -> None:
    """All requests fail for four seconds in the middle: only one sample afterwards cannot know."""
    broken = Phase(rate=50, bad=(*[0] * 30, *[50] * 4, *[0] * 26), truth=4 / 60)
    assert (ours(broken, 0.005), threshold(broken, 0.005), one_sample(broken, 0.005)) == ("fail", "fail", "pass")
    clean = Phase(rate=50, bad=(0,) * 60, truth=0.0)
    assert ours(clean, 0.005) == "pass"
    near = Phase(rate=50, bad=(*[0] * 45, *[1] * 15), truth=0.005)
    assert (ours(near, 0.005), threshold(near, 0.005)) == ("inconclusive", "pass")


def test_a_cell_is_the_same_whenever_it_is_drawn_and_counts_every_run() -> None:
    cell = one_cell(30, "test", SETTING, "bursts", 3.0)
    assert cell == one_cell(30, "test", SETTING, "bursts", 3.0)
    assert all(sum(counts.values()) == 30 for counts in cell.verdicts.values())
    assert cell.share("gameday", "pass") == 0.0
    assert cell.over >= 29
    assert cell.untrue["one sample"]["pass"] > 0


def test_a_goal_that_is_missed_says_so() -> None:
    cells = [one_cell(10, "test", SETTING, "steady", multiple) for multiple in (0.3, 1.5)]
    cells.append(one_cell(10, "test", Setting(rate=50, seconds=60, budget=0.001), "steady", 0.3))
    assert [goal.met for goal in goals(cells)] == [True] * 5
    cells[1].verdicts["gameday"].update({"pass": 10})
    cells[1].untrue["gameday"]["pass"] = 10
    missed = [goal for goal in goals(cells) if not goal.met]
    assert [goal.says.partition(" at")[0] for goal in missed] == [
        "false pass",
        "false pass against the run's own truth, mean of the multiples, <= 1 %",
    ]
    assert all(goal.words().startswith("MISSED") for goal in missed)
    assert Goal(says="s", limit=1.0, worst=1.0, where="w").words() == "met     s: worst 1 % (w)"


def test_blips_are_short_and_one_a_minute() -> None:
    found = blips(random.Random(3), 50)
    assert [start // 60_000 for start, _, _ in found] == list(range(50))
    assert all(300 <= end - start <= 1_000 and 0.3 <= share <= 1 for start, end, share in found)


def test_the_guard_stops_an_outage_and_not_a_blip_where_the_naive_rule_stops_both() -> None:
    delays, hourly = aborts.outage_seconds(8, "test"), aborts.false_aborts(6, "test")
    assert all(1.4 < delay < 2.3 for seconds in delays.values() for delay in seconds)
    assert all(ours == 0 and naive > 20 for ours, naive in hourly.values())
    assert [goal.met for goal in aborts.goals(delays, hourly)] == [True] * 3
    assert [goal.met for goal in aborts.goals({20: [float("inf")] * 9}, {20: (9.0, 9.0)})] == [False] * 3
