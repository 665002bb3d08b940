"""The JSON Schema accepts what the loader accepts, and refuses what an editor should underline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gameday.schema.day.loader import is_day
from gameday.schema.jsonschema import json_schema
from gameday.schema.nodes import plain
from gameday.schema.yamlfile import parse
from tests.fakes.experiment_file import EXAMPLE, changed

LIBRARY = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(
    path
    for path in LIBRARY.rglob("*.yaml")
    if not is_day(path.read_bytes()) and path.parent.name not in ("slis", "fragments")
)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors(validator: Draft202012Validator, text: str) -> list[str]:
    checker: Any = validator
    found = checker.iter_errors(plain(parse("f", text.encode()).root))
    return ["/".join(map(str, error.absolute_path)) for error in found]


def test_the_example_is_valid(validator: Draft202012Validator) -> None:
    assert errors(validator, EXAMPLE) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_experiments_are_valid(validator: Draft202012Validator, path: Path) -> None:
    assert errors(validator, path.read_text(encoding="utf-8")) == []


def test_the_rest_of_the_grammar_is_valid(validator: Draft202012Validator) -> None:
    text = changed(
        ("rate: 100/s", "stages: [{rate: 10/s, ramp: 5s, hold: 60s}, {rate: 90/min, hold: 0s}]\n  arrivals: poisson"),
        ("load:", "matrix: {n: [1, 2]}\ndata: {skus: [A1, 2, true]}\nload:"),
        (
            "objectives:\n",
            'slis: {queue: {http: "http://a/", json: $.n}, disk: {command: [df], every: 9s}}\nobjectives:\n',
        ),
        ("faults:\n", "faults:\n  - use: a.yaml\n  - {use: b.yaml, at: 5s}\n"),
        (
            "at: 0s, for: 60s",
            "at: 0s, irreversible: allow, observe: 60s, every: 5s, times: 6, max_targets: 2, keep_ready: 1, when_no_target: skip",
        ),
    )
    assert errors(validator, text) == []


def test_a_variable_may_stand_for_any_single_value(validator: Draft202012Validator) -> None:
    text = changed(
        ("rate: 100/s", 'rate: "${rate}"'),
        ("weight: 7", 'weight: "${weight}"'),
        ("restart: always", 'restart: "${restart}"'),
        ("for: 60s", 'for: "${length}"'),
        ("endpoint: checkout", "endpoint: [checkout]"),
    )
    assert errors(validator, text) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("abort:", "abrot:"), ""),
        (("version: 1", "version: 2"), "version"),
        (("rate: 100/s", "rate: 100"), "load/rate"),
        (("weight: 7", "weight: 0"), "load/requests/0/weight"),
        (("for: 60s", "for: 60"), "faults/0/payments-down/for"),
        (("do: proxy.down, ", ""), "faults/0/payments-down"),
        (("restart: always", "restart: alwys"), "system/payments/restart"),
        (("warmup: 10s", "warmpu: 10s"), "phases"),
        (("{env: BASE_URL, default", "{evn: BASE_URL, default"), "variables/base_url"),
        (("rate: 100/s", "stages: [{rate: 100/s}]"), "load/stages/0"),
        (("rate: 100/s", "users: 0"), "load/users"),
        (("rate: 100/s", "arrivals: gaussian"), "load/arrivals"),
        (("load:", "data: {skus: A1}\nload:"), "data/skus"),
        (("load:", "matrix: {skus: []}\nload:"), "matrix/skus"),
        (("load:", "slis: {queue: {http: [a]}}\nload:"), "slis/queue/http"),
        (("load:", "slis: {queue: {every: 5}}\nload:"), "slis/queue/every"),
        (("faults:\n", "faults:\n  - {use: a.yaml, att: 5s}\n"), "faults/0"),
        (("at: 0s, for: 60s", "at: 0s, for: 60s, max_targets: 0"), "faults/0/payments-down/max_targets"),
    ],
)
def test_what_an_editor_underlines(validator: Draft202012Validator, change: tuple[str, str], where: str) -> None:
    assert errors(validator, changed(change)) == [where]


def sections(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("Experiment", schema["properties"]),
        *((name, part["properties"]) for name, part in schema["$defs"].items()),
    ]


def test_it_is_in_the_files_own_form() -> None:
    schema = json_schema()
    assert "name" not in schema["$defs"]["FaultSpec"]["properties"]
    assert {"with", "for", "do", "at"} <= set(schema["$defs"]["FaultSpec"]["properties"])
    assert "json" in schema["$defs"]["Request"]["properties"]
    assert schema["$defs"]["Phases"]["properties"]["warmup"]["default"] == "10s"
    assert not [name for name, properties in sections(schema) if "json_" in properties or "for_" in properties]


def test_no_section_is_without_a_description() -> None:
    assert not [name for name, part in json_schema()["$defs"].items() if not part.get("description")]


def test_every_key_says_what_it_is_for() -> None:
    schema = json_schema()
    obvious = ("get", "post", "put", "patch", "delete", "head", "options", "version", "$ref")
    assert [
        f"{section}.{key}"
        for section, properties in sections(schema)
        for key, value in properties.items()
        if "description" not in value and key not in obvious
    ] == []


def test_there_is_no_other_kind_here() -> None:
    with pytest.raises(KeyError):
        json_schema("policy")
