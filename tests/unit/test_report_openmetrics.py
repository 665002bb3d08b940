"""OpenMetrics: read back by Prometheus' own parsers, the numbers are those of verdict.json."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gameday.model import Run
from gameday.spi import Renderer, Together
from gameday_reports.measures import FAMILIES
from gameday_reports.openmetrics import OpenMetricsReport
from tests.fakes.openmetrics import families
from tests.fakes.sample_facts import NAME, OUTCOMES, Outcome
from tests.fakes.sample_run import sample_run
from tests.fakes.showcase import showcase


def small(outcome: Outcome) -> Run:
    return sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12)


def read(data: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """(name, labels but the experiment's) → value."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in families(data):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "experiment"}
            key = sample.name, frozenset(labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Mapping[Any, float], name: str, **labels: str) -> float | None:
    return found.get((f"gameday_{name}", frozenset(labels.items())))


def test_it_is_a_renderer() -> None:
    report = OpenMetricsReport()
    assert isinstance(report, Renderer)
    assert isinstance(report, Together)
    assert (report.name, report.filename) == ("openmetrics", "metrics.txt")
    with pytest.raises(ValueError, match="not been judged"):
        report.render(replace(small("pass"), verdict=None))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_numbers_are_those_of_the_verdict(outcome: Outcome) -> None:
    run = small(outcome)
    verdict = run.verdict
    assert verdict is not None
    found = read(OpenMetricsReport().render(run))
    assert {word: value(found, "run_verdict", verdict=word) for word in OUTCOMES} == {
        word: float(word == outcome) for word in OUTCOMES
    }
    assert value(found, "run_exit_code") == verdict["exit_code"]
    assert value(found, "run_duration_seconds") == verdict["ended_ms"] / 1000
    assert value(found, "run_left_faults") == (1 if outcome == "dirty" else 0)
    for objective in verdict["objectives"]:
        name = objective["name"]
        assert value(found, "objective_verdict", objective=name, verdict=objective["verdict"]) == 1
        for criterion in objective["criteria"]:
            for phase, judged in criterion["phases"].items():
                labels = {"objective": name, "phase": phase, "criterion": judged["criterion"]}
                assert value(found, "objective_requests", **labels) == judged["n"]
                assert value(found, "objective_bad_requests", **labels) == judged["k"]
                assert value(found, "objective_allowed_ratio", **labels) == judged["budget"]
        for member, key in (("recovery", "seconds"), ("recovery", "bad_seconds"), ("budget", "burn_rate")):
            family = f"objective_{'recovery_seconds' if key == 'seconds' else key}"
            assert value(found, family, objective=name) == objective[member][key]
    for fault in verdict["faults"]:
        named = {"fault": fault["name"], "driver": fault["driver"]}
        assert value(found, "fault_proven", **named) == (fault["proof"] == "proven")
        assert value(found, "fault_undone", **named) == (fault["undo"] == "proven")
    for endpoint in verdict["load"]["by_endpoint"]:
        assert value(found, "endpoint_requests", endpoint=endpoint["name"]) == endpoint["n"]
        for quantile, key in (("0.5", "p50_ms"), ("0.95", "p95_ms"), ("0.99", "p99_ms")):
            seconds = value(found, "endpoint_latency_seconds", endpoint=endpoint["name"], quantile=quantile)
            assert seconds == endpoint[key] / 1000


def test_what_is_not_known_has_no_line() -> None:
    run = small("pass")
    assert run.verdict is not None
    objective = {**run.verdict["objectives"][0], "recovery": {"seconds": None}, "budget": {"used": math.nan}}
    found = read(
        OpenMetricsReport().render(replace(run, verdict={**run.verdict, "objectives": [objective], "load": None}))
    )
    names = {name for name, _ in found}
    assert not names & {
        "gameday_objective_recovery_seconds",
        "gameday_objective_budget_used_ratio",
        "gameday_load_healthy",
    }
    assert all(math.isfinite(number) for number in found.values())


def test_a_gauge_and_the_three_times_are_there() -> None:
    run = small("pass")
    assert run.verdict is not None
    phase = {"criterion": "max(queue) < 10", "sli": "queue", "value": 7.5, "limit": 10.0, "coverage": 0.98}
    objective = {"name": "queue", "verdict": "pass", "criteria": [{"phases": {"fault": phase}}]}
    times = {"detect": {"ms": 4_200, "source": "alert"}, "mitigate": {"ms": None}, "recover": {"ms": 900}}
    verdict = {**run.verdict, "objectives": [objective], "times": times}
    found = read(OpenMetricsReport().render(replace(run, verdict=verdict)))
    labels = {"objective": "queue", "phase": "fault", "criterion": "max(queue) < 10"}
    assert [value(found, f"objective_{name}", **labels) for name in ("value", "limit", "coverage_ratio")] == [
        7.5,
        10,
        0.98,
    ]
    assert [value(found, f"run_{name}_seconds") for name in ("detect", "mitigate", "recover")] == [4.2, None, 0.9]


def test_an_alert_has_its_times() -> None:
    run = showcase("fail")
    assert run.verdict is not None
    [alert] = [raw["alert"] for raw in run.verdict["objectives"] if raw.get("alert")]
    found = read(OpenMetricsReport().render(run))
    for key in ("fired", "resolved"):
        assert value(found, f"objective_alert_{key}_seconds", objective="on-call-is-paged") == alert[f"{key}_ms"] / 1000
    assert value(found, "run_detect_seconds") == run.verdict["times"]["detect"]["ms"] / 1000


def test_a_run_of_the_same_experiment_has_the_same_series() -> None:
    again = replace(small("pass"), name="another")
    assert set(read(OpenMetricsReport().render(small("pass")))) == set(read(OpenMetricsReport().render(again)))
    assert NAME.encode() not in OpenMetricsReport().render(small("pass"))


def test_several_runs_share_their_families_and_are_told_apart() -> None:
    run, other = small("pass"), small("fail")
    assert other.verdict is not None
    named = replace(other, verdict={**other.verdict, "title": "Another"})
    variant = replace(run, plan={**run.plan, "variant": {"size": "10"}}, name="variant")
    data = OpenMetricsReport().render_together([run, replace(run, name="again"), named, variant])
    told = families(data)
    assert len({family.name for family in told}) == len(told)
    [codes] = [family for family in told if family.name == "gameday_run_exit_code"]
    title = "Checkout survives a payments outage"
    assert [sample.labels for sample in codes.samples] == [
        {"experiment": title, "run": NAME},
        {"experiment": title, "run": "again"},
        {"experiment": "Another"},
        {"experiment": f"{title} (size=10)"},
    ]


def test_promtool_has_nothing_against_it() -> None:
    data = OpenMetricsReport().render(small("fail"))
    try:
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=data, capture_output=True, check=False, timeout=30
        )
    except FileNotFoundError:
        pytest.skip("promtool checks metrics: apt-get install prometheus")
    said = (done.stdout + done.stderr).decode()
    assert "error" not in said.lower()
    assert done.returncode in (0, 3), said  # 3: only style


def test_units_end_their_names() -> None:
    assert all(name.endswith(f"_{family.unit}") for name, family in FAMILIES.items() if family.unit)
