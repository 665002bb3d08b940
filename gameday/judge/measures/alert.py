"""Objectives on alerts: that one fires in time after the injection and is quiet again after the revert, or never fires."""

from __future__ import annotations

from collections.abc import Sequence

from gameday.judge.alertevidence import Witness, looks_of
from gameday.judge.alerts import AlertSpec, Scene, judge_alert, judge_alert_baseline
from gameday.judge.measures.shape import Context, Gated, Judged
from gameday.judge.result import PASS, unsure
from gameday.judge.windows import Window, phase_edges
from gameday.model import Reason, Run
from gameday.schema.alerts import AlertSources, alert_sources
from gameday.schema.experiment import Experiment, Objective


class AlertMeasure:
    """The alerts of one run."""

    def __init__(self, run: Run, experiment: Experiment) -> None:
        self._run, self._experiment = run, experiment
        edges = phase_edges(run)
        self._end_ms = edges.get("end", max((event.at_ms for event in run.events), default=0))

    def gate(self, objective: Objective, window: Window | None) -> Sequence[Gated]:
        """Judge whether the alert was silent in the baseline, and somebody looked."""
        asked = self._asked(objective)
        if asked is None:
            return []
        if window is None:
            return [Gated(opens=False, result=unsure(Reason.NO_DATA), row={"n": 0, "k": 0, "alert": objective.alert})]
        name, sources = asked
        witness, rule = self._witnesses(name, sources)
        result = judge_alert_baseline(witness, rule, window.from_ms, window.to_ms)
        looks = [
            look for look in looks_of(self._run, name, sources.source) if window.from_ms <= look.at_ms < window.to_ms
        ]
        firing = sum(look.state == "firing" for look in looks)
        row = {"n": sum(not look.error for look in looks), "k": firing, "alert": objective.alert}
        return [
            Gated(opens=result == PASS, result=result, row={**row, "error": witness.error} if result != PASS else row)
        ]

    def judge(self, objective: Objective, context: Context) -> Judged:
        """Judge the alert over the phases of the run."""
        asked = self._asked(objective)
        if asked is None or objective.alert is None or objective.fires is None:
            return Judged()
        name, sources = asked
        witness, rule = self._witnesses(name, sources)
        spec = AlertSpec(
            name=objective.alert,
            source=sources.source,
            within_ms=objective.fires.within_ms,
            resolves_ms=objective.resolves,
        )
        scene = Scene(
            windows=context.windows,
            end_ms=self._end_ms,
            stopped=context.stopped,
            doubt=context.unhealthy or context.doubt,
            cut_short=context.cut_short,
        )
        found = judge_alert(spec, witness, rule, scene)
        error = witness.error or (rule.error if rule else "")
        return Judged(results=[found.result], members={"alert": found.to_json(spec, witness.resolution_ms, error)})

    def _asked(self, objective: Objective) -> tuple[str, AlertSources] | None:
        """Return the name of an objective on an alert, and where its alert is looked at."""
        if objective.alert is None:
            return None
        name = next(name for name, other in self._experiment.objectives.items() if other is objective)
        sources = alert_sources(objective, self._experiment.sources)
        return None if sources is None else (name, sources)

    def _witnesses(self, name: str, sources: AlertSources) -> tuple[Witness, Witness | None]:
        """Return who says when it fires, and who says that its rule was evaluated: often the same."""
        said = next((one for one in reversed(self._run.testimonies) if one.name == name and one.of != "sli"), None)
        if sources.rules == sources.source:
            witness = Witness(looks_of(self._run, name, sources.source), said)
            return witness, witness
        rule = Witness(looks_of(self._run, name, sources.rules), said) if sources.rules else None
        return Witness(looks_of(self._run, name, sources.source)), rule
