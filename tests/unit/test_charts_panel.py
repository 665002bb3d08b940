"""A panel on its own: valid XML, faults shaded, at most 120 hover bands, colours in attributes, nothing in style."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element, fromstring

import pytest

from gameday_reports.charts.geometry import Band, Phase, TimeAxis
from gameday_reports.charts.hover import HOVER_BANDS, Line
from gameday_reports.charts.lanes import Lane, draw_lanes
from gameday_reports.charts.limits import LimitLine, Over
from gameday_reports.charts.marks import Mark
from gameday_reports.charts.panel import Panel, draw_panel
from gameday_reports.charts.spark import draw_spark
from gameday_reports.series import EMPTY, Series

AXIS = TimeAxis(
    from_ms=0,
    to_ms=600_000,
    epoch_wall=1_790_000_000.0,
    bands=(
        Band(label="A", name="payments-down", on_ms=200_000, proven_ms=200_012, off_ms=300_000),
        Band(label="B", name='<b onload="x">', on_ms=250_000, proven_ms=None, off_ms=600_000, open_ended=True),
    ),
    phases=(Phase(name="baseline", from_ms=0, to_ms=199_000), Phase(name="fault", from_ms=200_012, to_ms=300_000)),
)


def panel(*series: Series, unit: str = "ms") -> Panel:
    return Panel(
        key="x",
        title="Latency",
        unit=unit,  # type: ignore[arg-type]
        lines=tuple(Line(label=f"line {index}", series=one) for index, one in enumerate(series)),
        limits=(LimitLine(from_ms=0, to_ms=600_000, value=300.0, label="fast: p95 < 300ms"),),
        over=Over(sure=((210_000, 220_000),), perhaps=((230_000, 231_000),)),
        name_bands=True,
        utc=True,
    )


def parsed(svg: str) -> Element:
    return fromstring(svg)


def drawn(svg: str, kind: str) -> list[Element]:
    return [element for element in parsed(svg).iter() if kind in element.get("class", "").split()]


@pytest.mark.parametrize(
    "values",
    [(), (5.0,), (5.0,) * 600, (math.nan,) * 600, (None,) * 600, (0.0,) * 600, (None, 3.0, None), (math.inf, 1.0)],
    ids=["empty", "one", "constant", "nan", "gaps", "zero", "lone", "infinite"],
)
def test_every_series_gives_a_whole_panel(values: tuple[float | None, ...]) -> None:
    svg = draw_panel(panel(Series(start=0, values=values)), AXIS)
    assert parsed(svg).tag == "svg"
    assert "nan" not in svg.lower().replace("tenant", "")
    assert "style=" not in svg
    assert len(drawn(svg, "tick")) > 3


def test_nothing_measured_says_so() -> None:
    assert "no data" in draw_panel(panel(EMPTY), AXIS)
    assert "No data." in draw_panel(panel(EMPTY), AXIS)


def test_faults_are_shaded_from_call_to_end() -> None:
    bands = drawn(draw_panel(panel(Series(start=0, values=(1.0,) * 600)), AXIS), "fault")
    edges = [AXIS.x(ms) for ms in (200_000, 300_000, 250_000, 600_000)]
    found = [(float(band.get("x", "")), float(band.get("width", ""))) for band in bands]
    assert [round(x + part * width) for x, width in found for part in (0, 1)] == [round(edge) for edge in edges]


@pytest.mark.parametrize("begin_ms", [0, 500])
@pytest.mark.parametrize("seconds", [1, 119, 120, 121, 600, 86_400])
def test_hover_bands_are_bounded_and_tell_least_and_greatest(seconds: int, begin_ms: int) -> None:
    axis = TimeAxis(from_ms=begin_ms, to_ms=begin_ms + seconds * 1000)
    found = tuple(float(second % 7) for second in range(seconds))
    hits = drawn(draw_panel(panel(Series(start=0, values=found)), axis), "hit")
    titles = [title.text or "" for title in hits[0].iter("title")]
    assert 1 <= len(titles) <= HOVER_BANDS
    if seconds == 600 and not begin_ms:
        assert "line 0: 0 ms to 6 ms" in titles[0]


def test_the_points_of_a_day_are_bounded_by_the_pixels() -> None:
    axis = TimeAxis(from_ms=0, to_ms=86_400_000)
    found = tuple(float(second * 7919 % 1000) for second in range(86_400))
    assert len(draw_panel(panel(Series(start=0, values=found)), axis)) < 40_000


def test_a_gap_is_a_new_line_and_a_lone_sample_a_dot() -> None:
    svg = draw_panel(
        panel(Series(start=0, values=(1.0, 2.0, None, 3.0, None, 4.0, 5.0))), TimeAxis(from_ms=0, to_ms=7_000)
    )
    lines = [element for element in drawn(svg, "line") if element.tag == "path"]
    assert lines[0].get("d", "").count("M") == 2
    assert len(drawn(svg, "dot")) == 1


def test_colour_is_not_the_only_sign_and_stands_in_attributes() -> None:
    svg = draw_panel(panel(Series(start=0, values=(400.0,) * 600)), AXIS)
    strips = drawn(svg, "breach")
    assert [strip.get("fill-opacity") for strip in strips] == ["0.3", None]
    assert all(strip.get("fill") == "#c92a2a" for strip in strips)
    assert "fast: p95 &lt; 300ms" in svg


def test_labels_at_the_same_height_do_not_cover_each_other() -> None:
    limits = tuple(LimitLine(from_ms=0, to_ms=600_000, value=300.0 + n, label=f"objective {n}") for n in range(3))
    svg = draw_panel(Panel(key="x", title="t", unit="ms", lines=(Line(label="a", series=EMPTY),), limits=limits), AXIS)
    places = [float(label.get("x", "")) for label in drawn(svg, "limitt")]
    assert len(places) == 3
    assert places[1] - places[0] > 60
    assert places[2] - places[1] > 60


def test_lanes_hold_phases_faults_objectives_and_stops() -> None:
    lane = Lane(name="checkout-available-for-everyone", over=Over(sure=((210_000, 220_000),)))
    svg = draw_lanes(AXIS, (lane,), (Mark(at_ms=222_000, text="the run was stopped: <script>"),))
    text = " ".join(parsed(svg).itertext())
    assert "payments-down: from 3:20.000, proven on at 3:20.012, until 5:00.000" in text
    assert "never proven on, never proven gone" in text
    assert "not proven gone" in text
    assert "checkout-available-for-everyone: over its limit from 3:30 to 3:40" in text
    assert "the run was stopped: <script>" in text
    assert "<script>" not in svg


def test_a_sparkline_survives_anything() -> None:
    for found in ((), (None,), (0.0,), (math.nan, 0.5, None)):
        assert parsed(draw_spark(Series(start=0, values=found), AXIS, ((0, 600_000, 0.05),))).tag == "svg"
