"""The page for who decides: which hypotheses are proven, how it goes with them, and what is left of the error budgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.charts.svg import Svg, element, joined
from gameday_reports.reading import number, part, parts, text, texts
from gameday_reports.site.hypotheses import STATES, Hypothesis, State, standing
from gameday_reports.site.openfindings import Open, overdue
from gameday_reports.site.trend import draw_trend
from gameday_reports.site.wording import STATE_SIGNS, STATE_TONES, RunView, ago, run_view, state_word

_INK = {"pass": "#2b7a3d", "fail": "#b42318", "warn": "#8a5300"}
_BAR_WIDTH = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    name: str
    value: str
    note: str
    tone: str = "none"
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One hypothesis and its latest verdict."""

    anchor: str
    name: str
    about: str
    """Its hypothesis in a sentence, if the file has one."""
    who: str
    """Owner and tags."""
    state: str
    sign: str
    tone: str
    trend: Svg
    margin: str
    margin_note: str
    margin_tone: str
    budget: str
    budget_tone: str
    recovery: str
    recovery_tone: str
    latest: RunView
    ago: str
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executive:
    """The whole page."""

    headline: str
    rest: str
    tone: str
    bar: Svg
    tiles: tuple[Tile, ...]
    rows: tuple[MatrixRow, ...]


def executive(found: Sequence[Hypothesis], opened: Sequence[Open], *, now: float, stale_days: int) -> Executive:
    """Describe the page."""
    headline, _, rest = standing(found).partition("; ")
    states = {one.state for one in found}
    worst: State | None = next((state for state in STATES if state in states), None)
    return Executive(
        headline=headline if found else "Nothing has been run yet",
        rest=rest,
        tone="none" if worst is None else STATE_TONES[worst],
        bar=_bar(found),
        tiles=_tiles(found, opened, now, stale_days),
        rows=tuple(_row(one, now) for one in found),
    )


def _tiles(found: Sequence[Hypothesis], opened: Sequence[Open], now: float, stale_days: int) -> tuple[Tile, ...]:
    high = sum(text(one.finding, "severity") == "high" for one in opened)
    late = len(overdue(opened, now))
    stale = sum(one.state == "stale" for one in found)
    used = [(used, one) for one in found if (used := one.budget_used) is not None]
    share, worst = max(used, key=lambda pair: pair[0], default=(None, None))
    return (
        Tile(
            name="Open findings", value=f"{len(opened):,}", note=f"{high:,} of high severity", tone="fail" if high else "none",
            link="oncall.html#findings",
        ),
        Tile(
            name="Overdue actions", value=f"{late:,}", note="by findings.yaml", tone="fail" if late else "none",
            link="oncall.html#overdue",
        ),
        Tile(
            name="Stale", value=f"{stale:,}", note=f"passed, but not within {words.plural(stale_days, 'day')}",
            tone="warn" if stale else "none",
        ),
        Tile(
            name="Least error budget left", value=_left(share) if used else "not counted",
            note=worst.name if worst else "no objective has a budget", tone="fail" if share is not None and share > 1 else "none",
        ),
    )  # fmt: skip


def _row(one: Hypothesis, now: float) -> MatrixRow:
    tightest, latest = one.tightest, one.latest
    margin, n = number(tightest, "margin"), number(tightest, "n")
    recovery, recovery_tone = _recovery(latest)
    used = one.budget_used
    return MatrixRow(
        anchor=one.anchor,
        name=one.name,
        about=text(latest, "hypothesis"),
        who=" · ".join(item for item in (text(latest, "owner", 120), *texts(latest, "tags")) if item),
        state=state_word(one),
        sign=STATE_SIGNS[one.state],
        tone=STATE_TONES[one.state],
        trend=draw_trend(one.runs),
        margin="not measured" if margin is None else _margin(margin),
        margin_tone="fail" if margin is not None and margin < 0 else "none",
        margin_note=""
        if margin is None
        else f"{text(tightest, 'name')}: {text(tightest, 'criterion')}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{words.count(n)}",
        budget="not counted" if used is None else _left(used),
        budget_tone="fail" if used is not None and used > 1 else "none",
        recovery=recovery,
        recovery_tone=recovery_tone,
        latest=run_view(latest, one.name),
        ago=ago(number(latest, "started_wall"), now),
        runs=len(one.runs),
    )


def _recovery(latest: Json) -> tuple[str, str]:
    """Return how the slowest objective came back, and its tone; one that should have and did not is slower than any."""
    judged = [part(raw, "recovery") for raw in parts(latest, "objectives")]
    known = [raw for raw in judged if number(raw, "seconds") is not None or text(raw, "result") == "fail"]
    if not known:
        return "", "none"
    slowest = max(known, key=lambda raw: float("inf") if (s := number(raw, "seconds")) is None else s)
    seconds, within = number(slowest, "seconds"), number(slowest, "within_ms")
    tone = "fail" if any(text(raw, "result") == "fail" for raw in known) else "none"
    said = "did not recover" if seconds is None else "recovered at once"
    if seconds:
        allowed = f", {words.duration(within)} allowed" if within and within > 0 else ""
        said = f"recovered after {words.duration(seconds * 1000)}{allowed}"
    return said, tone


def _margin(margin: float) -> str:
    if margin >= 0:
        return f"{words.percent(margin)} left"
    times = 1 - margin
    return f"{words.percent(-margin)} over it" if times < 2 else f"{times:,.3g}{words.TIMES} its limit"  # noqa: PLR2004 - twice


def _left(used: float | None) -> str:
    """Write what is left of a budget; one that is overspent by how many times it was used."""
    if used is None:
        return words.UNKNOWN
    return words.percent(1 - used) if used <= 1 else f"overspent {used:,.3g}{words.TIMES}"


def _bar(found: Sequence[Hypothesis]) -> Svg:
    """Draw how many hypotheses are in each state, side by side; the line of text above it says the same."""
    counts = Counter(one.state for one in found)
    pieces: list[Svg] = []
    x = 0.0
    for state in reversed(STATES):
        width = _BAR_WIDTH * counts[state] / len(found) if found else 0.0
        if width:
            tone = STATE_TONES[state]
            faint = 0.45 if state == "stale" else 1
            pieces.append(
                element(
                    "rect", element("title", f"{counts[state]} {state}"), class_=f"tr-{tone}", fill=_INK[tone], fill_opacity=faint,
                    x=x, y=0, width=max(1.0, width - 2), height=12,
                )
            )  # fmt: skip
        x += width
    return element(
        "svg", joined(*pieces), class_="states", viewBox=f"0 0 {_BAR_WIDTH:g} 12", preserveAspectRatio="none", aria_hidden="true",
        focusable="false",
    )  # fmt: skip
