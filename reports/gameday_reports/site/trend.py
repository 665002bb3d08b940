"""The verdicts of one hypothesis over its runs, as a small picture: what held points up, what did not points down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gameday.model import Json
from gameday_reports import words
from gameday_reports.charts.svg import Svg, element, joined
from gameday_reports.reading import number, parts, text

RUNS = 24
"""The newest runs that are drawn."""
_STEP, _BAR, _HEIGHT, _MIDDLE = 6.0, 4.5, 34.0, 20.0
_LOWEST = 4.0
_INK = {
    "pass": ("tr-pass", "#2b7a3d"),
    "fail": ("tr-fail", "#b42318"),
    "dirty": ("tr-fail", "#b42318"),
    "aborted": ("tr-warn", "#8a5300"),
}


def draw_trend(runs: Sequence[Json]) -> Svg:
    """Draw the newest runs, oldest left: up and as tall as its margin for a pass, down for a fail, hollow for what proves nothing."""
    shown = list(runs)[-RUNS:]
    width = max(6, len(shown)) * _STEP
    bars = [_bar(run, index * _STEP) for index, run in enumerate(shown)]
    line = element("line", class_="grid", stroke="#e3e8ee", x1=0, x2=width, y1=_MIDDLE, y2=_MIDDLE)
    said = in_words(shown)
    return element(
        "svg", element("title", said), joined(line, *bars), class_="trend", role="img", aria_label=said,
        viewBox=f"0 0 {width:g} {_HEIGHT:g}", width=width, height=_HEIGHT,
    )  # fmt: skip


def in_words(runs: Sequence[Json]) -> str:
    """Say the same for who does not see it: ``12 runs: 10 pass, 2 fail; the latest 3: pass, fail, pass``."""
    counts = Counter(text(run, "verdict") or "unknown" for run in runs)
    each = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    last = ", ".join(text(run, "verdict") or "unknown" for run in runs[-3:])
    return f"{words.plural(len(runs), 'run')}: {each}" + (f"; the latest three: {last}" if len(runs) > 3 else "")  # noqa: PLR2004 - as it says


def _bar(run: Json, x: float) -> Svg:
    verdict = text(run, "verdict")
    if verdict not in _INK:
        return element(
            "rect",
            class_="tr-none",
            fill="none",
            stroke="#566372",
            x=x + 0.5,
            y=_MIDDLE - 2,
            width=_BAR - 1,
            height=4.0,
        )
    name, colour = _INK[verdict]
    if verdict == "pass":
        tall = _LOWEST + (_MIDDLE - _LOWEST - 1) * _margin(run)
        return element("rect", class_=name, fill=colour, x=x, y=_MIDDLE - tall, width=_BAR, height=tall)
    tall = {"aborted": 5.0, "fail": 9.0, "dirty": 13.0}[verdict]
    return element("rect", class_=name, fill=colour, x=x, y=_MIDDLE, width=_BAR, height=tall)


def _margin(run: Json) -> float:
    """Return the smallest margin of a run, 0 to 1."""
    known = [margin for raw in parts(run, "objectives") if (margin := number(raw, "margin")) is not None]
    return min(1.0, max(0.0, min(known, default=0.0)))
