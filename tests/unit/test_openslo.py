"""OpenSLO documents by reference: the subset that is read, what it means for a run, and what is refused by name at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge.counts import Tally
from gameday.judge.measures.budget import account
from gameday.judge.windows import Window
from gameday.registry import load_probe
from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_criterion
from gameday.schema.loader import Loaded, load_experiment
from gameday.schema.openslo import Slo, allowed_share, burn_limit
from tests.fakes.stories import experiment

RATIO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-availability
spec:
  service: checkout
  indicator:
    metadata: {name: checkout-good}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec: {query: 'sum(http_requests_total{code!~"5.."})'}
        total:
          metricSource:
            type: Prometheus
            spec: {query: sum(http_requests_total)}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: usual, target: 0.999}
"""
THRESHOLD = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: queue}
spec:
  service: worker
  indicator:
    metadata: {name: depth}
    spec:
      thresholdMetric:
        metricSource: {metricSourceRef: prometheus, spec: {query: queue_depth}}
  timeWindow: [{duration: 4w}]
  objectives: [{op: lte, value: 1000, targetPercent: 99}]
"""
REF = "            metricSourceRef: other\n"
MONTH_MS = 30 * 24 * 3_600_000


def write(path: Path, text: str, **objective: Any) -> Path:
    file: dict[str, Any] = experiment(objectives={"month": {"slo": "slo/checkout.yaml", **objective}})
    file["faults"] = [{"down": {"do": "proxy.down", "with": {"proxy": "payments"}, "at": "10s", "for": "50s"}}]
    file["proxies"] = {"payments": {"listen": "127.0.0.1:9102", "upstream": "127.0.0.1:9002"}}
    file["sources"] = {"prometheus": {"url": "http://127.0.0.1:9090"}}
    file["phases"] = {"warmup": "0s", "baseline": "20s", "recovery": "70s"}
    (path / "slo").mkdir()
    (path / "slo" / "checkout.yaml").write_text(text)
    (path / "mine.yaml").write_text(json.dumps(file, indent=1))
    return path / "mine.yaml"


def load(path: Path) -> Loaded:
    return load_experiment(path, environ={}, probes=load_probe)


def test_a_ratio_of_counters_is_an_objective_whose_budget_is_what_the_target_leaves(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, RATIO))
    objective = loaded.experiment.objectives["month"]
    assert [one.text for one in objective.expect] == ["ratio(month.slo) < 0.1%"]
    assert objective.expect[0].budget == 0.001
    sli = loaded.experiment.slis["month.slo"]
    assert sli.counts
    assert sli.to_json() == {
        "prometheus": {"good": 'sum(http_requests_total{code!~"5.."})', "total": "sum(http_requests_total)"}
    }
    assert objective.slo == Slo(
        file="slo/checkout.yaml", name="checkout-availability", target=0.999, window_ms=MONTH_MS
    )
    assert list(loaded.fragments) == ["slo/checkout.yaml"]


def test_what_the_run_folder_keeps_is_read_back(tmp_path: Path) -> None:
    found = load(write(tmp_path, RATIO, during="burns < 2% of budget")).experiment
    assert Experiment.model_validate(json.loads(json.dumps(found.to_json()))) == found


def test_a_share_of_the_months_budget_is_a_share_of_the_faults_requests(tmp_path: Path) -> None:
    """2 % of 43.2 minutes are 51.84 s, of a fault phase of one minute."""
    objective = load(write(tmp_path, RATIO, during="burns < 2% of budget")).experiment.objectives["month"]
    assert [one.text for one in objective.during_criteria] == ["ratio(month.slo) < 86.4%"]
    assert objective.slo is not None
    assert objective.slo.burns == "burns < 2% of budget"
    (tmp_path / "wider").mkdir()
    wider = load(write(tmp_path / "wider", RATIO, during="burns < 50% of budget")).experiment.objectives["month"]
    assert wider.during_criteria[0].budget == 1.0


@given(share=st.floats(0.001, 1), target=st.floats(0.5, 0.9999), fault_ms=st.integers(1_000, 10**7))
def test_what_is_allowed_never_burns_more(share: float, target: float, fault_ms: int) -> None:
    allowed = allowed_share(share, target, MONTH_MS, fault_ms)
    assert 0 < allowed <= 1
    assert allowed * fault_ms <= share * (1 - target) * MONTH_MS * (1 + 1e-9)


def test_a_threshold_is_a_gauge_and_its_target_a_share_of_readings(tmp_path: Path) -> None:
    found = load(write(tmp_path, THRESHOLD)).experiment
    assert [one.text for one in found.objectives["month"].expect] == ["share(month.slo > 1000) < 1%"]
    assert found.slis["month.slo"].to_json() == {"prometheus": "queue_depth", "every": "5s", "source": "prometheus"}


def test_bad_requests_are_told_as_a_share_of_the_windows_budget() -> None:
    """3 s of a full outage of 60 s of traffic: 3 of the 2,592 seconds that 99.9 % of 30 days allow."""
    slo = Slo(file="f", name="n", target=0.999, window_ms=MONTH_MS)
    fault = Window.whole("fault", 0, 60_000)
    found = account(parse_criterion("errors < 0.1%"), [(fault, Tally(6_000, 300))], slo)
    assert found["outage_ms"] == 3_000
    assert found["slo"]["share"] == pytest.approx(3 / 2_592)
    assert account(parse_criterion("errors < 0.1%"), [], slo)["slo"] is None


def test_burns_is_read_in_one_form() -> None:
    assert burn_limit("burns < 2% of budget") == 0.02
    assert burn_limit("errors < 2%") is None
    with pytest.raises(ValueError, match="percentage"):
        burn_limit("burns < 2 of budget")


def errors(path: Path) -> list[str]:
    with pytest.raises(ExperimentErrors) as caught:
        load(path)
    return [f"{Path(one.path).name}:{one.line} {one.message}" for one in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RATIO.replace("openslo/v1", "openslo/v2alpha"), "checkout.yaml:1 not openslo/v1"),
        (RATIO.replace("kind: SLO", "kind: AlertPolicy"), "checkout.yaml:2 an OpenSLO document of kind"),
        (RATIO.replace("Occurrences", "Timeslices"), "checkout.yaml:21 budgetingMethod 'Timeslices' is not supported"),
        (RATIO.replace("counter: true", "counter: false"), "only counters can be counted"),
        (RATIO.replace("        good:", "        raw:"), "checkout.yaml:12 a raw ratio has no counts"),
        (RATIO.replace("        good:", "        fine:"), "a ratioMetric needs total, and good or bad"),
        (RATIO.replace("type: Prometheus", "type: Datadog", 1), "checkout.yaml:14 a metric of 'Datadog' is not supported"),
        (RATIO.replace("{query: sum(http_requests_total)}", "{}"), "no query in its metricSource"),
        (RATIO.replace("target: 0.999", "target: 99.9"), "a target is a share between 0 and 1"),
        (RATIO.replace("target: 0.999", "target: 0.999, compositeWeight: 2"), "compositeWeight is not supported"),
        (RATIO + "    - {target: 0.9}\n", "2 objectives, where one is needed"),
        (RATIO.replace("30d", "a month"), "checkout.yaml:20 not a duration of a window"),
        (RATIO.replace("  indicator:", "  indicatorRef: x\n  other:"), "indicatorRef is not followed"),
        (RATIO.replace("ratioMetric", "someMetric"), "no ratioMetric and no thresholdMetric"),
        (THRESHOLD.replace("op: lte, ", ""), "a thresholdMetric needs op and value"),
        ("- x\n", "a file for slo is a mapping"),
    ],
)  # fmt: skip
def test_what_is_outside_the_subset_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    assert any(says in one for one in errors(write(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "objective", "says"),
    [
        (RATIO, {"during": "burns < 2 of budget"}, "not a share of the budget"),
        (RATIO, {"during": "burns < 0% of budget"}, "not a share of the budget"),
        (RATIO, {"expect": "errors < 1%"}, "'expect' beside slo"),
        (RATIO, {"where": {"endpoint": "checkout"}}, "'where' beside slo"),
        (RATIO, {"slo": "slo/missing.yaml"}, "no such slo: "),
        (RATIO.replace("  timeWindow: [{duration: 30d, isRolling: true}]\n", ""), {"during": "burns < 2% of budget"}, "and a timeWindow"),
        (THRESHOLD, {"during": "burns < 2% of budget"}, "needs an OpenSLO document with a ratioMetric"),
        (RATIO.replace("            spec: {query: sum", f"{REF}            spec: {{query: sum"), {}, "different sources"),
    ],
)  # fmt: skip
def test_what_an_experiment_says_wrongly_of_a_document(
    tmp_path: Path, text: str, objective: dict[str, Any], says: str
) -> None:
    assert any(says in one for one in errors(write(tmp_path, text, **objective)))


def test_the_example_of_the_documentation_is_the_one_that_is_tested() -> None:
    page = (Path(__file__).parents[2] / "docs" / "experiment-file.md").read_text()
    assert f"```yaml\n# slo/checkout.yaml\n{RATIO}```" in page
