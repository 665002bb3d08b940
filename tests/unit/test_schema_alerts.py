"""Objectives on alerts in the file: what is read, which source it asks, and what is refused where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from gameday.schema.alerts import AlertSources, alert_sources
from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.jsonschema import json_schema
from gameday.schema.loader import load_experiment
from gameday.schema.nodes import as_mapping
from tests.fakes.stories import experiment

URL = "http://127.0.0.1:9090"
PROMETHEUS, ROUTER = {"prometheus": {"url": URL}}, {"alertmanager": {"url": URL}}
PAGED = {"alert": "Burn", "fires": "within 20s", "resolves": "within 25s", "labels": {"team": "checkout"}}


def document(objective: dict[str, Any], sources: dict[str, Any] | None = None) -> dict[str, Any]:
    whole = experiment(sources=PROMETHEUS if sources is None else sources)
    (fault,) = whole["faults"]
    name = fault.pop("name")
    return {
        **whole,
        "proxies": {"payments": {"listen": "127.0.0.1:9102", "upstream": "127.0.0.1:9002"}},
        "faults": [{name: fault}],
        "objectives": {**whole["objectives"], "paged": objective},
    }


def load(folder: Path, objective: dict[str, Any], sources: dict[str, Any] | None = None) -> Experiment:
    path = folder / "experiment.yaml"
    path.write_text(json.dumps(document(objective, sources), indent=1))
    return load_experiment(path).experiment


def refused(
    folder: Path, objective: dict[str, Any], sources: dict[str, Any] | None = None
) -> list[tuple[str, str, str, str]]:
    """Code, message, hint and line of each mistake."""
    with pytest.raises(ExperimentErrors) as caught:
        load(folder, objective, sources)
    return [(error.code, error.message, error.hint, error.source.strip()) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("objective", "within_ms", "resolves_ms"),
    [
        (PAGED, 20_000, 25_000),
        ({"alert": "Burn", "fires": "within 1m30s"}, 90_000, None),
        ({"alert": "Burn", "fires": "never"}, None, None),
    ],
)
def test_what_is_read_is_written_back_as_the_file_has_it(
    tmp_path: Path, objective: dict[str, Any], within_ms: int | None, resolves_ms: int | None
) -> None:
    found = load(tmp_path, objective)
    paged = found.objectives["paged"]

    assert paged.fires is not None
    assert (paged.alert, paged.fires.within_ms, paged.resolves) == ("Burn", within_ms, resolves_ms)
    assert (paged.expect, paged.during_criteria, paged.endpoints) == ((), (), ())
    assert paged.to_json() == objective
    assert Experiment.model_validate(found.to_json()) == found
    assert found.witnessed


@pytest.mark.parametrize("objective", [PAGED, {"alert": "Burn", "fires": "never", "source": "prometheus"}])
def test_editors_know_it(objective: dict[str, Any]) -> None:
    Draft202012Validator(json_schema()).validate(document(objective))  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize("objective", [{"fires": "never"}, {"alert": "Burn"}, {"alert": "Burn", "fires": "soon"}, {}])
def test_editors_know_what_it_lacks(objective: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(json_schema()).validate(document(objective))  # pyright: ignore[reportUnknownMemberType]


BOTH = {**PROMETHEUS, **ROUTER}
SEVERAL = {"eu": {"kind": "prometheus", "url": URL}, "us": {"kind": "prometheus", "url": URL}}


@pytest.mark.parametrize(
    ("source", "sources", "expected"),
    [
        (None, PROMETHEUS, AlertSources("prometheus", "prometheus")),
        (None, BOTH, AlertSources("prometheus", "prometheus")),
        (None, ROUTER, AlertSources("alertmanager", None)),
        ("alertmanager", BOTH, AlertSources("alertmanager", "prometheus")),
        ("alertmanager", {**ROUTER, **SEVERAL}, AlertSources("alertmanager", None)),
        ("us", SEVERAL, AlertSources("us", "us")),
    ],
)
def test_which_source_is_asked(
    tmp_path: Path, source: str | None, sources: dict[str, Any], expected: AlertSources
) -> None:
    found = load(tmp_path, {"alert": "Burn", "fires": "within 20s", **({"source": source} if source else {})}, sources)

    assert alert_sources(found.objectives["paged"], found.sources) == expected


def test_without_a_source_nobody_can_be_asked(tmp_path: Path) -> None:
    ((code, message, hint, _),) = refused(tmp_path, PAGED, {})
    assert (code, message) == (
        "missing-source",
        "this asks a source of the kind prometheus or alertmanager, and there is none",
    )
    assert hint.startswith("declare it: sources: {prometheus: {url:")


def test_of_several_sources_one_is_named(tmp_path: Path) -> None:
    ((code, _, hint, _),) = refused(tmp_path, PAGED, SEVERAL)
    assert (code, hint) == ("several-sources", "add source: eu or source: us")


def test_a_source_that_is_not_declared_or_of_another_kind(tmp_path: Path) -> None:
    ((code, _, hint, _),) = refused(tmp_path, {**PAGED, "source": "promehteus"})
    assert (code, hint) == ("unknown-source", "did you mean 'prometheus'?")
    loki = {**PROMETHEUS, "loki": {"url": URL}}
    ((code, message, _, _),) = refused(tmp_path, {**PAGED, "source": "loki"}, loki)
    assert (code, "asks prometheus or alertmanager" in message) == ("wrong-source", True)


def test_an_alertmanager_alone_cannot_prove_that_an_alert_stays_silent(tmp_path: Path) -> None:
    ((code, message, hint, line),) = refused(tmp_path, {"alert": "Burn", "fires": "never"}, ROUTER)
    assert (code, line) == ("missing-source", '"fires": "never"')
    assert message == "an Alertmanager cannot tell that Burn stays silent from that nobody sends it"
    assert hint.startswith("declare the Prometheus that evaluates its rule")


def test_an_end_that_does_not_fit_into_the_recovery_phase(tmp_path: Path) -> None:
    ((code, message, hint, line),) = refused(tmp_path, {**PAGED, "resolves": "within 5m"})
    assert (code, line) == ("too-short", '"resolves": "within 5m",')
    assert message == "resolves within 5m does not fit into a recovery phase of 30s, for 'paged'"
    assert hint == "phases: {recovery: 5m} or more"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fires": "in 20s"}, "not a time limit: 'in 20s'"),
        ({"fires": "within 20"}, "20"),
        ({"fires": "within 0s"}, "must be longer than 0s"),
        ({"fires": 20}, "not a time limit: 20"),
        ({"resolves": "never"}, "not a time limit: 'never'"),
        ({"labels": {"a-b": "c"}}, "not a label's name: 'a-b'"),
        ({"labels": {"team": 5}}, "must be text"),
        ({"fires": None}, "an objective on an alert needs fires"),
        ({"expect": "errors < 5%"}, "an objective on an alert has no expect"),
        ({"recover": {"within": "10s"}}, "an objective on an alert has no expect"),
        ({"where": {"endpoint": "checkout"}}, "an objective on an alert has no expect"),
        ({"fires": "never"}, "an alert that never fires has nothing to resolve"),
        ({"fire": "never"}, "unknown key 'fire'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    found = refused(tmp_path, {**PAGED, **change})
    assert len(found) == 1
    assert message in found[0][1], found


def test_what_is_for_alerts_needs_one(tmp_path: Path) -> None:
    ((_, message, hint, _),) = refused(tmp_path, {"expect": "errors < 5%", "fires": "never"})
    assert message == "'paged' has fires, which is for an alert"
    assert hint == "write alert: NAME"
    ((_, message, hint, _),) = refused(tmp_path, {"alert": "Burn"})
    assert (message, hint) == ("an objective on an alert needs fires", "write fires: within 90s, or fires: never")


def test_an_objective_speaks_of_something(tmp_path: Path) -> None:
    ((code, message, _, _),) = refused(tmp_path, {"labels": {"a": "b"}})
    assert (code, message) == ("missing-key", "missing key 'expect' in 'objectives.paged'")


@pytest.mark.parametrize("kind", ["alertmanager", "prometheus_alerts"])
def test_how_many_instances_fire_is_a_gauge(tmp_path: Path, kind: str) -> None:
    whole = document({"expect": "max(pages) < 1", "recover": {"within": "10s", "hold": "10s"}}, {**BOTH, **SEVERAL})
    source = "alertmanager" if kind == "alertmanager" else "us"
    whole["slis"] = {"pages": {kind: "Burn", "labels": {"team": "a"}, "every": "1s", "source": source}}
    path = tmp_path / "experiment.yaml"
    path.write_text(json.dumps(whole, indent=1))
    sli = load_experiment(path).experiment.slis["pages"]

    assert (sli.kind, sli.source) == (kind, source)
    assert as_mapping(sli.params) == {"value": "Burn", "labels": {"team": "a"}}


def test_a_gauge_of_alerts_needs_a_source(tmp_path: Path) -> None:
    whole = document({"expect": "max(pages) < 1", "recover": {"within": "10s", "hold": "10s"}}, {})
    whole["slis"] = {"pages": {"prometheus_alerts": "Burn", "every": "1s"}}
    path = tmp_path / "experiment.yaml"
    path.write_text(json.dumps(whole, indent=1))
    with pytest.raises(ExperimentErrors, match="missing-source"):
        load_experiment(path)
