"""What a Chaos Toolkit experiment told, judged by our rules: its hypothesis is an objective, its activities are the fault.

Chaos Toolkit ends green when an action or a rollback has failed, when a continuous hypothesis was violated and is good again at the end,
when there is no hypothesis, and when nothing was done at all. None of these passes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.traces import Trace
from gameday.model import Json, Reason

HYPOTHESIS = "steady-state-hypothesis"
"""What its hypothesis is called among the objectives that are broken."""
Judgement = tuple[Result, str]


@dataclass(frozen=True, slots=True)
class Played:
    """One Chaos Toolkit experiment of a run, as it was told."""

    trace: Trace

    @property
    def told(self) -> list[Json]:
        """Return everything that it told, in order."""
        return [event.data for event in self.trace.of("told")]

    def of(self, *what: str) -> list[Json]:
        """Return what it told of these kinds."""
        return [data for data in self.told if data.get("what") in what]

    @property
    def activities(self) -> list[Json]:
        """Return what it did: method and rollbacks."""
        return self.of("activity")

    @property
    def before(self) -> bool | None:
        """Whether its hypothesis was met before the method; None when nobody looked."""
        return next((bool(data.get("met")) for data in self.of("hypothesis") if data.get("when") == "before"), None)

    @property
    def after(self) -> bool | None:
        """Whether it was met after the method; None when nobody looked."""
        return next((bool(data.get("met")) for data in self.of("hypothesis") if data.get("when") == "after"), None)

    @property
    def violated(self) -> int:
        """How often it was not met while the method was on."""
        return sum(data.get("when") == "during" and not data.get("met") for data in self.of("hypothesis"))

    @property
    def ended(self) -> Json:
        """What it said at its end; empty when it never came to it."""
        found = self.of("ended")
        return found[0] if found else {}


def judge_activities(trace: Trace) -> Judgement | None:
    """Say what is wrong with what it did; None when all of it was done, and something was."""
    played = Played(trace)
    if not played.told:
        return None
    if played.before is False:
        return unsure(Reason.BASELINE), "its steady state was not met before its method, which was not begun"
    for section, word in (("method", "activity"), ("rollbacks", "rollback")):
        if failed := [data for data in played.activities if data.get("section") == section and _failed(data)]:
            names = ", ".join(f"{word} {data.get('name')} {data.get('status')}" for data in failed)
            error = str(failed[0].get("error") or "")
            return unsure(Reason.ACTION_FAILED), names + (f": {error}" if error else "")
    if played.of("method-over", "ended") and played.ended.get("status") not in (None, "completed", "failed"):
        return unsure(Reason.ACTION_FAILED), f"it ended as {played.ended.get('status')}"
    return _nothing_done(played)


def _nothing_done(played: Played) -> Judgement | None:
    """Say that nothing was put to the test, where that is so."""
    method = [data for data in played.activities if data.get("section") == "method"]
    if any(data.get("dry") for data in method):
        return unsure(Reason.SKIPPED), "it has activities that are dry: they were not carried out"
    if played.of("ended") and not any(data.get("type") == "action" for data in method):
        return unsure(Reason.SKIPPED), "its method has no action: nothing was put to the test"
    return None


def _failed(activity: Json) -> bool:
    return activity.get("status") != "succeeded"


def judge_hypothesis(played: Played, *, needed: bool, cut_short: bool) -> Judgement | None:
    """Judge its hypothesis; ``needed`` says that there is no other objective. None where there is nothing to say.

    A violation is a fail however it was at the end. A pass takes that it was met before, and after or during.
    """
    if played.after is False:
        return FAIL, f"it was not met after the method: {_unmet(played, 'after')}"
    if played.violated:
        return FAIL, f"it was not met {_times(played.violated)} while the method was on: {_unmet(played, 'during')}"
    if cut_short or played.before is False:
        return None
    if not played.of("hypothesis") and not played.ended.get("iterations"):
        return (unsure(Reason.NO_DATA), "it has no hypothesis, and the run no other objective") if needed else None
    return _missing(played) or (PASS, "it was met before the method and after it")


def _missing(played: Played) -> Judgement | None:
    """Say which look at the hypothesis is missing: missing evidence is never a pass."""
    if broken := played.of("watch-failed"):
        return unsure(Reason.QUERY_ERROR), f"a probe could not be judged: {broken[0].get('error')}"
    if played.before is None:
        return unsure(Reason.BASELINE), "nobody looked whether it was met before the method"
    if played.after is None and not played.ended.get("iterations"):
        return unsure(Reason.NO_DATA), "nobody looked whether it was met during the method or after it"
    return None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _unmet(played: Played, when: str) -> str:
    """Name the first probe that was not within its tolerance, and what it said."""
    state = next(data for data in played.of("hypothesis") if data.get("when") == when and not data.get("met"))
    probes: list[Json] = state.get("probes") or []
    probe: Json = next((one for one in probes if not one.get("met")), {"name": "a probe"})
    said = probe.get("error") or f"it returned {probe.get('output')}"
    return f"{probe.get('name')}: {said}"


def describe(played: Played, hypothesis: Judgement | None) -> dict[str, Any]:
    """Return it as verdict.json has it."""
    result, detail = hypothesis or (None, "")
    ended = played.ended
    return {
        "fault": played.trace.spec.name,
        "status": str(ended["status"]) if ended else None,
        "deviated": bool(ended.get("deviated")) if ended else None,
        "hypothesis": {
            "verdict": result.verdict.word if result else None,
            "reason": str(result.reason) if result else None,
            "detail": detail,
            "before": played.before,
            "after": played.after,
            "iterations": int(ended.get("iterations") or 0),
            "violations": max(played.violated, int(ended.get("violations") or 0)),
        },
        "activities": [_row(data) for data in played.activities],
    }


def _row(data: Json) -> dict[str, Any]:
    return {
        "section": str(data.get("section")),
        "type": str(data.get("type")),
        "name": str(data.get("name")),
        "status": str(data.get("status")),
        "seconds": float(data.get("seconds") or 0.0),
        "ended_ms": round(float(data.get("told_ms") or 0.0)),
        "error": str(data.get("error") or ""),
    }


def played_in(traces: Sequence[Trace]) -> Iterator[Played]:
    """Yield the experiments that were begun."""
    for trace in traces:
        if trace.of("told"):
            yield Played(trace)
