"""``matrix:``: one experiment for each combination, each name a variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded, load_experiment, load_experiments
from gameday.schema.matrix import MAX_COMBINATIONS
from tests.fakes.experiment_file import changed, fake_drivers, write

MATRIX = changed(
    ("variables:\n", "matrix: {speed: [50/s, 100/s], length: [30s, 45s]}\n\nvariables:\n"),
    ("rate: 100/s", "rate: ${speed}"),
    ("at: 0s, for: 60s", 'at: 0s, for: "${length}"'),
    ("recover: {within: 20s}", "recover: {within: 15s}"),
)  # fmt: skip


def load(folder: Path, text: str, **options: object) -> tuple[Loaded, ...]:
    return load_experiments(write(folder, text), environ={"API_TOKEN": "t"}, drivers=fake_drivers, **options)  # type: ignore[arg-type]


def test_each_combination_is_an_experiment_of_its_own(tmp_path: Path) -> None:
    found = load(tmp_path, MATRIX)
    assert [dict(one.variant) for one in found] == [
        {"speed": "50/s", "length": "30s"},
        {"speed": "50/s", "length": "45s"},
        {"speed": "100/s", "length": "30s"},
        {"speed": "100/s", "length": "45s"},
    ]
    assert [(one.experiment.profile.rate, one.experiment.faults[0].for_) for one in found] == [
        (50.0, 30_000),
        (50.0, 45_000),
        (100.0, 30_000),
        (100.0, 45_000),
    ]
    assert len({one.digest for one in found}) == 1
    assert all({"speed", "length", "base_url"} <= one.declared for one in found)


def run_id(index: int) -> dict[str, str]:
    return {"run.id": f"run-{index}"}


def test_each_combination_may_have_a_run_id_of_its_own(tmp_path: Path) -> None:
    found = load(tmp_path, MATRIX, builtins=run_id)
    assert [one.experiment.profile.headers["X-Gameday-Run"] for one in found] == ["run-0", "run-1", "run-2", "run-3"]


def test_var_pins_a_name(tmp_path: Path) -> None:
    found = load(tmp_path, MATRIX, variables={"speed": "70/s"})
    assert [one.variant["speed"] for one in found] == ["70/s", "70/s"]


def test_numbers_and_truth_values_keep_their_type(tmp_path: Path) -> None:
    text = MATRIX.replace("length: [30s, 45s]", "length: [30s], n: [1, 2], b: [true, false]")
    found = load(tmp_path, text.replace('{sku: "A1", note: null}', '{n: "${n}", b: "${b}"}'))
    bodies = [one.experiment.profile.requests[1].json_ for one in found if one.experiment.profile.requests]
    assert bodies[:4] == [{"n": n, "b": b} for n in (1, 2) for b in (True, False)]
    assert found[0].variant == {"speed": "50/s", "length": "30s", "n": "1", "b": "true"}


def test_a_file_without_a_matrix_is_one_experiment(tmp_path: Path) -> None:
    (one,) = load(tmp_path, changed())
    assert one.variant == {}


def test_where_one_experiment_is_needed_a_matrix_says_how_to_choose(tmp_path: Path) -> None:
    path = write(tmp_path, MATRIX)
    with pytest.raises(ExperimentErrors) as caught:
        load_experiment(path, environ={"API_TOKEN": "t"})
    (error,) = caught.value.errors
    assert (error.line, error.code, error.hint) == (8, "matrix", "choose one by --var speed=50/s --var length=30s")
    one = load_experiment(path, environ={"API_TOKEN": "t"}, variables={"speed": "50/s", "length": "45s"})
    assert one.experiment.faults[0].for_ == 45_000


def test_an_error_of_every_combination_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, MATRIX.replace("abort:", "abrot:"))
    assert [error.code for error in caught.value.errors] == ["unknown-key"]


def test_a_matrix_times_a_large_file_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"  - {{name: r{i}, get: /r}}\n" for i in range(1_000))
    text = MATRIX.replace("length: [30s, 45s]", f"length: [30s], n: {list(range(50))}")
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, text.replace("  requests:\n", f"  requests:\n{rows.replace('  -', '    -')}"))
    assert caught.value.errors[0].code == "too-large"
    assert MAX_COMBINATIONS == 100
