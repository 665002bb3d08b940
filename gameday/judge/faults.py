"""What the journal proves of each fault: that it was there, for as long as it should, and that it is gone.

A fault passes only on positive evidence: proven on, measured on again just before its revert, and its revert proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameday.judge.chaostoolkit import judge_activities
from gameday.judge.replaced import Replaced, judge_replaced
from gameday.judge.result import PASS, Result, unsure
from gameday.judge.traces import Trace
from gameday.model import Reason, Run, Verdict
from gameday.schema.experiment import FaultSpec

RESIDUE = Result(Verdict.DIRTY, Reason.RESIDUE)
SKIPPED = unsure(Reason.SKIPPED)
WHY = {
    "never": "it was injected, but never measured as active",
    "gone-early": "it was gone before it was reverted",
    "not-held": "it was not measured as on just before its revert",
    "no-traffic": "no traffic met it",
    "rounds": "not every round of it was done",
    "no-check": "it has no check that could prove it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """One fault, judged."""

    trace: Trace
    result: Result
    detail: str
    proof: str
    undo: str
    judged: bool = True
    """False for a fault that this run never came to."""
    replaced: Replaced | None = None
    """What became of what it took away; None where nothing is said of that."""

    @property
    def residue(self) -> bool:
        """Whether it may still be there."""
        return self.result.verdict is Verdict.DIRTY

    def to_json(self, command: str) -> dict[str, Any]:
        """As verdict.json has it; ``command`` is what undoes a residue."""
        trace, spec = self.trace, self.trace.spec
        met, reverted = trace.last("met"), trace.last("reverted")
        by = reverted.data.get("by") if reverted else None
        return {
            "name": spec.name,
            "driver": spec.do,
            "targets": trace.targets,
            "planned_targets": trace.planned_targets,
            "reversible": trace.reversible,
            "planned_ms": {"at": spec.at, "for": spec.length},
            "armed_ms": trace.first_ms("armed"),
            "called_ms": trace.first_ms("inject-called"),
            "proven_ms": trace.proven_ms,
            "revert_called_ms": trace.first_ms("revert-called"),
            "reverted_ms": reverted.at_ms if reverted else None,
            "proof": self.proof,
            "undo": self.undo,
            "by": None if by is None else str(by),
            "met": met.data.get("count") if met else None,
            "verdict": self.result.verdict.word,
            "reason": str(self.result.reason),
            "detail": self.detail,
            "residue": command if self.residue else None,
            **({} if self.replaced is None else {"recovered": self.replaced.to_json()}),
        }


def judge_faults(run: Run, specs: Sequence[FaultSpec], *, cut_short: bool) -> list[FaultResult]:
    """Judge each fault of the file; ``cut_short`` says that the run ended before it came to all of them."""
    results: list[FaultResult] = []
    for spec in specs:
        trace = Trace(spec=spec, events=tuple(event for event in run.events if event.data.get("fault") == spec.name))
        results.append(_judge(trace, cut_short=cut_short))
    return results


def _judge(trace: Trace, *, cut_short: bool) -> FaultResult:
    undo = _undo(trace)
    result, detail, judged = _result(trace, undo, cut_short=cut_short)
    replaced = judge_replaced(trace)
    if replaced is not None and result == PASS:
        result = unsure(Reason.NOT_RECOVERED) if replaced.missing else PASS
        detail = f"{detail}; {replaced.detail}"
    return FaultResult(
        trace=trace, result=result, detail=detail, proof=_proof(trace), undo=undo, judged=judged, replaced=replaced
    )


def _proof(trace: Trace) -> str:
    if not trace.provable:
        return "no-check"
    return "proven" if trace.proven_ms is not None and _doubt(trace) is None else "unproven"


def _undo(trace: Trace) -> str:
    """Follow the records of the undo.

    Only a proof ends the doubt that a failed revert or a fault still on has left; of a fault without a check, a later
    attempt that reports success does: it is inconclusive in any case.
    """
    state, doubt = ("not-needed" if not trace.reversible or not trace.of("armed") else "pending"), False
    for event in trace.of("revert-failed", "still-active", "reverted"):
        proven = event.data.get("proven")
        if event.kind != "reverted" or proven not in (True, None):
            state, doubt = "failed", True
        elif proven is True:
            state, doubt = "proven", False
        elif trace.reversible and not (doubt and trace.provable):
            state, doubt = ("unproven" if trace.provable else "reported"), False
    return state


_Judgement = tuple[Result, str, bool]


def _result(trace: Trace, undo: str, *, cut_short: bool) -> _Judgement:
    """Ask in the order of seriousness: still there, failed, never run, not proven, not proven undone."""
    return (
        _left(trace, undo)
        or _failed(trace)
        or _without_target(trace)
        or _missing(trace, cut_short=cut_short)
        or _played(trace)
        or _unproven(trace, undo)
        or _undone(trace, undo)
    )


def _played(trace: Trace) -> _Judgement | None:
    """Judge what a whole experiment of another tool did."""
    found = judge_activities(trace)
    return (*found, True) if found else None


def _left(trace: Trace, undo: str) -> _Judgement | None:
    if undo == "pending":
        return RESIDUE, "it was armed, and nothing shows that it was ever undone", True
    return (RESIDUE, _residue(trace), True) if undo == "failed" else None


def _failed(trace: Trace) -> _Judgement | None:
    failed = trace.of("action-failed")
    if not failed:
        return None
    action, error = failed[0].data.get("action", "action"), failed[0].data.get("error", "no reason given")
    return unsure(Reason.ACTION_FAILED), f"{action} failed: {error}", True


def _without_target(trace: Trace) -> _Judgement | None:
    """Judge a fault that was skipped because it found nothing to touch, as the file allows: at best inconclusive."""
    skipped = trace.of("skipped")
    if not skipped:
        return None
    return SKIPPED, f"it was skipped: {skipped[0].data.get('why') or 'no target'}", True


def _missing(trace: Trace, *, cut_short: bool) -> _Judgement | None:
    """Judge a fault that was never in force: not at all if the run never came to it."""
    if trace.of("injected", "unproven") or trace.proven_ms is not None:
        return None
    if cut_short:
        return SKIPPED, "it was not in force: the run ended before", False
    return (
        None if trace.of("armed") else (unsure(Reason.ACTION_FAILED), "it should have been injected, and was not", True)
    )


def _unproven(trace: Trace, undo: str) -> _Judgement | None:
    doubt = _doubt(trace)
    if doubt is None:
        return None
    ending = "; its undo is reported, not proven" if undo == "reported" else ""
    return unsure(Reason.FAULT_UNPROVEN), WHY[doubt] + ending, True


def _residue(trace: Trace) -> str:
    event = trace.last("still-active", "revert-failed")
    said = str(event.data.get("error") or "") if event else ""
    still = event is not None and event.kind == "still-active"
    return ("it was reverted, and is still measured as on" if still else "its revert failed") + (
        f": {said}" if said else ""
    )


def _doubt(trace: Trace) -> str | None:
    """Say why it is not proven that the fault was there for as long as it should; None when it is."""
    said = trace.last("unproven")
    if said is not None:
        why = str(said.data.get("why"))
        return why if why in WHY else "never"
    if not trace.provable:
        return "no-check"
    if trace.proven_ms is None:
        return "never"
    met = trace.last("met")
    if met is not None and met.data.get("count") == 0:
        return "no-traffic"
    return _lapse(trace) if trace.reversible else None


def _lapse(trace: Trace) -> str | None:
    """Say whether a measurement since the first proof missed it, or the one just before the revert is missing."""
    since = [event for event in trace.of("active") if event.at_ms >= (trace.proven_ms or 0)]
    later = [event for event in since if event.data.get("when") in ("hold", "before-revert")]
    if any(event.data.get("active") is not True for event in later):
        return "gone-early"
    if trace.of("ended"):
        return None
    return None if later and later[-1].data.get("when") == "before-revert" else "not-held"


def _undone(trace: Trace, undo: str) -> _Judgement:
    reverted = trace.last("reverted")
    raised = [e for e in trace.of("reverted", "revert-failed") if e.data.get("error") or e.kind == "revert-failed"]
    if raised:
        error = raised[0].data.get("error", "no reason given")
        return unsure(Reason.ACTION_FAILED), f"its revert raised, but it is measured as gone: {error}", True
    if not trace.reversible:
        if trace.of("observed"):
            return PASS, "it was proven done; there is nothing to revert", True
        return unsure(Reason.TOO_SHORT), "it was proven done, but its effect was not observed to the end", True
    if undo == "proven" and reverted is not None:
        return PASS, "it was proven on, and proven gone", True
    return unsure(Reason.FAULT_UNPROVEN), "its undo is reported, not proven", True
