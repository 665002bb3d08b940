"""Faults and guards: what was touched, when it was proven on and proven gone, and what would have stopped the run."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json, Reason
from gameday_reports import words
from gameday_reports.facts import Facts, letter
from gameday_reports.parts.cells import TONES
from gameday_reports.proofs import PROOFS, UNDOS, injected, replaced_of, undo_of
from gameday_reports.reading import bounded, number, part, text, texts

MOST_DETAILS = 40
"""Faults with details of their own; of hundreds, those that failed come first."""
_TARGETS = 20
_EARLY_MS = 1_000
"""A fault that ends this much before its plan was ended by something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One moment of a fault's life."""

    what: str
    clock: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """One fault."""

    anchor: str
    label: str
    name: str
    driver: str
    verdict: str
    tone: str
    targets: tuple[str, ...]
    on: str
    """``1:13.351 to 2:13.371``, in time of the run."""
    planned: str
    held: str
    proof: str
    proof_tone: str
    undo: str
    undo_tone: str
    replaced: str
    """What became of what it took away; empty where nothing is said of it."""
    replaced_tone: str
    met: str
    story: str
    steps: tuple[Step, ...]
    residue: str


def fault_views(facts: Facts) -> tuple[tuple[FaultView, ...], tuple[FaultView, ...]]:
    """Describe all faults in the order of the file: those with details, and of hundreds the rest, none of which needs a look."""
    views = [_fault(facts, raw, index) for index, raw in enumerate(facts.faults, 1)]
    doubtful = [view for view in views if "fail" in (view.tone, view.proof_tone, view.undo_tone, view.replaced_tone)]
    kept = {view.anchor for view in [*doubtful, *views][:MOST_DETAILS]}
    return tuple(v for v in views if v.anchor in kept), tuple(v for v in views if v.anchor not in kept)


def _fault(facts: Facts, raw: Json, index: int) -> FaultView:
    word, targets = text(raw, "verdict"), texts(raw, "targets")
    more = (f"and {len(targets) - _TARGETS:,} more",) if len(targets) > _TARGETS else ()
    proof, proof_tone = PROOFS.get(text(raw, "proof"), (text(raw, "proof"), "warn"))
    undo, undo_tone = UNDOS.get(undo_of(raw), (undo_of(raw), "fail"))
    met = number(raw, "met")
    _, replaced_tone, replaced = replaced_of(raw)
    if not injected(raw):
        proof, proof_tone = "never injected", "none"
    return FaultView(
        anchor=f"fault-{index}",
        label=letter(index),
        name=text(raw, "name"),
        driver=text(raw, "driver"),
        verdict=words.RESULTS.get(word, word)
        if word not in ("pass", "fail")
        else {"pass": "Proven", "fail": "Failed"}[word],
        tone=TONES.get(word, "warn"),
        targets=(*targets[:_TARGETS], *more),
        on=_on(raw),
        planned=_planned(raw),
        held=_held(raw),
        proof=proof,
        proof_tone=proof_tone,
        undo=undo if raw.get("reversible", True) else f"irreversible: {undo}",
        undo_tone=undo_tone,
        replaced=replaced[:1].upper() + replaced[1:],
        replaced_tone=replaced_tone,
        met="" if met is None else f"{words.count(met)} connections or requests met it",
        story=_story(raw),
        steps=_steps(facts, raw),
        residue=bounded(part(raw, "residue") or raw.get("residue") or "", 600),
    )


def _story(raw: Json) -> str:
    said, why = text(raw, "detail", 600), words.reason(text(raw, "reason"))
    sentence = said if said and text(raw, "reason") == Reason.PROVEN else f"{why}: {said}" if said else why
    return sentence[:1].upper() + sentence[1:]


def _planned(raw: Json) -> str:
    planned = part(raw, "planned_ms")
    at, length = number(planned, "at"), number(planned, "for")
    length = number(planned, "observe") if length is None else length
    begin = "not known" if at is None else f"{words.duration(at)} after time zero" if at else "at time zero"
    return begin if length is None else f"{begin}, for {words.duration(length)}"


def _on(raw: Json) -> str:
    called, gone = number(raw, "called_ms"), number(raw, "reverted_ms")
    if called is None:
        return "never"
    return f"{words.clock(called, precise=True)} to {'not known' if gone is None else words.clock(gone, precise=True)}"


def _held(raw: Json) -> str:
    proven, reverted, planned = (
        number(raw, "proven_ms"),
        number(raw, "reverted_ms"),
        number(part(raw, "planned_ms"), "for"),
    )
    if proven is None or reverted is None:
        return ""
    held = reverted - proven
    early = planned is not None and held < planned - _EARLY_MS
    return words.duration(held) + (
        f" of {words.duration(planned)} planned: it was ended early" if early else " from proof to proof"
    )


def _steps(facts: Facts, raw: Json) -> tuple[Step, ...]:
    by = text(raw, "by")
    called, back = number(raw, "called_ms"), number(raw, "revert_called_ms")
    undone = "Proven gone" if text(raw, "undo") == "proven" else "Revert reported done"
    moments = (
        ("Armed, plan on disk", number(raw, "armed_ms"), ""),
        ("Inject called", called, _after_zero(facts, called)),
        ("Proven on", number(raw, "proven_ms"), _since(called, number(raw, "proven_ms"), "the call")),
        ("Revert called", back, f"by the {by}" if by else ""),
        (undone, number(raw, "reverted_ms"), _since(back, number(raw, "reverted_ms"), "the call")),
        *_replaced(raw),
    )
    return tuple(
        Step(what=what, clock="never" if ms is None else words.clock(ms, precise=True), note=note)
        for what, ms, note in moments
    )


def _replaced(raw: Json) -> tuple[tuple[str, float | None, str], ...]:
    found = part(raw, "recovered")
    if not found or text(found, "result") == "not-expected":
        return ()
    after = number(found, "after_ms")
    note = "" if after is None else f"{words.duration(after)} after the loss was proven"
    return (("All replaced and ready", number(found, "at_ms"), note),)


def _since(begin: float | None, end: float | None, what: str) -> str:
    return "" if begin is None or end is None else f"{words.duration(end - begin)} after {what}"


def _after_zero(facts: Facts, called: float | None) -> str:
    zero = [event.at_ms for event in facts.run.of_kind("phase") if event.data.get("name") == "fault"]
    if called is None or not zero:
        return ""
    return f"{words.duration(called - zero[0])} after time zero" if called >= zero[0] else ""
