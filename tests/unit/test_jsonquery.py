from __future__ import annotations

import builtins
from typing import Any

import pytest

from gameday_drivers.jsonpath import parse_path
from gameday_drivers.jsonquery import Query, number_by, read_path

BODY = b"""{"queues": [{"name": "jobs", "depth": 3}, {"name": "mail", "depth": 5, "odd": null}], "a": {"b": 7},
"bad": [NaN, 1e999, "7", true, null, {}]}"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.queues[?@.name == 'mail'].depth", 5),
        ("$.queues[?(@.depth > 3)].depth", 5),
        ("$.queues[?@.name == 'jobs' && @.depth < 9].depth", 3),
        ("$..b", 7),
        ("$.a.*", 7),
        ("$.queues[1:].depth", 5),
        ("$.queues[?match(@.name, 'jo.*')].depth", 3),
        ("$.queues[0].depth", 3),
    ],
)
def test_a_path_leads_to_its_number(path: str, found: float) -> None:
    assert number_by(BODY, read_path(path)) == found


def test_a_plain_path_needs_no_library() -> None:
    assert read_path("$.queues[0].depth") == parse_path("$.queues[0].depth")
    assert isinstance(read_path("$.*"), Query)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$.queues[*].depth", "leads to 2 values, not to one"),
        ("$.queues[?@.name == 'none'].depth", "leads to no values, not to one"),
        ("$..absent", "leads to no values"),
        ("$.queues[?@.depth == 3]", "is an object, not a number"),
        ("$.bad[0:1]", "is nan, not a number that can be compared"),
        ("$.bad[1:2]", "is inf, not a number that can be compared"),
        ("$.bad[2:3]", "is text, not a number"),
        ("$.bad[3:4]", "is true, not a number"),
        ("$.bad[4:5]", "is null, not a number"),
        ("$.bad[?@ == null]", "is null, not a number"),
    ],
)
def test_what_is_not_one_number_says_so(path: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        number_by(BODY, read_path(path))


def test_a_document_that_is_too_deep_is_no_reading() -> None:
    deep = b"[" * 900 + b"]" * 900
    with pytest.raises(ValueError, match=r"cannot be looked up|leads to no"):
        number_by(deep, read_path("$..depth"))
    with pytest.raises(ValueError, match="no JSON"):
        number_by(b"<html>", read_path("$..depth"))


@pytest.mark.parametrize(
    "path", ["queues", "$.", "$..", "$.a[?", "$[?count(@.a)]", "$.a b", "$.a[?@.b == ]", "$" + ".*" * 400]
)
def test_what_is_no_path_is_refused_with_one_that_is(path: str) -> None:
    with pytest.raises(ValueError, match=r"not a path: .*; write one like \$\.queues"):
        read_path(path)


def test_without_the_extra_it_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "jsonpath_rfc9535":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"needs the extra \[jsonpath\].*pip install 'gameday-runner\[jsonpath\]'"):
        read_path("$..b")
    assert read_path("$.a.b") == ("a", "b")
