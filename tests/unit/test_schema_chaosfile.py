"""Chaos Toolkit's files: recognised, checked more strictly than there, and laid under what an overlay adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameday.schema.chaosfile import read_chaos
from gameday.schema.errors import ExperimentErrors
from gameday.schema.loader import Loaded, load_experiment
from gameday.schema.nodes import Entries, plain
from tests.fakes.chaos_files import action, experiment


def load(path: Path, document: Any, **given: Any) -> Loaded:
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    return load_experiment(path, **given)


def test_a_file_of_theirs_runs_as_one_fault_of_ours(tmp_path: Path) -> None:
    document = experiment(tmp_path, title="Two\nlines", configuration={"zone": "a"})
    loaded = load(tmp_path / "a.json", document, variables={"zone": "b"})
    assert loaded.chaos
    assert (loaded.experiment.title, loaded.experiment.hypothesis) == ("Two lines", "What is steady is there")
    (fault,) = loaded.experiment.faults
    assert (fault.name, fault.do, fault.for_) == ("experiment", "chaostoolkit.experiment", 3_600_000)
    assert fault.with_ == {"file": str(tmp_path / "a.json"), "variables": {"zone": "b"}}
    assert loaded.declared == {"zone"}
    assert loaded.strict_errors() == ()


def test_json_with_tabs_is_json(tmp_path: Path) -> None:
    text = json.dumps(experiment(tmp_path), indent="\t")
    assert load(tmp_path / "a.json", text).chaos


def test_an_empty_object_and_what_is_no_whole_object_are_no_experiments(tmp_path: Path) -> None:
    for text in ("{}", '{"method": []} {}', '["method"]', '{"method": [}', '{"x": "method"', '{"x": "method"}'):
        assert read_chaos(str(tmp_path / "a.json"), text.encode()) is None, text


def test_a_key_that_is_there_twice_is_refused_at_its_place(tmp_path: Path) -> None:
    whole = json.dumps(experiment(tmp_path), indent=1)
    for twice in (
        whole.replace('"title":', '"title": "once",\n "title":', 1),
        whole.replace('"type": "action",', '"type": "action",\n "type": "action",', 1),
    ):
        assert twice != whole
        with pytest.raises(ExperimentErrors) as raised:
            load(tmp_path / "a.json", twice)
        (error,) = raised.value.errors
        assert error.code == "duplicate-key"
        assert error.line > 1


jsonable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(extra=jsonable, indent=st.sampled_from([None, 0, 1, 4]), before=st.sampled_from(["", " ", "\n\n", " \r\n "]))
def test_json_means_the_same_as_json_and_as_yaml(extra: object, indent: int | None, before: str) -> None:
    provider = {"type": "process", "path": "true", "arguments": extra}
    method = [{"type": "action", "name": "a", "provider": provider}]
    document = {"x-more": extra, "title": "t", "description": "d", "method": method, "rollbacks": []}
    text = before + json.dumps(document, indent=indent)
    quick, thorough = read_chaos("a.json", text.encode()), read_chaos("a.yaml", text.encode())
    assert quick is not None
    assert thorough is not None
    assert isinstance(quick.root, Entries)
    assert isinstance(thorough.root, Entries)
    assert plain(quick.root) == plain(thorough.root) == document
    for key in document:
        assert quick.root.entries[key][0] == thorough.root.entries[key][0]


@pytest.mark.parametrize(
    ("changes", "words", "hint"),
    [
        ({"rolbacks": []}, "unknown key 'rolbacks'", "rollbacks"),
        ({"description": ""}, "needs 'description'", ""),
        ({"method": {}}, "needs a list 'method'", "method: []"),
        ({"method": [{"type": "action", "name": "x"}]}, "not a provider", "python, process or http"),
        (
            {"method": [{"name": "x", "provider": {"type": "process", "path": "true"}}]},
            "not the type of an activity",
            "type: action",
        ),
        ({"method": [{**action("a", "nothing"), "provider": {"type": "http"}}]}, "a http provider needs 'url'", "url"),
        ({"method": [{**action("a", "nothing"), "backgroud": True}]}, "unknown key 'backgroud'", "background"),
        (
            {"method": [{**action("a", "nothing"), "pauses": {"before": -1}}]},
            "a pause before of -1 seconds",
            "0 or more",
        ),
        (
            {"steady-state-hypothesis": {"title": "h", "probes": [action("a", "nothing")]}},
            "not the type",
            "type: probe",
        ),
    ],
)
def test_what_chaos_toolkit_would_let_pass_is_refused_at_its_place(
    changes: dict[str, Any], words: str, hint: str, tmp_path: Path
) -> None:
    document = {**experiment(tmp_path), **changes}
    if "rolbacks" in changes:
        document.pop("rollbacks")
    with pytest.raises(ExperimentErrors) as raised:
        load(tmp_path / "a.json", document)
    found = [error for error in raised.value.errors if words in error.message]
    assert found, [error.message for error in raised.value.errors]
    assert hint in found[0].hint
    assert found[0].line > 1


def test_other_unknown_keys_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path / "a.json", {**experiment(tmp_path), "x-team": "shop"}).chaos


OVERLAY = """\
version: 1
title: Under load
uses: {file: existing.json, for: 10m}
load: {target: "http://127.0.0.1:1", rate: 10/s, requests: [{name: home, get: /}]}
objectives: {available: {expect: errors < 5%}}
"""


def test_an_overlay_puts_load_and_objectives_around_it(tmp_path: Path) -> None:
    (tmp_path / "existing.json").write_text(json.dumps(experiment(tmp_path)))
    loaded = load(tmp_path / "overlay.yaml", OVERLAY)
    (fault,) = loaded.experiment.faults
    assert (fault.do, fault.for_) == ("chaostoolkit.experiment", 600_000)
    assert fault.with_["file"] == str(tmp_path / "existing.json")
    assert loaded.fragments["uses/existing.json"] == (tmp_path / "existing.json").read_bytes()
    assert not loaded.chaos


def test_an_overlay_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "existing.json").write_text(json.dumps(experiment(tmp_path)))
    loaded = load(tmp_path / "overlay.yaml", "version: 1\ntitle: As it is\nuses: existing.json\n")
    assert loaded.experiment.objectives == {}


@pytest.mark.parametrize(
    ("uses", "words"),
    [
        ("absent.json", "cannot read this file"),
        ("overlay.yaml", "no Chaos Toolkit experiment"),
        ("{file: existing.json, fr: 1m}", "unknown key 'fr'"),
        ("[a]", "uses names a file"),
        ("{for: 1m}", "uses needs a file"),
    ],
)
def test_a_wrong_overlay_is_refused(uses: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "existing.json").write_text(json.dumps(experiment(tmp_path)))
    with pytest.raises(ExperimentErrors, match=words):
        load(tmp_path / "overlay.yaml", f"version: 1\ntitle: t\nuses: {uses}\n")


def test_a_mistake_in_the_used_file_is_shown_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "existing.json").write_text(json.dumps({**experiment(tmp_path), "tilte": 1, "title": ""}))
    with pytest.raises(ExperimentErrors) as raised:
        load(tmp_path / "overlay.yaml", OVERLAY)
    assert str(tmp_path / "existing.json") in str(raised.value)
