"""What the day cost: for each experiment its verdict's own sentence, and the requests that were bad, counted from its samples."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import GameDay
from gameday_reports import words
from gameday_reports.postmortem.agenda import experiments, outcome, summary_of, title_of
from gameday_reports.reading import number, part, parts, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """One run."""

    title: str
    verdict: str
    tone: str
    sentence: str
    bad: float
    total: float
    outage_ms: float
    worst: str
    """The objective that lost the most of its traffic, as so long a full outage would have cost it."""

    @property
    def numbers(self) -> str:
        """Say it in one line: ``120 of 5,320 requests failed (2.3%); to browse-fast it was 3 s of full outage``; empty without load."""
        if not self.total:
            return ""
        counted = f"{words.count(self.bad)} of {words.count(self.total)} requests failed ({words.percent(self.bad / self.total)})"
        if not self.outage_ms:
            return counted
        return f"{counted}; to {self.worst} it was as {words.duration(self.outage_ms)} of full outage"


def impacts(day: GameDay) -> tuple[Impact, ...]:
    """Return one for each run, in order."""
    found: list[Impact] = []
    for item, verdict, _ in experiments(day):
        said, tone = outcome(text(verdict, "verdict", 20))
        ends = parts(part(verdict, "load"), "by_endpoint")
        outages = [
            (number(part(raw, "budget"), "outage_ms") or 0, text(raw, "name", 80))
            for raw in parts(verdict, "objectives")
        ]
        outage_ms, worst = max(outages, key=lambda found: found[0], default=(0, ""))
        found.append(
            Impact(
                title=title_of(item, verdict),
                verdict=said if verdict else "Its folder could not be read",
                tone=tone if verdict else "fail",
                sentence=summary_of(verdict),
                bad=sum(number(end, "bad") or 0 for end in ends),
                total=sum(number(end, "n") or 0 for end in ends),
                outage_ms=outage_ms,
                worst=worst,
            )
        )
    return tuple(found)
