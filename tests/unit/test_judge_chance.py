"""The chance of a verdict before the run: numbers that are known, and what must hold for all of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge.binomial import chance_of_pass, lower_tail, ratio_result
from gameday.judge.chance import MOST, WANTED, Chance, chance_in_phase, chances, lower_bound, requests_for
from gameday.judge.result import PASS
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_criterion

USED = st.just(0.0) | st.floats(1e-6, 0.9)
BUDGETS = st.sampled_from([0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5])


@pytest.mark.parametrize(("passed", "runs", "share"), [(3, 3, 0.3684), (10, 10, 0.7411), (0, 5, 0.0), (9, 10, 0.6058)])
def test_repeats_prove_what_clopper_and_pearson_say(passed: int, runs: int, share: float) -> None:
    assert lower_bound(passed, runs) == pytest.approx(share, abs=1e-4)


def test_half_a_budget_is_near_its_limit_in_a_short_run() -> None:
    criterion = parse_criterion("errors < 0.5%")
    assert chance_in_phase(3000, criterion, 0.0025, "fault") == pytest.approx(0.66, abs=0.01)
    assert chance_in_phase(3000, criterion, 0.0025, "fault") ** 4 == pytest.approx(0.19, abs=0.01)


def test_with_none_bad_it_takes_what_the_judge_takes() -> None:
    assert requests_for(0.05, 0.0) == 59
    assert requests_for(0.001, 0.0) == 2995


@given(budget=BUDGETS, used=USED, more=st.integers(0, 400))
def test_that_many_requests_and_any_more_pass_often_enough(budget: float, used: float, more: int) -> None:
    n = requests_for(budget, budget * used)
    if n is not None:
        assert chance_of_pass(n + more, budget, budget * used) >= WANTED - 1e-9


@given(budget=BUDGETS, used=USED, more=st.integers(0, 400))
def test_that_many_requests_and_any_more_keep_the_budget_often_enough(budget: float, used: float, more: int) -> None:
    n = requests_for(budget, budget * used, proof=False)
    if n is not None:
        criterion = parse_criterion(f"errors <= {100 * budget:g}%")
        assert chance_in_phase(n + more, criterion, budget * used, "recovery") >= WANTED - 1e-9


@pytest.mark.parametrize("used", [1.0, 1.5])
def test_no_number_of_requests_proves_what_is_not_within_its_budget(used: float) -> None:
    assert requests_for(0.01, 0.01 * used) is None


def test_what_takes_more_than_anybody_waits_for_has_no_answer() -> None:
    assert requests_for(0.01, 0.00999) is None
    found = requests_for(0.0001, 0.00005)
    assert found is None or found <= MOST


def test_the_chance_is_the_share_of_simulated_runs_that_pass() -> None:
    random, n, share = Random(7), 600, 0.02
    passed = sum(ratio_result(sum(random.random() < share for _ in range(n)), n, 0.05) == PASS for _ in range(400))
    expected = chance_in_phase(n, parse_criterion("errors < 5%"), share, "fault")
    assert passed / 400 == pytest.approx(expected, abs=0.05)


def test_the_gate_asks_only_that_the_counts_keep_the_criterion() -> None:
    criterion = parse_criterion("errors < 1%")
    assert chance_in_phase(100, criterion, 0.0, "baseline") == 1.0
    assert chance_in_phase(100, criterion, 0.0, "fault") == 0.0, "100 requests prove nothing of 1 %"
    assert chance_in_phase(100, criterion, 0.0025, "baseline") == pytest.approx(lower_tail(1, 100, 0.0025))
    assert chance_in_phase(0, criterion, 0.0, "baseline") == 0.0, "nothing measured keeps nothing"


def test_what_is_compared_exactly_holds_or_does_not() -> None:
    criterion = parse_criterion("throughput > 95%")
    assert chance_in_phase(10, criterion, 0.05, "fault") == 1.0
    assert chance_in_phase(10, criterion, 0.06, "fault") == 0.0


def experiment(**changes: Any) -> Experiment:
    document: dict[str, Any] = {
        "version": 1,
        "title": "t",
        "load": {
            "target": "http://127.0.0.1:1",
            "rate": "100/s",
            "requests": [{"name": "a", "get": "/", "weight": 3}, {"name": "b", "get": "/"}],
        },
        "objectives": {"ok": {"expect": "errors < 1%", "during": "errors < 5%", "where": {"endpoint": "b"}}},
        "phases": {"warmup": "5s", "baseline": "20s", "recovery": "30s"},
        "faults": [{"name": "f", "do": "command", "with": {"run": ["true"]}, "for": "10s"}],
    }
    return Experiment.model_validate({**document, **changes})


def test_each_phase_offers_the_requests_that_the_objective_speaks_of() -> None:
    found = {one.phase: one for one in chances(experiment(), {})}
    assert {phase: one.requests for phase, one in found.items()} == {"baseline": 500, "fault": 250, "recovery": 300}
    assert found["fault"].share == pytest.approx(0.05 / 4)
    assert found["baseline"].share == pytest.approx(0.01 / 4)
    assert not any(one.seen for one in found.values())


def test_an_earlier_run_says_more_than_an_assumption() -> None:
    earlier = {("ok", "errors < 5%", "fault"): 0.04, ("ok", "errors < 1%", "baseline"): 0.0}
    found: dict[str, Chance] = {one.phase: one for one in chances(experiment(), earlier)}
    assert (found["fault"].share, found["fault"].seen) == (0.04, True)
    assert found["fault"].chance < 0.3
    assert found["fault"].factor is not None
    assert found["fault"].factor > 3
    assert found["recovery"].share == 0.0, "a hold of the recovery is like the baseline"


def test_nothing_is_said_of_users_and_of_a_system_with_its_own_traffic() -> None:
    load = {"target": "http://127.0.0.1:1", "users": 5, "requests": [{"name": "b", "get": "/"}]}
    assert chances(experiment(load=load), {}) == ()
    gauge = {"slis": {"queue": {"command": ["true"]}}, "objectives": {"q": {"expect": "max(queue) < 5"}}}
    assert chances(experiment(load=None, **gauge), {}) == ()
