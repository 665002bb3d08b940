"""The language of ``check:``: what it reads, what it refuses with which help, and what holds."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.spi.checks import Answer, Check, failed_check, holds, parse_check

BODY = json.dumps({"ok": True, "n": 3, "who": "ann", "none": None, "items": [{"id": 7}], "true": "x"}).encode()
ANSWER = Answer(status=201, latency_us=250_000, headers={"content-type": "application/json; charset=utf-8"}, body=BODY)


@pytest.mark.parametrize(
    "text",
    [
        "status == 201",
        "status < 300",
        "status != 500",
        "json.ok == true",
        "json.n == 3",
        "json.n == 3.0",
        "json.n >= 3",
        'json.who == "ann"',
        'json.who != "bob"',
        'json.who contains "n"',
        "json.none == null",
        "json.items.0.id == 7",
        'body contains "ann"',
        'header.Content-Type contains "json"',
        'header.content-type == "application/json; charset=utf-8"',
        "latency < 300ms",
        "latency <= 250ms",
        "  status==201  ",
    ],
)
def test_what_holds(text: str) -> None:
    assert holds(parse_check(text), ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        "status == 200",
        "json.ok == 1",
        "json.n == true",
        'json.n == "3"',
        'json.n contains "3"',
        "json.n < 2",
        "json.who < 5",
        "json.missing == null",
        'json.missing != "x"',
        "json.items.1.id == 7",
        "json.items.id == 7",
        'json.who.0 == "a"',
        'body == "ann"',
        'header.X-Absent != "x"',
        "latency < 250ms",
    ],
)
def test_what_does_not_hold(text: str) -> None:
    assert not holds(parse_check(text), ANSWER)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a check"),
        ("status", "not a check"),
        ("status = 200", "not a check"),
        ("__import__('os').system('id')", "not a check"),
        ("size < 3", "unknown subject 'size'"),
        ("status.a == 200", "status has no members"),
        ('status == "200"', "status is a whole number"),
        ("status == 200.5", "status is a whole number"),
        ("status == true", "status is a whole number"),
        ("json.a == ok", 'in quotes like "ok"'),
        ("json.a == [1]", "compare one member"),
        ('json.a < "x"', "< compares numbers only"),
        ("json.a contains 3", "contains needs a text in quotes"),
        ("body contains 3", "body is text"),
        ('body < "x"', "body is text"),
        ('header == "x"', "must name one header"),
        ('header.a.b == "x"', "must name one header"),
        ("latency > 2s", "needs an upper limit"),
        ("latency < 2", "with its unit"),
    ],
)
def test_what_is_refused_says_what_would_do(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        parse_check(text)


@given(st.text(max_size=40))
def test_any_text_is_a_check_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_check(text), Check)


@given(st.binary(max_size=60))
def test_a_body_that_is_no_json_has_no_members(body: bytes) -> None:
    answer = Answer(status=200, latency_us=1, headers={}, body=body)
    assert not holds(parse_check("json.a.b == 1"), answer)


def test_a_body_nested_too_deep_has_no_members() -> None:
    answer = Answer(status=200, latency_us=1, headers={}, body=b"[" * 100_000)
    assert not holds(parse_check("json.a == 1"), answer)


def test_the_first_check_that_fails_is_named() -> None:
    checks = [parse_check("status == 201"), parse_check("json.n == 4"), parse_check("json.ok == false")]
    assert failed_check(checks, ANSWER) == checks[1]
    assert failed_check(checks[:1], ANSWER) is None
