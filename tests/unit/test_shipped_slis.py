"""The ready-made SLIs and objectives: each is valid and provable in an experiment that uses it, and has its usual target."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gameday.registry import load_driver, load_probe
from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded, load_experiment
from tests.fakes.stories import experiment

LIBRARY = Path(__file__).parents[2] / "experiments"
USUAL = {
    "availability": "availability > 99.9%",
    "latency": "p95 < 500ms",
    "error-rate": "errors < 0.1%",
    "burn-rate": "errors < 0.1%",
    "time-to-detect": "within 5m",
    "time-to-mitigate": "errors <= 1%",
    "deployment-success": "last(deployments) >= 95%",
    "cpu": "mean(cpu) <= 70%",
    "memory": "max(memory) < 75%",
    "queue-depth": "max(queue) < 1000",
    "cold-starts": "ratio(cold) < 5%",
    "cost-per-request": "ratio(cost) < 0.002",
}
"""File → the first criterion of its first objective, or when its alert fires."""


def load(folder: Path, *uses: str, **changes: Any) -> Loaded:
    file: dict[str, Any] = {**experiment(), "use": list(uses), **changes}
    file.pop("objectives") if "objectives" not in changes else None
    file["load"] = {**file["load"], "rate": "200/s"}
    file["phases"] = {"warmup": "0s", "baseline": "60s", "recovery": "16m"}
    file["faults"] = [{"down": {"do": "proxy.down", "with": {"proxy": "payments"}, "at": "0s", "for": "6m"}}]
    file["proxies"] = {"payments": {"listen": "127.0.0.1:9102", "upstream": "127.0.0.1:9002"}}
    file["sources"] = {"prometheus": {"url": "http://127.0.0.1:9090"}}
    path = folder / "mine.yaml"
    path.write_text(json.dumps(file, indent=1))
    return load_experiment(path, environ={}, drivers=load_driver, probes=load_probe, library=LIBRARY)


def test_every_file_is_tested_here() -> None:
    assert {path.stem for path in (LIBRARY / "slis").glob("*.yaml")} == set(USUAL)


@pytest.mark.parametrize("name", USUAL)
def test_it_is_valid_provable_and_has_its_usual_target(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, f"library/slis/{name}.yaml")
    first = next(iter(loaded.experiment.objectives.values()))
    assert (first.expect[0].text if first.expect else first.to_json()["fires"]) == USUAL[name]
    assert loaded.unprovable == ()
    assert loaded.warnings == ()
    assert list(loaded.fragments) == [f"library/slis/{name}.yaml"]
    assert (LIBRARY / "slis" / f"{name}.yaml").read_text().startswith("# "), "it says what it is"


def test_all_of_them_fit_into_one_experiment(tmp_path: Path) -> None:
    loaded = load(tmp_path, *(f"library/slis/{name}.yaml" for name in USUAL))
    assert len(loaded.experiment.objectives) == len(USUAL) + 1
    assert set(loaded.lines) >= {f"objectives.{name}" for name in loaded.experiment.objectives}


def test_the_burn_rate_and_the_time_to_mitigate_are_those_that_the_files_name(tmp_path: Path) -> None:
    found = load(tmp_path, "library/slis/burn-rate.yaml", "library/slis/time-to-mitigate.yaml").experiment.objectives
    allowed = found["burn-rate"].during_criteria[0].budget
    assert allowed == pytest.approx(0.5 * 720 * 0.001), "half of 30 days' budget in an hour"
    assert found["time-to-mitigate"].recover.within == 15 * 60_000


def test_a_target_is_changed_by_its_variable_or_by_the_objective_of_that_name(tmp_path: Path) -> None:
    use = "library/slis/availability.yaml"
    wider = load(tmp_path, use, variables={"availability_target": "99%"}).experiment.objectives["availability"]
    assert wider.expect[0].text == "availability > 99%"
    own = load(tmp_path, use, objectives={"availability": {"expect": "errors < 5%"}}).experiment.objectives
    assert [objective.expect[0].text for objective in own.values()] == ["errors < 5%"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version: 1\nfaults: []\n", "mine-slis.yaml:2 unknown key 'faults' in a used file"),
        ("slis: {}\n", "a used file is written in version 1"),
        ("version: 1\nobjectives:\n  a: {expect: errors < 5}\n", "mine-slis.yaml:3 "),
        ("version: 1\nobjectives:\n  availability: {expect: errors < 5%}\n", "mine-slis.yaml:3 another used file has 'availability'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_used_file_is_said_at_its_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mine-slis.yaml").write_text(text)
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, "library/slis/availability.yaml", "mine-slis.yaml")
    assert any(says in f"{Path(one.path).name}:{one.line} {one.message}" for one in caught.value.errors)


def test_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentErrors, match="did you mean 'availability"):
        load(tmp_path, "library/slis/avalability.yaml")


def test_the_page_names_every_file_and_the_variables_that_change_it() -> None:
    page = (LIBRARY.parent / "docs" / "experiment-file.md").read_text()
    for name in USUAL:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}.yaml` |"))
        text = (LIBRARY / "slis" / f"{name}.yaml").read_text()
        variables = re.findall(
            r"^  (\w+): ",
            text.partition("variables:")[2].partition("\nslis:")[0].partition("\nobjectives:")[0],
            re.MULTILINE,
        )
        assert re.findall(r"`(\w+)`", row.rpartition("|")[0].rpartition("|")[2]) == variables
