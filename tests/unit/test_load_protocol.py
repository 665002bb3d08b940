"""The stream's messages: whole ones are read, anything else is a LoadError and nothing else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.protocol import LINE_LIMIT, encode, parse_message
from gameday.spi.errors import LoadError

TICK: dict[str, Any] = {
    "t": "tick",
    "at_ms": 1000,
    "started": 1,
    "late": 0,
    "lag_p99_ms": 1.5,
    "in_flight": 0,
    "oldest_in_flight_ms": 0,
    "capped": 0,
    "generator_errors": 0,
    "cpu": 0.5,
    "rss_mb": 50.0,
    "rate": 100.0,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_load_error(line: bytes) -> None:
    with pytest.raises(LoadError):
        parse_message(line)


@given(st.sampled_from(["ready", "ack", "agg", "pulse", "tick", "log", "bye"]), JSON, JSON)
def test_any_json_is_a_message_or_a_load_error(kind: str, one: object, other: object) -> None:
    message = {**TICK, "t": kind, "rows": one, "hist": other, "text": one, "late": other, "over": one, "slower": other}
    with suppress(LoadError):
        assert parse_message(json.dumps(message).encode())["t"] == kind


@pytest.mark.parametrize(
    "row",
    [
        [1, "home", "ok", 1],
        [1, "home", "fine", 1, {}],
        [1, "home", ["ok"], 1, {}],
        [1, "home", "ok", -1, {}],
        [1, "home", "ok", True, {}],
        [1.5, "home", "ok", 1, {}],
        [1, None, "ok", 1, {}],
        [1, "home", "ok", 1, {"x": 1}],
        [1, "home", "ok", 1, {"300000": -1}],
        [1, "home", "ok", 1, []],
        "row",
    ],
)
def test_a_malformed_row_makes_the_message_malformed(row: object) -> None:
    with pytest.raises(LoadError, match=r"agg\.rows"):
        parse_message(json.dumps({"t": "agg", "rows": [row], "hist": []}).encode())


@pytest.mark.parametrize("name", [name for name in TICK if name != "t"])
def test_a_missing_or_absurd_member_is_refused(name: str) -> None:
    with pytest.raises(LoadError, match=name):
        parse_message(json.dumps({key: value for key, value in TICK.items() if key != name}).encode())
    with pytest.raises(LoadError, match=name):
        parse_message(json.dumps({**TICK, name: "NaN"}).encode())
    if name != "at_ms":
        with pytest.raises(LoadError, match=name):
            parse_message(json.dumps({**TICK, name: float("nan")}).encode())


def test_a_line_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(LoadError, match="more than"):
        parse_message(b" " * (LINE_LIMIT + 1))


def test_a_message_is_one_line() -> None:
    assert encode({"t": "log", "text": "a\nb"}).count(b"\n") == 1
