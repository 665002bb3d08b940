"""The first screen: verdict, one sentence, counts, safety, four figures; and for a dirty run what to do now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gameday.model import Json, Verdict
from gameday_reports import words
from gameday_reports.criteria import read_limit
from gameday_reports.facts import Facts
from gameday_reports.faults import UNDOS, injected, touched, undo_of
from gameday_reports.gauges import gauge_criteria, read_gauge_limit
from gameday_reports.objectives import budget_note
from gameday_reports.reading import PARAGRAPH, bounded, number, part, parts, text, texts
from gameday_reports.series import failed_between

SYMBOLS = {Verdict.PASS: "✓", Verdict.INCONCLUSIVE: "?", Verdict.FAIL: "✕", Verdict.ABORTED: "■", Verdict.DIRTY: "!"}
TONES = {
    Verdict.PASS: "pass",
    Verdict.INCONCLUSIVE: "warn",
    Verdict.FAIL: "fail",
    Verdict.ABORTED: "warn",
    Verdict.DIRTY: "fail",
}
NOT_GONE = ("unproven", "failed", "pending")
_RECOVERED = {"pass": "none", "fail": "fail"}
_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    name: str
    value: str
    note: str
    tone: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """A fault that may still be on, and the command that undoes it."""

    fault: str
    targets: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryView:
    """What a manager reads."""

    headline: str
    symbol: str
    tone: str
    sentence: str
    counts: str
    why: tuple[str, ...]
    safety: tuple[str, ...]
    safety_tone: str
    warnings: tuple[str, ...]
    tiles: tuple[Tile, ...]
    residue: tuple[Residue, ...]


def summary_view(facts: Facts) -> SummaryView:
    """Summarise a run."""
    safety, tone = _safety(facts)
    headline = words.VERDICTS[facts.word]
    return SummaryView(
        headline=headline,
        symbol=SYMBOLS[facts.word],
        tone=TONES[facts.word],
        sentence=text(facts.verdict, "summary", PARAGRAPH) or f"{headline}.",
        counts=_counts(facts),
        why=_why(facts),
        safety=safety,
        safety_tone=tone,
        warnings=_warnings(facts),
        tiles=(_budget(facts), _recovery(facts), _harm(facts), _generator(facts)),
        residue=_residue(facts),
    )


def _counts(facts: Facts) -> str:
    results = Counter(text(raw, "verdict") for raw in facts.objectives)
    kept, broken = results["pass"], results["fail"]
    judged, rest = kept + broken, len(facts.objectives) - kept - broken
    told = texts(facts.verdict, "reasons")
    reasons = sorted(
        {text(raw, "reason") for raw in facts.objectives if text(raw, "verdict") not in ("pass", "fail")} - {"", *told}
    )
    because = f" ({'; '.join(words.reason(word) for word in reasons)})" if reasons else ""
    aside = f", {rest} not judged{because}" if rest else ""
    if not judged:
        return f"None of {words.plural(len(facts.objectives), 'objective')} judged{because}"
    if broken:
        return f"{broken} of {words.plural(judged, 'judged objective')} broken{aside}"
    every = "the objective" if judged == 1 else f"all {judged} objectives"
    return (
        f"{every[0].upper()}{every[1:]} kept{aside}"
        if not rest
        else f"{kept} of {len(facts.objectives)} objectives kept{aside}"
    )


def _why(facts: Facts) -> tuple[str, ...]:
    words_ = dict.fromkeys(texts(facts.verdict, "reasons"))
    said = [f"Why: {words.reason(word)}" for word in words_ if word not in ("proven", "broken")]
    broken = texts(facts.verdict, "objectives_broken")
    if broken and facts.word is not Verdict.FAIL:
        said.append(f"Also proven broken: {', '.join(broken[:_MOST])}")
    return tuple(said)


def _safety(facts: Facts) -> tuple[tuple[str, ...], str]:
    there = [fault for fault in facts.faults if touched(fault)]
    if not there:
        return ("No fault was injected; there is nothing to undo.",), "none"
    states = Counter(undo_of(fault) for fault in there)
    said: list[str] = []
    if states["proven"]:
        said.append(f"{states['proven']} of {words.plural(len(there), 'injected fault')} reverted and proven gone")
    if states["reported"]:
        said.append(f"{words.plural(states['reported'], 'fault')} reported undone, without a check")
    if states["not-needed"]:
        said.append(f"{words.plural(states['not-needed'], 'fault')} cannot be reverted, as planned")
    bad = [fault for fault in there if undo_of(fault) in NOT_GONE or undo_of(fault) not in UNDOS]
    said += [
        f"{text(fault, 'name', 80)}: {UNDOS.get(undo_of(fault), ('undo not known', ''))[0]}" for fault in bad[:_MOST]
    ]
    tone = "fail" if bad or facts.word is Verdict.DIRTY else "warn" if states["reported"] else "pass"
    return tuple(said), tone


def _warnings(facts: Facts) -> tuple[str, ...]:
    said: list[str] = []
    if not facts.run.closed:
        said.append("The journal has no closing record: the runner ended before the run was over.")
    if facts.run.torn:
        said.append("The journal's last line was torn and is not counted.")
    if facts.run.load.rows and not facts.run.load.said_bye:
        said.append("The load's stream broke off; its last seconds may be missing.")
    return tuple(said)


def _budget(facts: Facts) -> Tile:
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


def _recovery(facts: Facts) -> Tile:
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


def _harm(facts: Facts) -> Tile:
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


def _generator(facts: Facts) -> Tile:
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


def _residue(facts: Facts) -> tuple[Residue, ...]:
    listed = parts(facts.verdict, "residue")
    if facts.word is not Verdict.DIRTY and not listed:
        return ()
    command = f"gameday recover {bounded(facts.run.name, 120)}"
    found = [
        Residue(
            fault=text(raw, "fault"), targets=texts(raw, "targets")[:20], command=text(raw, "command", 600) or command
        )
        for raw in listed
    ]
    return tuple(found) or (Residue(fault="any fault of this run", targets=(), command=command),)
