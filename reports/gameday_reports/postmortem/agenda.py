"""What was on the agenda and what came of it; what was blind is named only when the debrief has begun."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gameday.model import GameDay, Json
from gameday_reports import words
from gameday_reports.reading import PARAGRAPH, number, parts, text

DONE = ("done", "go", "pass", "met")
WORDS = {
    "": "Not begun",
    "aborted": "Aborted",
    "dirty": "DIRTY",
    "done": "Done",
    "fail": "Failed",
    "failed": "Failed",
    "go": "Go",
    "inconclusive": "Inconclusive",
    "interrupted": "Interrupted",
    "late": "Done late",
    "met": "Met",
    "no-go": "No-go",
    "not-met": "Not met",
    "pass": "Passed",
    "skipped": "Not done",
}
_TONES = {"fail": "fail", "failed": "fail", "dirty": "fail", "not-met": "fail", "": "none"}
KINDS = {
    "brief": "Brief",
    "experiment": "Experiment",
    "manual": "Step",
    "go_no_go": "Go or no-go",
    "debrief": "Debrief",
    "check": "Check",
}
HIDDEN = "a blind experiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that something was done: a link, or a file in the day's folder."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One prerequisite or item of the agenda."""

    number: str
    kind: str
    title: str
    outcome: str
    tone: str
    who: str
    when: str
    took: str
    why: str
    evidence: tuple[Evidence, ...]
    runs: tuple[Evidence, ...]


def revealed(day: GameDay) -> bool:
    """Whether what was blind may be told: the day is over, or its debrief has begun."""
    return day.closed or any(text(event.data, "kind", 20) == "debrief" for event in day.of_kind("item-started"))


def items(day: GameDay) -> tuple[Item, ...]:
    """Return the items of the agenda, in order."""
    return tuple(_item(day, raw, str(index)) for index, raw in enumerate(parts(_verdict(day), "items"), 1))


def prerequisites(day: GameDay) -> tuple[Item, ...]:
    """Return the prerequisites, in order."""
    return tuple(_item(day, raw, "") for raw in parts(_verdict(day), "prerequisites"))


def evidence(raw: Json) -> tuple[Evidence, ...]:
    """Return what was handed in; only web addresses and copies in the day's own folder become links."""
    return tuple(_evidence(one) for one in parts(raw, "evidence")[:20])


def outcome(word: str) -> tuple[str, str]:
    """Return an outcome in words, and its tone."""
    return WORDS.get(word, word), "pass" if word in DONE else _TONES.get(word, "warn")


def _verdict(day: GameDay) -> Json:
    return day.verdict or {}


def _evidence(raw: Json) -> Evidence:
    url, name = text(raw, "url", 2_000), text(raw, "file", 400)
    if url.startswith(("https://", "http://")):
        return Evidence(text=url if len(url) <= 100 else url[:99] + "…", href=url)  # noqa: PLR2004 - one line
    said = text(raw, "name", 200) or name or url
    safe = name.startswith("evidence/") and ".." not in name.split("/")
    return Evidence(text=said, href=quote(name) if safe else "")


def _item(day: GameDay, raw: Json, index: str) -> Item:
    began, ended = number(raw, "started_wall"), number(raw, "ended_wall")
    hidden = raw.get("blind") is True and not revealed(day)
    said, tone = outcome(text(raw, "outcome", 20))
    return Item(
        number=index,
        kind=KINDS.get(text(raw, "kind", 20), text(raw, "kind", 20)) + (", blind" if raw.get("blind") is True else ""),
        title=HIDDEN if hidden else text(raw, "title", PARAGRAPH),
        outcome=said,
        tone=tone,
        who=person(raw),
        when=words.utc(began, "%H:%M:%S") if began is not None else "",
        took=words.duration((ended - began) * 1000) if began is not None and ended is not None else "",
        why=text(raw, "why", PARAGRAPH),
        evidence=evidence(raw),
        runs=() if hidden else tuple(_run(one) for one in parts(raw, "runs")),
    )


def _run(raw: Json) -> Evidence:
    name = text(raw, "run", 300)
    said = f"{WORDS.get(text(raw, 'verdict', 20), text(raw, 'verdict', 20))}: {name.rpartition('/')[2]}"
    safe = name.startswith("runs/") and ".." not in name.split("/")
    return Evidence(text=said, href=quote(f"{name}/report.html") if safe else "")


def person(raw: Json) -> str:
    """Return who it was, with the role: ``ana@example.com (owner)``."""
    by, role = text(raw, "by", 120), text(raw, "role", 40)
    return f"{by} ({role})" if by and role else by or role


def run_of(day: GameDay, raw: Json) -> Json:
    """Return the verdict of a run that an item names; empty when its folder could not be read."""
    found = day.runs.get(text(raw, "run", 300))
    return {} if found is None or found.verdict is None else found.verdict


def experiments(day: GameDay) -> tuple[tuple[Json, Json, str], ...]:
    """Return (item, verdict of the run, path of the run) of every run that may be told, in order."""
    told = revealed(day)
    return tuple(
        (raw, run_of(day, run), text(run, "run", 300))
        for raw in (*parts(_verdict(day), "prerequisites"), *parts(_verdict(day), "items"))
        if told or raw.get("blind") is not True
        for run in parts(raw, "runs")
    )


def faults_of(verdict: Json) -> str:
    """Name the faults of a run that were injected."""
    return ", ".join(
        text(fault, "name", 80) for fault in parts(verdict, "faults") if fault.get("called_ms") is not None
    )


def first_injected(verdict: Json) -> float | None:
    """Return when the first fault was proven on, in seconds since the epoch."""
    began = number(verdict, "started_wall")
    proven = [found for fault in parts(verdict, "faults") if (found := number(fault, "proven_ms")) is not None]
    return began + min(proven) / 1000 if began is not None and proven else None


def summary_of(verdict: Json) -> str:
    """Return the sentence of a run's verdict."""
    return text(verdict, "summary", PARAGRAPH)


def title_of(item: Json, verdict: Json) -> str:
    """Return the title of an experiment, as its own file says it or as the agenda does, with its number there."""
    title, index = text(verdict, "title") or text(item, "title"), number(item, "index")
    return title if index is None or "blind" not in item else f"{title} (item {index + 1:.0f})"
