"""A panel on its own: valid XML, faults shaded, at most 120 hover bands, colours in attributes, nothing in style."""

from __future__ import annotations

import math
import re
import time
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday_reports.charts.geometry import Band, Phase, TimeAxis
from gameday_reports.charts.hover import HOVER_BANDS, MEASURED, Line
from gameday_reports.charts.lanes import Lane, draw_lanes
from gameday_reports.charts.limits import LimitLine, Over
from gameday_reports.charts.lines import path_of
from gameday_reports.charts.marks import Mark, MarkKind
from gameday_reports.charts.panel import Panel, draw_panel
from gameday_reports.charts.spark import draw_spark
from gameday_reports.facts import letter
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


def test_the_last_run_is_dashed_and_said_under_the_pointer() -> None:
    lines = (
        Line(label=MEASURED, series=Series(start=0, values=(5.0,) * 600)),
        Line(label="last run", series=Series(start=0, values=(7.0,) * 600), kind="previous"),
    )
    svg = draw_panel(Panel(key="x", title="t", unit="ms", lines=lines), AXIS)
    (dashed,) = [element for element in drawn(svg, "prev") if element.tag.endswith("path")]
    assert dashed.get("stroke-dasharray")
    assert "\n5 ms\nlast run: 7 ms<" in svg
    assert "The previous run is dashed." in svg
    assert "from 5 ms to 5 ms" in svg, "the description speaks of this run"


def test_marks_are_shapes_of_their_own_lines_in_panels_and_words_under_the_pointer() -> None:
    kinds: tuple[MarkKind, ...] = ("stop", "fired", "resolved", "note")
    marks = tuple(Mark(at_ms=100_000 * n, text=f"{kind} <b>", kind=kind) for n, kind in enumerate(kinds, 1))
    lanes = draw_lanes(AXIS, (), marks)
    shapes = {drawn(lanes, f"m-{kind}")[-1 if kind != "stop" else 0].get("d", "")[-16:] for kind in kinds}
    assert len(shapes) == 4, "no two kinds have the same shape"
    svg = draw_panel(panel(Series(start=0, values=(1.0,) * 600)), AXIS, marks)
    assert [len(drawn(svg, f"m-{kind}")) for kind in kinds] == [1, 1, 1, 1]
    for kind in kinds:
        assert any(f"{kind} <b>" in (title.text or "") for title in parsed(svg).iter("title"))
    assert "<b>" not in svg
    outside = (Mark(at_ms=700_000, text="later", kind="note"),)
    assert not drawn(draw_panel(panel(EMPTY), AXIS, outside), "m-note")


def test_moments_are_labelled_where_there_is_room() -> None:
    marks = tuple(
        Mark(at_ms=ms, text=text, kind="moment")
        for ms, text in ((200_000, "on"), (200_012, "proven"), (599_000, "gone"))
    )
    found = Panel(key="x", title="t", unit="ms", lines=(Line(label="a", series=EMPTY),), moments=True)
    svg = draw_panel(found, AXIS, marks)
    said = [element.text for element in drawn(svg, "tick") if element.text in ("on", "proven", "gone")]
    assert said == ["on", "gone"]
    (last,) = [element for element in drawn(svg, "tick") if element.text == "gone"]
    assert last.get("text-anchor") == "end"


@pytest.mark.parametrize("count", [24, 300, 2_000])
def test_hundreds_of_faults_are_bounded(count: int) -> None:
    bands = tuple(
        Band(label=letter(n), name=f"fault {n}", on_ms=n * 250, proven_ms=n * 250, off_ms=n * 250 + 200)
        for n in range(1, count + 1)
    )
    axis = TimeAxis(from_ms=0, to_ms=600_000, bands=bands)
    svg = draw_panel(panel(Series(start=0, values=(1.0,) * 600)), axis)
    shaded = drawn(svg, "fault")
    assert len(shaded) == (count if count <= 24 else 1), "those that touch are one, where nobody could tell them apart"
    right = max(float(one.get("x", "0")) + float(one.get("width", "0")) for one in shaded)
    assert right == pytest.approx(axis.x(count * 250 + 200), abs=1.1)
    assert len(svg) < 40_000
    assert len(draw_lanes(axis, (), ())) < 20_000
    assert len(draw_spark(EMPTY, axis)) < 4_000
    names = drawn(svg, "faultt")
    places = [float(name.get("x", "")) for name in names]
    assert all(after - before >= 8 for before, after in pairwise(places)), "no name covers another"


def test_a_zoomed_axis_shows_what_lies_on_it() -> None:
    axis = AXIS.zoomed(290_000, 310_000)
    found = panel(Series(start=0, values=tuple(float(n) for n in range(600))))
    svg = draw_panel(found, axis)
    assert {band.label for band in axis.bands} == {"A", "B"}
    assert AXIS.zoomed(0, 100_000).bands == ()
    assert AXIS.zoomed(5, 5).to_ms == 1_005, "an axis has a length"
    description = next(element.text or "" for element in parsed(svg).iter("desc"))
    assert description.startswith("One value a second, from 290 ms to 309 ms.")
    path = next(element for element in drawn(svg, "line") if element.tag == "path").get("d", "")
    assert len(path.split("l")[1].replace("-", " -").split()) == 2 * 19, "every second is drawn"


@given(st.lists(st.tuples(st.floats(0, 1040), st.floats(0, 190)), min_size=1, max_size=60))
def test_a_path_of_moves_does_not_drift(points: list[tuple[float, float]]) -> None:
    at = [round(float(part) * 10) for part in path_of(points)[1:].split("l")[0].split()]
    for across, down in batched(re.findall(r"-?[\d.]+", path_of(points).split("l")[1])):
        at = [at[0] + round(float(across) * 10), at[1] + round(float(down) * 10)]
    assert at == [round(points[-1][0] * 10), round(points[-1][1] * 10)]


def batched(found: list[str]) -> list[tuple[str, str]]:
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("wall", [1_792_889_000.0, 1_774_746_000.0], ids=["the end of summer time", "its beginning"])
def test_summer_time_changes_nothing(wall: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The night of 25 October 2026 and of 29 March 2026 in Berlin: labels are UTC, and one hour is one hour."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        axis = TimeAxis(from_ms=0, to_ms=3 * 3_600_000, epoch_wall=wall)
        svg = draw_panel(panel(Series(start=0, values=(1.0,) * 10_800)), axis)
    finally:
        monkeypatch.undo()
        time.tzset()
    found = [text for element in drawn(svg, "tick") if re.fullmatch(r"\d\d:\d\d:\d\d", text := element.text or "")]
    seconds = [int(text[:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:]) for text in found]
    steps = {(after - before) % 86_400 for before, after in pairwise(seconds)}
    assert len(found) > 4
    assert len(steps) == 1
