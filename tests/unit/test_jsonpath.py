from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday_drivers.jsonpath import number_at, parse_path
from gameday_drivers.numbers import read_number

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: "'" not in name)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$", ()),
        ("$.a.b[0].c", ("a", "b", 0, "c")),
        ("$['odd key'].n[-1]", ("odd key", "n", -1)),
        ('$["a.b"][2][3]', ("a.b", 2, 3)),
        ("$.a-b_c", ("a-b_c",)),
    ],
)
def test_a_path_is_read(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", "a", ".a", "$a", "$.", "$..a", "$.*", "$[*]", "$[0", "$[?(@.a)]", "$.a b", "$[0:2]", "$" + ".a" * 400]
)
def test_what_is_no_path_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"write one like \$\.queues\[0\]\.depth"):
        parse_path(text)


@given(
    st.lists(NAMES | st.integers(0, 5), max_size=6),
    st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False),
)
def test_the_number_at_a_path_is_the_one_that_was_put_there(path: list[str | int], number: float) -> None:
    document: object = number
    for step in reversed(path):
        document = {step: document} if isinstance(step, str) else [None] * step + [document]
    text = "$" + "".join(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in path)
    assert number_at(json.dumps(document).encode(), parse_path(text)) == float(number)


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        (b"not json", "$", "no JSON"),
        (b'{"a": 1}', "$.b", r"there is no \$\.b"),
        (b'{"a": 1}', "$.a.b", r"\$\.a is a number and has no members"),
        (b'{"a": {}}', "$.a[0]", r"\$\.a is an object and no list"),
        (b"[1, 2]", "$[2]", "has 2 items"),
        (b'["7"]', "$[0]", r"\$\[0\] is text, not a number"),
        (b"[true]", "$[0]", "is true, not a number"),
        (b"[null]", "$[0]", "is null, not a number"),
        (b"[NaN]", "$[0]", "not a number that can be compared"),
        (b"[1e999]", "$[0]", "not a number that can be compared"),
        (b"[" + b"9" * 400 + b"]", "$[0]", "too large"),
        (b"[" * 100_000, "$", "no JSON"),
    ],
)
def test_what_is_no_number_says_what_it_is(body: bytes, path: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        number_at(body, parse_path(path))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_is_read_back(number: float) -> None:
    assert read_number(f"  {number!r}\n".encode()) == number


@given(st.binary(max_size=40))
def test_any_bytes_are_a_number_or_an_error(text: bytes) -> None:
    try:
        assert read_number(text) == float(text)
    except ValueError:
        return
