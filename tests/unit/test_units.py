"""Quantities: what is written is what is meant, and nothing but ValueError is ever raised."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.schema.quantities import (
    MAX_DURATION_MS,
    format_duration,
    format_percent,
    format_rate,
    parse_duration,
    parse_percent,
    parse_rate,
    shown,
)

durations = st.integers(min_value=0, max_value=MAX_DURATION_MS)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0s", 0),
        ("250ms", 250),
        ("30s", 30_000),
        ("1m30s", 90_000),
        ("1.5s", 1_500),
        ("1.001s", 1_001),
        ("4.35s", 4_350),
        ("0.1m", 6_000),
        ("1h0.5m", 3_630_000),
        (" 5s ", 5_000),
        ("720h", MAX_DURATION_MS),
    ],
)
def test_durations(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "-5s",
        "5 s",
        "5S",
        "1.5",
        "0.5ms",
        "1.0001s",
        "721h",
        "٣s",
        "5s\n6",
        "1e3s",
        "9" * 400 + "s",
        5,
        5.0,
        None,
        True,
        ["5s"],
    ],
)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|milliseconds|too long"):
        parse_duration(text)


@settings(deadline=None)
@given(durations)
def test_a_duration_survives_its_text(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


@settings(deadline=None)
@given(durations)
def test_the_text_of_a_duration_is_canonical(ms: int) -> None:
    text = format_duration(ms)
    assert format_duration(parse_duration(text)) == text


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_longer_is_longer(first: int, second: int) -> None:
    for unit in ("ms", "s"):
        assert (parse_duration(f"{first}{unit}") < parse_duration(f"{second}{unit}")) == (first < second)


@settings(deadline=None)
@given(st.integers(1, 10**6), st.sampled_from([("s", 1), ("m", 60), ("min", 60), ("h", 3600)]))
def test_a_rate_survives_its_text(count: int, unit: tuple[str, int]) -> None:
    rate = parse_rate(f"{count}/{unit[0]}")
    assert rate == count / unit[1]
    assert parse_rate(format_rate(rate)) == rate


@settings(deadline=None)
@given(st.floats(1e-4, 1e6))
def test_any_rate_survives_its_text(rate: float) -> None:
    assert parse_rate(format_rate(rate)) == rate


def test_rates_as_people_write_them() -> None:
    assert format_rate(100.0) == "100/s"
    assert format_rate(parse_rate("30/min")) == "0.5/s"


@pytest.mark.parametrize(
    "text", ["100", "0/s", "100 /s", "-1/s", "1/d", "9999999/s", "0.1/h", "1/0s", "9" * 400 + "/s", 100, None]
)
def test_what_is_no_rate(text: object) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_rate(text)


@settings(deadline=None)
@given(st.decimals(0, 100, places=3))
def test_a_percentage_survives_its_text(percent: object) -> None:
    share = parse_percent(f"{percent}%")
    assert parse_percent(format_percent(share)) == pytest.approx(share, abs=1e-12)


def test_percentages_as_people_write_them() -> None:
    assert parse_percent("0.5%") == 0.005
    assert format_percent(0.07) == "7%"


@pytest.mark.parametrize("text", ["5", "%", "-5%", "5%%", "NaN%", "inf%", 5, None])
def test_what_is_no_percentage(text: object) -> None:
    with pytest.raises(ValueError, match="percentage"):
        parse_percent(text)


@pytest.mark.parametrize("parse", [parse_duration, parse_rate, parse_percent])
@settings(deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=400), st.text(alphabet="0123456789.smh/%minE-+ ", max_size=400), st.integers(), st.floats()
    )
)
def test_no_text_raises_anything_but_value_error(parse: Callable[[object], float], text: object) -> None:
    try:
        value = parse(text)
    except ValueError:
        return
    assert value >= 0


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.none(),
        st.lists(st.text()),
        st.dictionaries(st.text(), st.text()),
    )
)
def test_any_value_is_shown_short_and_on_one_line(value: object) -> None:
    assert len(shown(value)) <= 80
    assert "\n" not in shown(value)
