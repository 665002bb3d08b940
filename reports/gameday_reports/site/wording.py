"""What several pages of a site say in the same words: a run, its report, its age, its state."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gameday.model import Json
from gameday_reports import words
from gameday_reports.reading import number, text
from gameday_reports.site.hypotheses import DAY, Hypothesis, State

STATE_TONES: dict[State, str] = {
    "dirty": "fail", "failing": "fail", "aborted": "warn", "inconclusive": "warn", "stale": "warn", "proven": "pass",
}  # fmt: skip
STATE_SIGNS: dict[State, str] = {
    "dirty": "!!", "failing": "\N{MULTIPLICATION X}", "aborted": "\N{BLACK SQUARE}", "inconclusive": "?", "stale": "!",
    "proven": "\N{CHECK MARK}",
}  # fmt: skip
VERDICT_WORDS = {
    "pass": "Passed", "fail": "Failed", "dirty": "DIRTY", "aborted": "Aborted", "inconclusive": "Inconclusive",
}  # fmt: skip
VERDICT_TONES = {"pass": "pass", "fail": "fail", "dirty": "fail", "aborted": "warn", "inconclusive": "warn"}
SEVERITY_TONES = {"high": "fail", "medium": "warn", "low": "none", "info": "pass"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run in a list."""

    name: str
    title: str
    verdict: str
    tone: str
    when: str
    day: str
    """For ``datetime=``; empty when the time is not known."""
    length: str
    link: str
    """The address of its report in the site; empty when it has none."""
    version: str
    digest: str
    summary: str


def run_view(record: Json, name: str = "") -> RunView:
    """Describe one run; ``name`` is what its hypothesis is called."""
    verdict, started, ended = text(record, "verdict", 20), number(record, "started_wall"), number(record, "ended_ms")
    return RunView(
        name=text(record, "run", 200),
        title=name or text(record, "title"),
        verdict=VERDICT_WORDS.get(verdict, verdict or "unknown"),
        tone=VERDICT_TONES.get(verdict, "none"),
        when=words.utc(started, "%Y-%m-%d %H:%M"),
        day=words.utc(started, "%Y-%m-%dT%H:%M:%SZ") if words.moment(started) is not None else "",
        length="" if ended is None else words.duration(ended),
        link=link_to(record),
        version=text(record, "version", 40),
        digest=text(record, "digest", 12),
        summary=text(record, "summary"),
    )


def link_to(record: Json, anchor: str = "") -> str:
    """Return the address of a run's report, relative to the pages; empty when it has none."""
    path = text(record, "report", 400)
    return quote(path) + (f"#{quote(anchor)}" if anchor else "") if path else ""


def ago(started: float | None, now: float) -> str:
    """Write an age in whole days: ``today``, ``3 days ago``; empty when it is not known."""
    if started is None:
        return ""
    days = int(max(0.0, now - started) // DAY)
    return f"{words.plural(days, 'day')} ago" if days else "today"


def state_word(hypothesis: Hypothesis) -> str:
    """Write a state as a heading has it: ``Proven``, ``DIRTY``."""
    return "DIRTY" if hypothesis.state == "dirty" else hypothesis.state.capitalize()
