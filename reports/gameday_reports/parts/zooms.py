"""A closer look at each fault: its own stretch of time, every second visible, its moments marked, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gameday.model import Json
from gameday_reports import words
from gameday_reports.charts.geometry import TimeAxis
from gameday_reports.charts.marks import Mark
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts, letter
from gameday_reports.parts.figures import FigureTable, time_table
from gameday_reports.reading import number, text

MOST_ZOOMS = 6
"""Faults with a closer look; the charts of the whole run show every fault."""
MOST_PANELS = 3
LEAD_MS, TAIL_MS = (5_000, 60_000), (15_000, 120_000)
"""Least and most that is shown before and after a fault: a quarter and a half of its length, within these."""
_HEIGHT = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """One fault, close up."""

    fault: str
    """The anchor of the fault."""
    axis: TimeAxis
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...]
    table: FigureTable


def zooms(facts: Facts, panels: Sequence[Panel], marks: Sequence[Mark]) -> tuple[Zoom, ...]:
    """Look closer at each of the first faults that were injected."""
    found: list[Zoom] = []
    for index, raw in enumerate(facts.faults, 1):
        band = next((band for band in facts.axis.bands if band.label == letter(index)), None)
        if band is None or len(found) == MOST_ZOOMS or not panels:
            continue
        held = band.off_ms - band.on_ms
        lead, tail = _within(held // 4, LEAD_MS), _within(held // 2, TAIL_MS)
        axis = facts.axis.zoomed(max(facts.axis.from_ms, band.on_ms - lead), min(facts.axis.to_ms, band.off_ms + tail))
        chosen = _chosen(panels, axis, f"f{index}")
        caption = f"Fault {band.label}, {band.name}: the lowest and the highest value in each stretch of time"
        found.append(
            Zoom(
                fault=f"fault-{index}",
                axis=axis,
                panels=chosen,
                marks=(*_moments(raw), *marks),
                table=time_table(axis, chosen, caption),
            )
        )
    return tuple(found)


def _within(length: int, bounds: tuple[int, int]) -> int:
    return min(bounds[1], max(bounds[0], length))


def _chosen(panels: Sequence[Panel], axis: TimeAxis, key: str) -> tuple[Panel, ...]:
    """Take the panels whose limit was broken most while they are looked at, in their order on the page."""

    def broken(panel: Panel) -> int:
        return sum(axis.from_ms <= begin < axis.to_ms for begin, _ in panel.over.sure)

    judged = [panel for panel in panels if panel.limits] or list(panels)
    kept = sorted(judged, key=broken, reverse=True)[:MOST_PANELS]
    chosen = [panel for panel in panels if panel in kept]
    return tuple(
        replace(
            panel,
            key=f"{key}-{panel.key}",
            height=_HEIGHT,
            name_bands=False,
            moments=number_ == 1,
            utc=number_ == len(chosen),
        )
        for number_, panel in enumerate(chosen, 1)
    )


def _moments(raw: Json) -> tuple[Mark, ...]:
    called, proven = number(raw, "called_ms"), number(raw, "proven_ms")
    back, gone = number(raw, "revert_called_ms"), number(raw, "reverted_ms")
    found: list[Mark] = []
    if called is not None:
        said = "never proven on" if proven is None else f"proven on {words.duration(proven - called)} later"
        found.append(Mark(at_ms=round(called), text=f"injected, {said}", kind="moment"))
    if back is not None:
        done = "proven gone" if text(raw, "undo") == "proven" else "reported undone"
        said = "not proven gone" if gone is None else f"{done} {words.duration(gone - back)} later"
        found.append(Mark(at_ms=round(back), text=f"reverted, {said}", kind="moment"))
    return tuple(found)
