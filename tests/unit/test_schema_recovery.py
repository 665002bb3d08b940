"""How long a hold is, what fits into a recovery phase, and what a run could never prove."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_criterion
from gameday.schema.loader import load_experiment
from gameday.schema.power import ALPHA, needed_requests, never_provable
from gameday.schema.recovery import hold_ms, offered_rate, recover_window, shortest_hold_ms
from tests.fakes.experiment_file import changed, write


def experiment(folder: Path, *changes: tuple[str, str]) -> Experiment:
    return load_experiment(write(folder, changed(*changes)), environ={"API_TOKEN": "t"}).experiment


@pytest.mark.parametrize(
    ("lines", "rate", "hold"),
    [
        (["errors < 0.5%"], 1000.0, 10_000),  # 600 requests take 0.6 s: the shortest hold
        (["errors < 0.5%"], 30.0, 20_000),  # 3 / 0.005 / 30
        (["errors < 0.5%"], 5.0, 60_000),  # 120 s: the longest hold
        (["p95 < 1s"], 2.0, 30_000),  # 3 / 0.05 / 2
        (["p95 < 1s", "errors < 0.5%"], 30.0, 20_000),  # the strictest line decides
        (["throughput > 99%"], 1.0, 10_000),  # compared exactly, not by counting
        (["errors <= 0%"], 1.0, 10_000),  # no count would do
    ],
)
def test_the_default_hold(lines: list[str], rate: float, hold: int) -> None:
    assert hold_ms([parse_criterion(line) for line in lines], rate) == hold


@settings(deadline=None)
@given(st.floats(0.01, 100_000), st.integers(1, 999))
def test_a_hold_is_between_its_bounds_and_never_shorter_for_a_smaller_rate(rate: float, permille: int) -> None:
    criteria = [parse_criterion(f"errors < {permille / 10}%")]
    hold = hold_ms(criteria, rate)
    assert 10_000 <= hold <= 60_000
    assert hold_ms(criteria, rate / 2) >= hold
    assert shortest_hold_ms(criteria, rate) * rate / 1000 >= 1 / criteria[0].budget - 1e-6


def test_the_rate_of_an_objective_is_the_share_of_its_endpoints(tmp_path: Path) -> None:
    found = experiment(tmp_path)
    checkout, everything = found.objectives.values()
    assert offered_rate(checkout, found.load) == 30.0
    assert offered_rate(everything, found.load) == 100.0


def test_within_and_hold_as_the_file_says_or_by_default(tmp_path: Path) -> None:
    found = experiment(tmp_path)
    assert recover_window(found.objectives["checkout-available"], found) == (20_000, 20_000)
    assert recover_window(found.objectives["checkout-fast"], found) == (50_000, 10_000)
    found = experiment(tmp_path, ("recover: {within: 20s}", "recover: {within: 20s, hold: 40s}"))
    assert recover_window(found.objectives["checkout-available"], found) == (20_000, 40_000)


@pytest.mark.parametrize(
    ("budget", "needed"), [(0.05, 59), (0.005, 598), (0.001, 2995), (0.5, 5), (1.0, 1), (0.0, None)]
)
def test_how_many_requests_prove_a_budget(budget: float, needed: int | None) -> None:
    assert needed_requests(budget) == needed


@settings(deadline=None)
@given(st.floats(1e-6, 0.999))
def test_that_many_prove_it_and_one_less_does_not(budget: float) -> None:
    needed = needed_requests(budget)
    assert needed is not None
    assert (1 - budget) ** needed <= ALPHA * (1 + 1e-9)
    assert (1 - budget) ** (needed - 1) > ALPHA * (1 - 1e-9)
    assert needed == pytest.approx(math.log(ALPHA) / math.log1p(-budget), abs=1)


def test_a_run_that_could_never_prove_an_objective(tmp_path: Path) -> None:
    assert never_provable(experiment(tmp_path)) == []
    found = never_provable(
        experiment(
            tmp_path, ("rate: 100/s", "rate: 2/s"), ("within: 20s", "within: 1ms"), ("recovery: 60s", "recovery: 90s")
        )
    )
    # 90 s of faults: 54 checkouts of 59 for 5 %; the other objective has all 180 requests.
    assert found == [("checkout-available", "errors < 5%", "fault", 54, 59)]


def test_what_is_compared_exactly_needs_no_number_and_what_allows_nothing_has_none(tmp_path: Path) -> None:
    change = ("{expect: p95 < 300ms, during: p95 < 1s}", '{expect: "throughput > 99%"}')
    assert never_provable(experiment(tmp_path, change)) == []
    found = never_provable(experiment(tmp_path, (change[0], '{expect: "errors <= 0%"}')))
    assert found == [("checkout-fast", "errors <= 0%", "fault", 9000, None)]


def test_a_file_warns_of_it_at_the_objective(tmp_path: Path) -> None:
    path = write(tmp_path, changed(("errors < 5%", "errors < 0.01%")))
    (warning,) = load_experiment(path, environ={"API_TOKEN": "t"}).warnings
    assert (warning.line, warning.code, warning.level) == (30, "too-few", "warning")
    assert warning.message == (
        "'errors < 0.01%' can never be proven: the fault phase offers 2,700 requests, and it takes 29,956"
    )
    assert "warning[too-few]" in warning.render()


def test_users_of_the_closed_model_are_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, changed(("rate: 100/s", "users: 50")))
    (warning,) = load_experiment(path, environ={"API_TOKEN": "t"}).warnings
    assert (warning.line, warning.column, warning.code, warning.level) == (23, 3, "closed-model", "warning")
    assert load_experiment(path, environ={"API_TOKEN": "t"}).unprovable == ()


def test_what_stages_offer_in_the_fault_phase_decides_what_can_be_proven(tmp_path: Path) -> None:
    low = "stages: [{rate: 100/s, hold: 70s}, {rate: 1/min, hold: 90s}, {rate: 200/s, hold: 60s}]"
    found = load_experiment(write(tmp_path, changed(("rate: 100/s", low))), environ={"API_TOKEN": "t"})
    assert {item.objective for item in found.unprovable} == {"checkout-available", "checkout-fast"}
    high = "stages: [{rate: 1/s, hold: 65s}, {rate: 200/s, hold: 200s}]"
    found = load_experiment(write(tmp_path, changed(("rate: 100/s", high))), environ={"API_TOKEN": "t"})
    assert found.unprovable == ()
