"""Sources and ratios in the experiment file: what is read, and what is refused where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gameday.registry import load_driver, load_probe
from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_abort, parse_criterion
from gameday.schema.loader import load_experiment

API = {"prometheus": {"bad": 'requests_total{code=~"5.."}', "total": "sum(requests_total)"}}
ONE = {"prometheus": {"url": "http://127.0.0.1:9090"}}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "title": "t",
        "sources": ONE,
        "slis": {"api": API},
        "objectives": {"o": {"expect": "ratio(api) < 0.5%"}},
        "faults": [{"f": {"do": "command", "with": {"run": ["true"], "undo": ["true"]}, "for": "60s"}}],
        **changes,
    }


def load(folder: Path, **changes: Any) -> Experiment:
    path = folder / "e.yaml"
    path.write_text(json.dumps(document(**changes), indent=1))
    return load_experiment(path, drivers=load_driver, probes=load_probe, require_values=False).experiment


def refused(folder: Path, **changes: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ExperimentErrors) as caught:
        load(folder, **changes)
    return [(error.code, error.message, error.hint) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "kind", "budget", "exact"),
    [
        ("ratio(api) < 0.5%", "ratio", 0.005, False),
        ("ratio(api) > 99.5%", "ratio", 0.005, False),
        ("ratio(api) <= 0%", "ratio", 0.0, False),
        ("ratio(cost) < 0.002", "sums", 0.0, True),
        ("ratio(cost) >= 3", "sums", 0.0, True),
    ],
)
def test_a_ratio_is_counted_in_percent_and_compared_without(text: str, kind: str, budget: float, exact: bool) -> None:
    found = parse_criterion(text)
    assert (found.kind, found.budget, found.exact, found.of_load) == (kind, budget, exact, False)


@pytest.mark.parametrize("text", ["ratio(api) < 0%", "ratio(api) > 100%", "ratio(api > 3) < 5%", "ratio(api) < many"])
def test_a_ratio_that_can_never_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_criterion(text)


def test_a_ratio_is_read_and_written_back(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found.witnessed
    assert found.slis["api"].counts
    assert found.to_json()["slis"] == {"api": API}
    assert Experiment.model_validate(found.to_json()) == found


def test_bad_seconds_beside_a_ratio_are_its_own(tmp_path: Path) -> None:
    found = load(tmp_path, objectives={"o": {"expect": "ratio(api) < 0.5%\nbad_seconds < 10%"}})
    objective = found.objectives["o"]
    assert [objective.on_counters(criterion) for criterion in objective.expect] == [True, True]


def test_an_abort_rule_cannot_wait_for_counters() -> None:
    with pytest.raises(ValueError, match="only after the phases"):
        parse_abort("ratio(api) < 5% for 10s")


TWO = {
    "a": {"kind": "prometheus", "url": "http://127.0.0.1:9"},
    "b": {"kind": "prometheus", "url": "http://127.0.0.1:8"},
}


@pytest.mark.parametrize(
    ("changes", "code", "message", "hint"),
    [
        ({"sources": {}}, "missing-source", "there is none", "declare it: sources: {prometheus:"),
        ({"sources": TWO}, "several-sources", "2 sources of the kind prometheus", "source: a or source: b"),
        ({"slis": {"api": {**API, "source": "x"}}}, "unknown-source", "no source is called 'x'", "known: prometheus"),
        (
            {
                "sources": {**ONE, "am": {"kind": "alertmanager", "url": "http://127.0.0.1:9"}},
                "slis": {"api": {**API, "source": "am"}},
            },
            "wrong-source",
            "of the kind alertmanager",
            "prometheus",
        ),
        (
            {"sources": {"prometheus": {**ONE["prometheus"], "token": "abc"}}},
            "secret",
            "written out",
            "env: PROMETHEUS_TOKEN",
        ),
        ({"slis": {"api": {**API, "every": "5s"}}}, "bad-value", "fetched once", "remove every"),
        ({"objectives": {"o": {"expect": "max(api) < 5"}}}, "bad-value", "which have no max()", "ratio(api) < 0.5%"),
        (
            {"objectives": {"o": {"expect": "ratio(api) < 0.005"}}},
            "bad-value",
            "needs a percentage",
            "ratio(api) < 0.5%",
        ),
        (
            {"objectives": {"o": {"expect": "ratio(apu) < 5%"}}},
            "unknown-sli",
            "no SLI is called 'apu'",
            "did you mean 'api'",
        ),
        (
            {"slis": {"api": {"prometheus": {"bad": "a", "totl": "b"}}}},
            "bad-value",
            "two members of a ratio",
            "{bad: EXPR",
        ),
        (
            {"slis": {"api": {"prometheus": {"bad": "rate(a[1m])", "total": "b"}}}},
            "bad-value",
            "rate() makes something else of it",
            "the counter itself",
        ),
        ({"slis": {"api": {"prometheus": {"bad": 3, "total": "b"}}}}, "bad-value", "a bad that is no expression", ""),
        ({"slis": {"api": {"prometheus": "a b {"}}}, "bad-value", "not PromQL", ""),
        ({"abort": ["ratio(api) < 5% for 10s"]}, "bad-value", "only after the phases", "on the load or on a gauge"),
        (
            {"objectives": {"o": {"expect": "ratio(api) < 5%", "where": {"endpoint": "x"}}}},
            "bad-value",
            "counters are not those of the load",
            "labels",
        ),
        (
            {"slis": {"api": {"prometheus": {"sum": "a", "per": "b"}}}},
            "bad-value",
            "compared as a plain number",
            "ratio(api) < 0.005",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_fix(
    tmp_path: Path, changes: dict[str, Any], code: str, message: str, hint: str
) -> None:
    assert any(c == code and message in m and hint in h for c, m, h in refused(tmp_path, **changes)), refused(
        tmp_path, **changes
    )
