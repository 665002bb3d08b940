"""``silence_alerts:`` needs an Alertmanager, and nothing of the file may be proven by an alert that it silences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gameday.registry import load_driver, load_probe
from gameday.schema.errors import ExperimentErrors, Located
from gameday.schema.experiment import Experiment
from gameday.schema.loader import load_experiment, load_experiments
from tests.harness import ROOT, Lab

BOTH = {"prometheus": {"url": "http://127.0.0.1:9090"}, "alertmanager": {"url": "http://127.0.0.1:9093"}}
ROUTER = {"alertmanager": {"url": "http://127.0.0.1:9093"}}


def load(tmp_path: Path, **changes: Any) -> Experiment:
    lab = Lab(tmp_path)
    document = {**lab.document(), "silence_alerts": ["Burn", "Slow (a|b)"], "sources": BOTH, **changes}
    document["objectives"] = {**lab.document()["objectives"], **changes.get("objectives", {})}
    return load_experiment(lab.write(document), drivers=load_driver, probes=load_probe).experiment


def errors(tmp_path: Path, **changes: Any) -> tuple[Located, ...]:
    with pytest.raises(ExperimentErrors) as caught:
        load(tmp_path, **changes)
    return caught.value.errors


def test_it_is_read_written_back_and_undone_as_a_fault(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found.silence_alerts == ("Burn", "Slow (a|b)")
    assert Experiment.model_validate(found.to_json()) == found
    [silence] = found.silences
    assert (silence.name, silence.do) == ("silence_alerts", "alertmanager.silence")
    assert [fault.name for fault in found.faults] == ["flip"], "it is no fault of the run"
    assert load_driver(silence.do, silence.with_).reversible


def test_a_game_day_adds_its_own_and_is_held_to_the_same(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    path = lab.write(sources=BOTH, silence_alerts=["Burn"])
    [loaded] = load_experiments(path, silence=("Slow", "Burn"))
    assert loaded.experiment.silence_alerts == ("Burn", "Slow")
    with pytest.raises(ExperimentErrors) as caught:
        load_experiments(lab.write(), silence=("Slow",))
    assert [error.code for error in caught.value.errors] == ["missing-source"]
    path.write_text((ROOT / "tests/chaostoolkit/http.json").read_text())
    with pytest.raises(ExperimentErrors, match="no Alertmanager to silence alerts at"):
        load_experiments(path, silence=("Slow",))


def test_without_it_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, silence_alerts=[]).silences == ()


def test_without_an_alertmanager_it_is_refused_at_its_place(tmp_path: Path) -> None:
    [error] = errors(tmp_path, sources={"prometheus": {"url": "http://127.0.0.1:9090"}})
    assert error.code == "missing-source"
    assert "alertmanager" in error.message


def test_of_two_it_cannot_be_told_which(tmp_path: Path) -> None:
    [error] = errors(tmp_path, sources={**BOTH, "other": {"kind": "alertmanager", "url": "http://127.0.0.1:9094"}})
    assert error.code == "several-sources"


def test_no_fault_has_its_name(tmp_path: Path) -> None:
    faults = [{"silence_alerts": Lab(tmp_path).document()["faults"][0]["flip"]}]
    assert [error.code for error in errors(tmp_path, faults=faults)] == ["duplicate-name"]


PAGED = {"alert": "Burn", "fires": "within 1s"}


@pytest.mark.parametrize(
    ("objective", "sources", "refused"),
    [
        (PAGED, ROUTER, True),
        ({**PAGED, "source": "alertmanager"}, BOTH, True),
        ({**PAGED, "fires": "never", "source": "alertmanager"}, BOTH, True),
        (PAGED, BOTH, False),
        ({**PAGED, "source": "prometheus"}, BOTH, False),
        ({**PAGED, "alert": "Another", "source": "alertmanager"}, BOTH, False),
    ],
)
def test_an_objective_on_a_silenced_alert_asks_a_prometheus(
    tmp_path: Path, objective: dict[str, Any], sources: dict[str, Any], refused: bool
) -> None:
    if not refused:
        assert load(tmp_path, sources=sources, objectives={"paged": objective}).silences
        return
    [error] = errors(tmp_path, sources=sources, objectives={"paged": objective})
    assert error.code == "silenced"
    assert "Prometheus" in error.hint


def test_nor_is_a_gauge_read_of_one(tmp_path: Path) -> None:
    slis = {"pages": {"alertmanager": "Burn", "every": "1s"}}
    assert "silenced" in [error.code for error in errors(tmp_path, slis=slis)]


def test_a_silence_that_is_a_fault_of_its_own_counts_as_well(tmp_path: Path) -> None:
    silence = {"do": "alertmanager.silence", "with": {"alerts": ["Burn"]}, "for": "1s"}
    changes: dict[str, Any] = {"faults": [{"quiet": silence}], "silence_alerts": []}
    assert load(tmp_path, **changes, objectives={"paged": PAGED}).faults
    objective = {**PAGED, "source": "alertmanager"}
    assert [one.code for one in errors(tmp_path, **changes, objectives={"paged": objective})] == ["silenced"]
