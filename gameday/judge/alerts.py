"""An alert as an objective: time to detect, and to be quiet again after the fault, from the looks at it and its source's record.

Detected is the first evaluation that fires after the first proven injection; one that fires before "inject called" proves nothing.
"It did not fire" counts only where looks cover the time in question: for ``within`` from the proof to the deadline, for ``never``
from "inject called" to the end of the run, with something that the rule could look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.judge.alertevidence import COVERAGE, Stretch, Witness
from gameday.judge.result import FAIL, PASS, Result, unsure, worst
from gameday.judge.windows import Windows
from gameday.model import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSpec:
    """What an objective asks of an alert."""

    name: str
    source: str
    within_ms: int | None
    """How soon it must fire after the proven injection; None where it must never fire."""
    resolves_ms: int | None = None
    """How soon it must be quiet after the last revert; None where that is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """When things happened in a run, and what stands for every alert of it."""

    windows: Windows
    end_ms: int
    """The end of the run's phases."""
    stopped: Result | None = None
    doubt: Result | None = None
    """What keeps silence from being evidence: the load that should have made it fire was not healthy."""
    cut_short: bool = False

    @property
    def called_ms(self) -> int | None:
        """The first "inject called", or the proof where that is not known."""
        first = self.windows.onset or self.windows.fault
        return None if first is None else first.from_ms

    @property
    def proven_ms(self) -> int | None:
        """The first proven injection."""
        return None if self.windows.fault is None else self.windows.fault.from_ms

    @property
    def reverted_ms(self) -> int | None:
        """From when it must become quiet: the later of the last revert and the last irreversible deed."""
        return None if self.windows.recovery is None else self.windows.recovery.from_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResult:
    """One alert, judged."""

    result: Result
    fires: Result
    resolves: Result | None
    """None where it was not asked, or nothing fired that could end."""
    fired_ms: int | None
    """After the proven injection."""
    resolved_ms: int | None
    """After the last revert; 0 where it was quiet before."""
    before: bool

    def to_json(self, spec: AlertSpec, resolution_ms: int, error: str) -> dict[str, Any]:
        """As verdict.json has it."""
        return {
            "name": spec.name,
            "source": spec.source,
            "fires": "never" if spec.within_ms is None else "within",
            "within_ms": spec.within_ms,
            "resolves_within_ms": spec.resolves_ms,
            "fired_ms": self.fired_ms,
            "resolved_ms": self.resolved_ms,
            "before": self.before,
            "resolution_ms": resolution_ms,
            "error": error or None,
            "result": self.result.verdict.word,
            "reason": str(self.result.reason),
        }


def judge_alert(spec: AlertSpec, witness: Witness, rule: Witness | None, scene: Scene) -> AlertResult:
    """Judge one alert.

    ``rule`` is what says that its rule was there and evaluated: the same witness, or a Prometheus beside an Alertmanager, which
    cannot tell a silent alert from one that nobody sends. Without one, silence is no data.
    """
    before = _before(witness, scene)
    first = _first(witness, scene)
    fired = None if first is None or scene.proven_ms is None else max(0, first.from_ms - scene.proven_ms)
    asked = _never(witness, rule, scene) if spec.within_ms is None else _within(spec, fired, witness, rule, scene)
    fires = _lacking_before(witness, scene) or asked if asked == PASS else asked
    if before:
        fires = unsure(Reason.ALERT_BEFORE)
    resolved = None if first is None else _resolved(witness, scene)
    resolves = None
    if spec.resolves_ms is not None and fired is not None:
        resolves = _resolves(spec.resolves_ms, resolved, witness, scene)
    merged = worst([fires] if resolves is None or before else [fires, resolves])
    return AlertResult(
        result=scene.stopped or merged,
        fires=scene.stopped or fires,
        resolves=resolves,
        fired_ms=None if before else fired,
        resolved_ms=None if before else resolved,
        before=before,
    )


def judge_alert_baseline(witness: Witness, rule: Witness | None, from_ms: int, to_ms: int) -> Result:
    """Judge whether an alert was silent before the fault, and somebody looked."""
    if _fired(witness, rule, from_ms, to_ms):
        return unsure(Reason.ALERT_BEFORE)
    lack = witness.lacking(from_ms, to_ms) or (rule.lacking(from_ms, to_ms) if rule else None)
    return PASS if lack is None else unsure(lack)


def _fired(witness: Witness, rule: Witness | None, from_ms: int, to_ms: int) -> bool:
    firing = (*witness.firing, *(rule.firing if rule else ()))
    return any(stretch.meets(from_ms, to_ms) for stretch in firing)


def _silence(witness: Witness, rule: Witness | None, from_ms: int, to_ms: int) -> Result | None:
    """Return what keeps "it did not fire" from being known; None when it is."""
    lack = witness.lacking(from_ms, to_ms) or (rule.lacking(from_ms, to_ms) if rule else Reason.NO_DATA)
    return None if lack is None else unsure(lack)


def _before(witness: Witness, scene: Scene) -> bool:
    """Whether it fired in the baseline, or between that and the fault."""
    baseline, called = scene.windows.baseline, scene.called_ms
    if baseline is None:
        return False
    return any(stretch.meets(baseline.from_ms, called or baseline.to_ms) for stretch in witness.firing)


def _first(witness: Witness, scene: Scene) -> Stretch | None:
    """Return the first time at which it fires with the fault proven; one that began in the onset and lasts counts from the proof."""
    proven = scene.proven_ms
    if proven is None:
        return None
    return next((s for s in witness.firing if s.from_ms >= proven or s.meets(proven, scene.end_ms)), None)


def _within(spec: AlertSpec, fired: int | None, witness: Witness, rule: Witness | None, scene: Scene) -> Result:
    within, fault = spec.within_ms or 0, scene.windows.fault
    if fault is None:
        return unsure(Reason.FAULT_UNPROVEN)
    if fired is not None and fired <= within:
        return PASS
    deadline = fault.from_ms + within
    unknown = _silence(witness, rule, fault.from_ms, min(deadline, scene.end_ms))
    if unknown is not None:
        return unknown
    if deadline > fault.to_ms:
        return unsure(Reason.TOO_SHORT)
    if fired is None and _never_fed(rule, scene):
        return unsure(Reason.NO_DATA)
    return scene.doubt or FAIL


def _never_fed(rule: Witness | None, scene: Scene) -> bool:
    """Whether the rule had nothing to look at in the whole run: what it would have done is not known."""
    baseline = scene.windows.baseline
    return rule is None or rule.fed(0 if baseline is None else baseline.from_ms, scene.end_ms) == 0


def _never(witness: Witness, rule: Witness | None, scene: Scene) -> Result:
    called = scene.called_ms
    if called is None:
        return unsure(Reason.FAULT_UNPROVEN)
    if _fired(witness, rule, called, scene.end_ms):
        return FAIL
    if scene.cut_short:
        return unsure(Reason.TOO_SHORT)
    unknown = _silence(witness, rule, called, scene.end_ms)
    if unknown is not None:
        return unknown
    fed = rule.fed(called, scene.end_ms) if rule else None
    if fed is None or fed < COVERAGE:
        return unsure(Reason.NO_DATA)
    return scene.doubt or PASS


def _lacking_before(witness: Witness, scene: Scene) -> Result | None:
    """Return what keeps a good result from being one: nobody knows that it was silent before the fault."""
    baseline = scene.windows.baseline
    lack = Reason.NO_DATA if baseline is None else witness.lacking(baseline.from_ms, scene.called_ms or baseline.to_ms)
    return None if lack is None else unsure(lack)


def _resolved(witness: Witness, scene: Scene) -> int | None:
    """Return when it was quiet for good, after the last revert; None when it still fires, or that is not known."""
    proven, reverted = scene.proven_ms, scene.reverted_ms
    if proven is None or reverted is None:
        return None
    ends = [stretch.to_ms for stretch in witness.firing if stretch.to_ms is None or stretch.to_ms > proven]
    known = [end for end in ends if end is not None]
    return None if len(known) < len(ends) else max(0, max(known) - reverted)


def _resolves(within: int, resolved: int | None, witness: Witness, scene: Scene) -> Result:
    reverted = scene.reverted_ms
    if reverted is None:
        return unsure(Reason.TOO_SHORT)
    if resolved is not None and resolved > within:
        return FAIL
    deadline = reverted + within
    lack = witness.lacking(reverted, min(deadline if resolved is None else scene.end_ms, scene.end_ms))
    if lack is not None:
        return unsure(lack)
    if resolved is not None:
        return PASS
    return unsure(Reason.TOO_SHORT) if deadline > scene.end_ms else FAIL
