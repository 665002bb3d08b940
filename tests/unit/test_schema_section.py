"""Sections: every kind of value as it is read, what is wrong with it, and back."""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.schema.marks import Before, Check, Mistake, Read, Write
from gameday.schema.section import InvalidError, Section, key


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even; add one")
    return value


def _doubled(value: object) -> int:
    text = value if isinstance(value, str) else ""
    if not text:
        raise ValueError("not a text")
    return len(text) * 2


def _halved(value: int) -> str:
    return "x" * (value // 2)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Inner(Section):
    """A part."""

    left: str
    right: str | None = None

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if self.left == self.right:
            raise ValueError("has left and right alike")


class Outer(Section):
    """A whole."""

    number: int = key(default=5, least=1, most=9)
    flag: bool = False
    way: Literal["up", "down"] = "down"
    one: Literal[1] = 1
    names: tuple[str, ...] = key(default=(), most=3)
    several: Annotated[tuple[str, ...], Before(_listed)] = key(default=(), least=1)
    parts: dict[Annotated[str, Check(str.strip)], Inner] = key(default={})
    inner: Inner | None = None
    from_: Annotated[int, Check(_even)] = key(default=0, alias="from")
    length: Annotated[int, Read(_doubled), Write(_halved)] = 2
    rest: Any = None


def mistakes(**raw: object) -> list[Mistake]:
    with pytest.raises(InvalidError) as caught:
        Outer.model_validate(raw)
    return list(caught.value.mistakes)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"number": 7}, 7),
        ({"number": "7"}, 7),
        ({"flag": True}, True),
        ({"flag": "true"}, True),
        ({"flag": "false"}, False),
        ({"way": "up"}, "up"),
        ({"names": ["a", "b"]}, ("a", "b")),
        ({"names": []}, ()),
        ({"several": "a"}, ("a",)),
        ({"several": ["a", "b"]}, ("a", "b")),
        ({"inner": {"left": "l"}}, Inner(left="l")),
        ({"inner": None}, None),
        ({"from": 4}, 4),
        ({"length": "abc"}, 6),
        ({"rest": {"a": [None, 1]}}, {"a": [None, 1]}),
    ],
)
def test_a_value_that_fits(raw: dict[str, Any], value: object) -> None:
    (name,) = raw
    assert getattr(Outer.model_validate(raw), "from_" if name == "from" else name) == value


@pytest.mark.parametrize(
    ("raw", "kind", "path", "said"),
    [
        ({"number": 0}, "least", ("number",), "1"),
        ({"number": 10}, "most", ("number",), "9"),
        ({"number": True}, "type", ("number",), "a whole number"),
        ({"number": 7.0}, "type", ("number",), "a whole number"),
        ({"number": "seven"}, "type", ("number",), "a whole number"),
        ({"number": None}, "type", ("number",), "a whole number"),
        ({"flag": 1}, "type", ("flag",), "true or false"),
        ({"flag": "yes"}, "type", ("flag",), "true or false"),
        ({"way": "left"}, "choice", ("way",), "up or down"),
        ({"one": True}, "choice", ("one",), "1"),
        ({"one": 1.0}, "choice", ("one",), "1"),
        ({"names": "a"}, "type", ("names",), "a list"),
        ({"names": ["a", 5]}, "type", ("names", 1), "text"),
        ({"names": ["a"] * 4}, "too-many", ("names",), "3"),
        ({"several": []}, "empty", ("several",), "1"),
        ({"parts": ["a"]}, "type", ("parts",), "a mapping"),
        ({"parts": {"a": {}}}, "missing", ("parts", "a", "left"), ""),
        ({"parts": {"a": {"left": "l", "lift": "l"}}}, "unknown", ("parts", "a", "lift"), ""),
        ({"inner": {"left": "l", "right": "l"}}, "value", ("inner",), "has left and right alike"),
        ({"inner": 5}, "type", ("inner",), "a mapping"),
        ({"from": 3}, "value", ("from",), "must be even; add one"),
        ({"from_": 4}, "unknown", ("from_",), ""),
        ({"length": 3}, "value", ("length",), "not a text"),
    ],
)
def test_a_value_that_does_not(raw: dict[str, Any], kind: str, path: tuple[object, ...], said: str) -> None:
    (found,) = mistakes(**raw)
    assert (found.kind, found.path, found.said) == (kind, path, said)


def test_every_mistake_is_found_and_the_rest_is_not_judged_together() -> None:
    found = mistakes(number=0, way="left", nothing=1, inner={"left": 5, "right": 5})
    assert [one.path for one in found] == [("nothing",), ("number",), ("way",), ("inner", "left"), ("inner", "right")]


def test_the_error_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="names: a list; from: must be even; add one"):
        Outer.model_validate({"from": 3, "names": 5})
    with pytest.raises(InvalidError):
        Outer.model_validate([])


def test_it_is_frozen_compared_by_value_and_copied() -> None:
    made = Outer.model_validate({"number": 7, "inner": {"left": "l"}})
    with pytest.raises(AttributeError, match="frozen"):
        setattr(made, "number", 5)  # noqa: B010 - the type checkers refuse it, too
    assert made == Outer.model_validate({"inner": {"left": "l"}, "number": "7"})
    assert made != made.model_copy(update={"number": 8})
    assert made.model_copy(update={"number": 8}).inner == made.inner
    assert copy.deepcopy(made) == made
    assert made != Inner(left="l")
    assert "number=7" in repr(made)


def test_nothing_that_is_left_out_is_written() -> None:
    made = Outer.model_validate({"inner": {"left": "l"}, "rest": {"a": None}})
    assert made.to_json() == {
        "number": 5,
        "flag": False,
        "way": "down",
        "one": 1,
        "names": [],
        "several": [],
        "parts": {},
        "inner": {"left": "l"},
        "from": 0,
        "length": "x",
        "rest": {"a": None},
    }


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*Outer.bound(), "other"]), plain, max_size=6))
def test_whatever_comes_it_is_read_or_refused_and_what_is_read_is_read_back(raw: dict[str, Any]) -> None:
    found: list[Mistake] = []
    made = Outer.read(raw, (), found)
    assert (made is None) == bool(found)
    if made is not None:
        written = {name: value for name, value in made.to_json().items() if name != "several" or value}
        assert Outer.model_validate(written) == made
