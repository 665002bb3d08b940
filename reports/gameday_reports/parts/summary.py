"""The first screen: verdict, one sentence, counts, safety, four figures; and for a dirty run what to do now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gameday.model import Verdict
from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.parts.harm import generator, harm
from gameday_reports.parts.tiles import Tile, tiles
from gameday_reports.proofs import NOT_GONE, UNDOS, touched, undo_of
from gameday_reports.reading import PARAGRAPH, bounded, parts, text, texts

SYMBOLS = {Verdict.PASS: "✓", Verdict.INCONCLUSIVE: "?", Verdict.FAIL: "✕", Verdict.ABORTED: "■", Verdict.DIRTY: "!"}
TONES = {
    Verdict.PASS: "pass",
    Verdict.INCONCLUSIVE: "warn",
    Verdict.FAIL: "fail",
    Verdict.ABORTED: "warn",
    Verdict.DIRTY: "fail",
}
_MOST = 6


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
    harm: str
    generator: tuple[str, str]
    """(sentence, tone)"""
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
        harm=harm(facts),
        generator=generator(facts),
        why=_why(facts),
        safety=safety,
        safety_tone=tone,
        warnings=_warnings(facts),
        tiles=tiles(facts),
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
