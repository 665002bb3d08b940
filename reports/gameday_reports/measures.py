"""Every number of a verdict that can be compared from run to run, with its name, unit and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gameday.model import Json, Run, Verdict
from gameday_reports.facts import facts_of
from gameday_reports.reading import bounded, number, part, parts, text

Labels: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of one family."""

    family: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """What the numbers of one name are; ``unit`` is the end of the name, as OpenMetrics asks."""

    help: str
    unit: str = ""

    def head(self, name: str) -> list[str]:
        """Return the lines before its samples."""
        unit = [f"# UNIT {name} {self.unit}"] if self.unit else []
        return [f"# TYPE {name} gauge", *unit, f"# HELP {name} {self.help}"]


FAMILIES: Mapping[str, Family] = {
    "gameday_run_verdict": Family("1 for the verdict of the run, 0 for the others."),
    "gameday_run_exit_code": Family("0 pass, 1 fail, 3 inconclusive, 4 aborted, 5 dirty."),
    "gameday_run_start_timestamp_seconds": Family("When the run began, since the epoch.", "seconds"),
    "gameday_run_duration_seconds": Family("From the first record to the last.", "seconds"),
    "gameday_run_left_faults": Family("Faults that may still be on.", "faults"),
    "gameday_run_findings": Family("Findings by severity.", "findings"),
    "gameday_run_detect_seconds": Family("Time to detect.", "seconds"),
    "gameday_run_mitigate_seconds": Family("Time to mitigate.", "seconds"),
    "gameday_run_recover_seconds": Family("Time to recover.", "seconds"),
    "gameday_objective_verdict": Family("1 for the verdict of the objective, 0 for the others."),
    "gameday_objective_requests": Family("Requests that a criterion counted in a phase.", "requests"),
    "gameday_objective_bad_requests": Family("Requests of them that did not keep it.", "requests"),
    "gameday_objective_allowed_ratio": Family("Share of bad requests that is allowed.", "ratio"),
    "gameday_objective_value": Family("What a gauge came to in a phase, in base units."),
    "gameday_objective_limit": Family("What is allowed of it, in base units."),
    "gameday_objective_coverage_ratio": Family("Share of the readings that were read.", "ratio"),
    "gameday_objective_recovery_seconds": Family("From the undo to the steady state; none when not reached.", "seconds"),
    "gameday_objective_bad_seconds": Family("Seconds over the budget since the fault began.", "seconds"),
    "gameday_objective_relapses": Family("How often it was broken again after its recovery.", "relapses"),
    "gameday_objective_budget_used_ratio": Family("Part of the error budget of the run that is used.", "ratio"),
    "gameday_objective_burn_rate": Family("Bad share over allowed share while the fault was on."),
    "gameday_objective_alert_fired_seconds": Family("From the first proof to the alert; none when it did not fire.", "seconds"),
    "gameday_objective_alert_resolved_seconds": Family("From the last undo to the end of the alert.", "seconds"),
    "gameday_fault_proven": Family("1 when the fault was proven to be on."),
    "gameday_fault_undone": Family("1 when it was proven to be gone."),
    "gameday_fault_replaced": Family("1 when all that it took away was replaced and ready before the run was over."),
    "gameday_fault_replacement_seconds": Family("From the proof of a loss until all of it was replaced.", "seconds"),
    "gameday_fault_held_seconds": Family("From the proof that it is on to the proof that it is gone.", "seconds"),
    "gameday_load_requests": Family("Requests offered, completed, capped.", "requests"),
    "gameday_load_healthy": Family("1 when the load generator kept up, so that its numbers count."),
    "gameday_load_late_ratio": Family("Share of the requests that left late.", "ratio"),
    "gameday_load_lag_p99_seconds": Family("Lag behind the schedule, 99th percentile.", "seconds"),
    "gameday_endpoint_requests": Family("Requests to an endpoint in the whole run.", "requests"),
    "gameday_endpoint_failed_requests": Family("Requests of them that failed.", "requests"),
    "gameday_endpoint_latency_seconds": Family("Latency by quantile, for charts.", "seconds"),
}  # fmt: skip
"""Name → what it is, in the order in which they are written."""
_JUDGED = ("pass", "inconclusive", "fail")
_TIMES = ("detect", "mitigate", "recover")


def measures(run: Run) -> Iterator[Measure]:
    """Yield every number that is known; raise ValueError for a run that was never judged."""
    facts = facts_of(run)
    verdict = facts.verdict
    for word in Verdict:
        yield Measure("gameday_run_verdict", {"verdict": word.word}, facts.word is word)
    yield from _known(
        {},
        gameday_run_exit_code=number(verdict, "exit_code"),
        gameday_run_start_timestamp_seconds=number(verdict, "started_wall"),
        gameday_run_duration_seconds=_seconds(verdict, "ended_ms"),
        gameday_run_left_faults=len(parts(verdict, "residue")),
    )
    for severity in ("high", "medium", "low", "info"):
        count = sum(text(raw, "severity") == severity for raw in parts(verdict, "findings"))
        yield Measure("gameday_run_findings", {"severity": severity}, count)
    times = part(verdict, "times")
    yield from _known({}, **{f"gameday_run_{name}_seconds": _seconds(part(times, name), "ms") for name in _TIMES})
    for raw in facts.objectives:
        yield from _objective(raw)
    for raw in facts.faults:
        yield from _fault(raw)
    yield from _load(part(verdict, "load"))


def _known(labels: Labels, **values: float | None) -> Iterator[Measure]:
    for family, value in values.items():
        if value is not None:
            yield Measure(family, labels, value)


def _seconds(raw: Json, key: str) -> float | None:
    ms = number(raw, key)
    return None if ms is None else ms / 1000


def _objective(raw: Json) -> Iterator[Measure]:
    name: Labels = {"objective": text(raw, "name")}
    for word in _JUDGED:
        yield Measure("gameday_objective_verdict", {**name, "verdict": word}, text(raw, "verdict") == word)
    for criterion in parts(raw, "criteria"):
        phases = part(criterion, "phases")
        for phase in phases:
            judged = part(phases, phase)
            asked = text(judged, "criterion") or text(criterion, "expect")
            yield from _phase({**name, "phase": bounded(phase), "criterion": asked}, judged)
    recovery, budget, alert = part(raw, "recovery"), part(raw, "budget"), part(raw, "alert")
    yield from _known(
        name,
        gameday_objective_recovery_seconds=number(recovery, "seconds"),
        gameday_objective_bad_seconds=number(recovery, "bad_seconds"),
        gameday_objective_relapses=number(recovery, "relapses"),
        gameday_objective_budget_used_ratio=number(budget, "used"),
        gameday_objective_burn_rate=number(budget, "burn_rate"),
        gameday_objective_alert_fired_seconds=_seconds(alert, "fired_ms"),
        gameday_objective_alert_resolved_seconds=_seconds(alert, "resolved_ms"),
    )


def _phase(labels: Labels, judged: Json) -> Iterator[Measure]:
    yield from _known(
        labels,
        gameday_objective_requests=number(judged, "n"),
        gameday_objective_bad_requests=number(judged, "k"),
        gameday_objective_allowed_ratio=number(judged, "budget"),
        gameday_objective_value=number(judged, "value"),
        gameday_objective_limit=number(judged, "limit"),
        gameday_objective_coverage_ratio=number(judged, "coverage"),
    )


def _fault(raw: Json) -> Iterator[Measure]:
    proven, reverted = number(raw, "proven_ms"), number(raw, "reverted_ms")
    held = None if proven is None or reverted is None else (reverted - proven) / 1000
    found = part(raw, "recovered")
    expected = bool(found) and text(found, "result") != "not-expected"
    yield from _known(
        {"fault": text(raw, "name"), "driver": text(raw, "driver")},
        gameday_fault_proven=text(raw, "proof") == "proven",
        gameday_fault_undone=text(raw, "undo") == "proven",
        gameday_fault_replaced=text(found, "result") == "recovered" if expected else None,
        gameday_fault_replacement_seconds=_seconds(found, "after_ms") if expected else None,
        gameday_fault_held_seconds=held,
    )


def _load(raw: Json) -> Iterator[Measure]:
    for word in ("offered", "completed", "capped"):
        yield from _known({"kind": word}, gameday_load_requests=number(raw, word))
    healthy = raw.get("healthy")
    yield from _known(
        {},
        gameday_load_healthy=healthy if isinstance(healthy, bool) else None,
        gameday_load_late_ratio=number(raw, "late_share"),
        gameday_load_lag_p99_seconds=_seconds(raw, "lag_p99_ms"),
    )
    for one in parts(raw, "by_endpoint"):
        name: Labels = {"endpoint": text(one, "name")}
        yield from _known(
            name,
            gameday_endpoint_requests=number(one, "n"),
            gameday_endpoint_failed_requests=number(one, "bad"),
        )
        for quantile in ("50", "95", "99"):
            labels = {**name, "quantile": f"0.{quantile}".rstrip("0")}
            yield from _known(labels, gameday_endpoint_latency_seconds=_seconds(one, f"p{quantile}_ms"))
