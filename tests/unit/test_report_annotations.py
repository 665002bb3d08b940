"""Annotations: the worst first, at most ten of a kind, at the objective's line, and none for a pass."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from gameday.model import Run
from gameday_reports.annotations import MOST, Annotation, GithubAnnotations
from tests.fakes.sample_facts import NAME, Outcome
from tests.fakes.sample_run import sample_run

FILE = "file=experiments/dependency/payments-outage.yaml"


def small(outcome: Outcome, **changes: Any) -> Run:
    return replace(sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12), **changes)


def lines(*runs: Run) -> list[str]:
    return GithubAnnotations().render_together(runs).decode().splitlines()


def test_a_pass_needs_none() -> None:
    assert lines(small("pass")) == []


def test_a_broken_objective_is_an_error_at_its_line() -> None:
    run = small("fail")
    assert run.verdict is not None
    first, second = lines(run)
    assert first.startswith(f"::error {FILE},line=31,title=Broken%3A checkout-available::Checkout survives")
    assert run.verdict["summary"] in first
    assert second.startswith(f"::error {FILE},line=32,title=Broken%3A checkout-fast::")


def test_what_is_not_proven_is_a_warning() -> None:
    found = lines(small("inconclusive"))
    assert {re.split("[ :]", line)[2] for line in found} == {"warning"}
    assert f"::warning {FILE},line=31,title=Not judged%3A checkout-available::" in found[0]
    assert found[-1].startswith(f"::warning {FILE},title=Inconclusive%3A ")


def test_dirty_comes_first_with_its_command() -> None:
    first, *_ = lines(small("fail"), small("dirty"))
    assert first.startswith(
        f"::error {FILE},title=DIRTY%3A Checkout survives a payments outage::payments-down may still be on"
    )
    assert first.endswith(f"Run: gameday recover {NAME}")
    assert lines(small("aborted"))[0].startswith(f"::error {FILE},title=Aborted%3A ")


@pytest.mark.parametrize("runs", [1, 4])
def test_github_would_drop_more_than_ten(runs: int) -> None:
    many = sample_run("fail", baseline_s=4, fault_s=4, recovery_s=12, objectives=30)
    found = lines(*[many] * runs)
    assert len(found) == MOST == 10
    assert found[-1] == f"::error title=gameday::{20 * runs - 9} more are in the step's summary and the reports"


def test_nothing_of_a_text_acts() -> None:
    odd = Annotation(level="error", title="a,b:c%\r\n", message="x::y\n%0A", file="e,x:%.yaml", line=3)
    assert odd.command() == "::error file=e%2Cx%3A%25.yaml,line=3,title=a%2Cb%3Ac%25%0D%0A::x::y%0A%250A"
