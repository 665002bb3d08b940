"""YAML with places: what a scalar means, where it stands, and that no file costs much before it is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.schema.compose import resolve_scalar
from gameday.schema.document import Document
from gameday.schema.errors import ExperimentErrors
from gameday.schema.nodes import locate, plain
from gameday.schema.yamlfile import parse, read_bytes
from tests.fakes.hostile import MEANING, SYNTAX


def read(text: str | bytes) -> object:
    document = parse("f.yaml", text if isinstance(text, bytes) else text.encode())
    assert not document.errors
    return plain(document.root)


def refused(text: str | bytes) -> ExperimentErrors:
    with pytest.raises(ExperimentErrors) as caught:
        parse("f.yaml", text if isinstance(text, bytes) else text.encode())
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 5", 5),
        ("a: -5", -5),
        ("a: 0x1F", 31),
        ("a: 0o17", 15),
        ("a: 017", 17),
        ("a: 1.5", 1.5),
        ("a: 1e3", 1000.0),
        ("a: '5'", "5"),
        ("a: !!str 5", "5"),
        ("a: true", True),
        ("a: no", "no"),
        ("a: on", "on"),
        ("a: ~", None),
        ("a:", None),
        ("a: 2026-01-01", "2026-01-01"),
        ("a: 12:30:45", "12:30:45"),
        ("a: .inf", ".inf"),
        ("a: 1e999", "1e999"),
        ("a: " + "9" * 5000, "9" * 5000),
        ("a: |\n  x\n  y\n", "x\ny\n"),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    assert read(text) == {"a": value}


def test_anchors_aliases_and_merges() -> None:
    assert read("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: {<<: [*x, {g: 4, b: 9}]}") == {
        "a": {"b": 1, "c": 2},
        "d": {"b": 1, "c": 2},
        "e": {"b": 1, "c": 3},
        "f": {"b": 1, "c": 2, "g": 4},
    }


def test_json_is_yaml() -> None:
    assert read('{"a": [1, "b", null, true]}') == {"a": [1, "b", None, True]}


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter() -> None:
    document = parse("f.yaml", "\ufeffa: 1\r\nb: [1, 2]\r\n".encode())
    assert plain(document.root) == {"a": 1, "b": [1, 2]}
    assert locate(document.root, ("b", 1)) == (2, 8, 1, 0)


def test_places_of_values_keys_and_what_is_missing() -> None:
    root = parse("f.yaml", b"load:\n  rate: 100/s\n  requests:\n    - {name: a, get: /}\nfaults:\n").root
    assert locate(root, ("load", "rate")) == (2, 9, 5, 0)
    assert locate(root, ("load", "rate"), key=True) == (2, 3, 4, 0)
    assert locate(root, ("load",)) == (1, 1, 4, 0)
    assert locate(root, ("load", "requests", 0, "name")) == (4, 14, 1, 0)
    assert locate(root, ("load", "requests", 0, "post")) == (4, 7, 17, 0)
    assert locate(root, ("load", "target")) == (1, 1, 4, 0)
    assert locate(root, ("faults",)) == (5, 1, 6, 0)
    assert locate(root, ("nothing",)) == (1, 1, 1, 0)


QUICK = {name: (text, code) for name, (text, code) in SYNTAX.items() if len(text) < 100_000}


@pytest.mark.parametrize("name", QUICK)
def test_a_hostile_file_is_refused_at_a_place(name: str) -> None:
    text, code = QUICK[name]
    errors = refused(text)
    assert {error.code for error in errors.errors} == {code}
    assert len(str(errors)) < 2000


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_no_hostile_file_costs_two_seconds_or_two_hundred_megabytes() -> None:
    program = [sys.executable, "-m", "tests.fakes.hostile"]
    lines = subprocess.run(program, capture_output=True, check=True, text=True).stdout.splitlines()
    *costs, peak = [json.loads(line) for line in lines]
    assert [cost["name"] for cost in costs] == [*SYNTAX, *MEANING]
    assert {cost["name"]: cost["code"] for cost in costs if cost["name"] in SYNTAX} == {
        name: code for name, (_, code) in SYNTAX.items()
    }
    assert [cost for cost in costs if cost["code"] == "valid"] == []
    assert [cost for cost in costs if cost["seconds"] > 2] == []
    assert peak["peak_mb"] < 200


def test_a_large_text_is_read() -> None:
    assert read("a: |\n" + " x\n" * 20_000) == {"a": "x\n" * 20_000}


def test_more_than_one_mebibyte_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.touch()
    os.truncate(path, 100 * 1024**3)
    with pytest.raises(ExperimentErrors, match="larger than 1 MiB"):
        read_bytes(path)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_what_cannot_be_read_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExperimentErrors, match="cannot read this file"):
        read_bytes(tmp_path / name)


def test_every_duplicate_key_is_noted() -> None:
    document = parse("f.yaml", b"a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n")
    assert [(e.line, e.column, e.hint) for e in document.errors] == [
        (2, 11, "first given in line 2"),
        (3, 1, "first given in line 1"),
        (4, 1, "first given in line 1"),
    ]


def outcome(data: bytes) -> Document | ExperimentErrors:
    try:
        return parse("f.yaml", data)
    except ExperimentErrors as errors:
        return errors


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", errors="replace")),
        st.lists(st.sampled_from(list("{}[]:,-?&*!|>%@`'\"#\n \tab1~<")), max_size=60).map(
            lambda signs: "".join(signs).encode()
        ),
    )
)
def test_nothing_raises_anything_but_located_errors(data: bytes) -> None:
    read_or_refused = outcome(data)
    if isinstance(read_or_refused, Document):
        plain(read_or_refused.root)
    else:
        assert read_or_refused.errors
        assert all(error.line >= 1 and error.column >= 1 for error in read_or_refused.errors)


@settings(deadline=None)
@given(st.text(alphabet="0123456789+-.eExXo_abcnulltruefasy~ ", max_size=12))
def test_a_scalar_is_read_as_something_json_can_hold(text: str) -> None:
    value = resolve_scalar(text)
    assert value is None or isinstance(value, (str, int, float))
    assert not isinstance(value, float) or value == value  # noqa: PLR0124 - not NaN
