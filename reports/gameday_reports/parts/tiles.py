"""The four figures of the first screen."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.criteria import read_limit
from gameday_reports.facts import Facts
from gameday_reports.gauges import gauge_criteria, read_gauge_limit
from gameday_reports.parts.objectives import budget_note
from gameday_reports.proofs import injected
from gameday_reports.reading import number, part, parts, text, texts
from gameday_reports.series import failed_between

_RECOVERED = {"pass": "none", "fail": "fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    name: str
    value: str
    note: str
    tone: str = "none"


def budget_tile(facts: Facts) -> Tile:
    """Say how much of its error budget the worst objective used."""
    name = "Error budget used, worst objective"
    used = [
        (share, index)
        for index, raw in enumerate(facts.objectives)
        if (share := number(part(raw, "budget"), "used")) is not None
    ]
    if not used:
        return Tile(name=name, value="not counted", note="no objective was measured")
    share, index = max(used, key=lambda pair: (pair[0], -pair[1]))
    worst = facts.objectives[index]
    note = f"{text(worst, 'name', 60)}: {budget_note(part(worst, 'budget'))}"
    return Tile(name=name, value=words.budget(share), note=note, tone="fail" if share > 1 else "none")


def recovery_tile(facts: Facts) -> Tile:
    """Say how long the slowest objective took to come back."""
    name = "Time to recover, slowest objective"
    judged = [
        (raw, part(raw, "recovery")) for raw in facts.objectives if number(part(raw, "recovery"), "from_ms") is not None
    ]
    if not judged:
        return Tile(name=name, value="not judged", note="the run did not reach its recovery")
    slowest, recovery = max(judged, key=lambda pair: _seconds(pair[1]))
    within, seconds = number(recovery, "within_ms"), number(recovery, "seconds")
    limit = "" if within is None or within <= 0 else f" · limit {words.duration(within)}"
    value = "not reached" if seconds is None else "at once" if not seconds else words.duration(seconds * 1000)
    return Tile(
        name=name,
        value=value,
        note=f"{text(slowest, 'name', 60)}{limit}",
        tone=_RECOVERED.get(text(recovery, "result"), "warn"),
    )


def _seconds(recovery: Json) -> float:
    seconds = number(recovery, "seconds")
    return float("inf") if seconds is None else seconds


def harm_tile(facts: Facts) -> Tile:
    """Say what users felt: the worst objective's bad requests, failed or too slow, and how many failed outright."""
    name = "Bad requests while the fault was on, worst objective"
    span, before = facts.window("fault"), facts.window("baseline")
    if span is None:
        note = "never proven on" if any(map(injected, facts.faults)) else "nothing was injected"
        return Tile(name=name, value="no fault phase", note=note)
    if not facts.has_load:
        return _gauges(facts)
    failed, total = failed_between(facts.run.load.rows, span)
    if not total:
        return Tile(name=name, value="no data", note="no request fell wholly into the fault phase", tone="warn")
    outright = f"failed outright: {failed:,} of {total:,}"
    if before is not None:
        failed_before, total_before = failed_between(facts.run.load.rows, before)
        outright += f", before: {words.percent(failed_before / total_before)}" if total_before else ""
    shares = _bad_while_on(facts)
    if not shares:
        return Tile(name=name, value=words.percent(failed / total), note=outright)
    share, counted, tone = max(shares, key=lambda found: found[0])
    return Tile(name=name, value=words.percent(share), note=f"{counted} · {outright}", tone=tone)


def _gauges(facts: Facts) -> Tile:
    """Say what a system with its own traffic came to: the gauge that broke its limit, or else the first."""
    read = [(raw, part(part(criterion, "phases"), "fault")) for raw, criterion in gauge_criteria(facts.objectives)]
    if not read:
        return Tile(name="While the fault was on", value="no data", note="no gauge was read", tone="warn")
    raw, phase = min(read, key=lambda found: text(found[1], "result") != "fail")
    limit = read_gauge_limit(text(phase, "criterion"))
    value = words.UNKNOWN if limit is None else limit.shown(number(phase, "value"))
    asked = "" if limit is None else f" · allowed {limit.allowed}"
    return Tile(
        name="Gauge while the fault was on" if len(read) == 1 else "Worst gauge while the fault was on",
        value=value,
        note=f"{text(raw, 'name', 60)}: {text(phase, 'criterion', 60) if limit is None else limit.metric}{asked}",
        tone="fail" if text(phase, "result") == "fail" else "none",
    )


def _bad_while_on(facts: Facts) -> list[tuple[float, str, str]]:
    """Return (share, in words, tone) of each criterion on errors or latency in the fault phase."""
    found: list[tuple[float, str, str]] = []
    for raw in facts.objectives:
        for phase in (part(part(criterion, "phases"), "fault") for criterion in parts(raw, "criteria")):
            limit, n, k = read_limit(text(phase, "criterion")), number(phase, "n"), number(phase, "k")
            if limit is not None and limit.kind in ("errors", "slow") and n and k is not None:
                said = f"{text(raw, 'name', 60)}: {words.count(k)} of {words.count(n)}"
                found.append((k / n, said, "fail" if text(phase, "result") == "fail" else "none"))
    return found


def generator_tile(facts: Facts) -> Tile:
    """Say whether the generator kept its schedule."""
    name, load = "Load generator", part(facts.verdict, "load")
    if not facts.has_load:
        return Tile(name=name, value="none", note="the system has its own traffic; its gauges are judged")
    healthy = load.get("healthy")
    if not isinstance(healthy, bool):
        return Tile(name=name, value="no data", note="the load never ran", tone="warn")
    offered, rate = number(load, "offered"), number(load, "rate")
    note = f"{words.count(offered)} offered at {words.rate(rate)} · lag p99 {words.latency(number(load, 'lag_p99_ms'))}"
    problems = texts(load, "problems")
    if healthy:
        return Tile(name=name, value="healthy", note=note)
    return Tile(name=name, value="not healthy", note="; ".join(problems[:2]) or note, tone="fail")


def tiles(facts: Facts) -> tuple[Tile, ...]:
    """Return the four figures, in the order a reader asks for them."""
    return (budget_tile(facts), recovery_tile(facts), harm_tile(facts), generator_tile(facts))
