"""A run folder in, verdict.json out: the same folder gives the same verdict, whoever judges it and when.

The verdict is the most serious of how the run ended, of every objective and of every fault. Nothing passes for want of
evidence: that takes a whole journal, a passed gate, a healthy generator, every fault proven, every objective proven.
"""

from __future__ import annotations

from typing import Any

from gameday.judge.chaostoolkit import HYPOTHESIS, describe, judge_hypothesis, played_in
from gameday.judge.endings import Ending, find_ending
from gameday.judge.faults import SKIPPED, FaultResult, judge_faults
from gameday.judge.findings import find_all
from gameday.judge.health import Health, check_run, check_windows
from gameday.judge.loadview import describe_load
from gameday.judge.measures import Context, measures_of
from gameday.judge.objectives import ObjectiveResult, broken, judge_objective
from gameday.judge.result import FAIL, Result, reasons, unsure, worst
from gameday.judge.silences import silences_left
from gameday.judge.summary import summarise
from gameday.judge.times import measure_times
from gameday.judge.windows import Windows, find_windows, phase_edges
from gameday.model import Json, Reason, Run, Verdict
from gameday.schema.experiment import Experiment
from gameday.schema.silence import SILENCE

SCHEMA = "gameday/verdict/1"


def judge(run: Run) -> dict[str, Any]:
    """Return the verdict document of docs/run-folder.md."""
    experiment = Experiment.model_validate(run.experiment)
    ending, windows = find_ending(run), find_windows(run)
    health = _health(run, experiment, windows, ending)
    faults = judge_faults(run, experiment.faults, cut_short=ending.abort is not None or ending.stopped is not None)
    objectives = _objectives(run, experiment, (windows, ending, health), _skipped(faults))
    played = [
        (one, judge_hypothesis(one, needed=not experiment.objectives, cut_short=ending.abort is not None))
        for one in played_in([fault.trace for fault in faults])
    ]
    results = [
        *ending.results,
        *(hypothesis[0] for _, hypothesis in played if hypothesis),
        *(part for objective in objectives for part in objective.parts),
        *(fault.result for fault in faults if fault.judged),
        *(Result(Verdict.DIRTY, Reason.RESIDUE) for _ in silences_left(run)),
    ]
    verdict = worst(results).verdict
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run.name,
        "title": experiment.title,
        "verdict": verdict.word,
        "exit_code": verdict.exit_code,
        "reasons": reasons(results),
        "aborted_by": ending.abort["reason"] if ending.abort else None,
        "abort": ending.abort,
        "stopped": _stopped(ending),
        "objectives_broken": [
            *broken(objectives),
            *(HYPOTHESIS for _, hypothesis in played if hypothesis and hypothesis[0] == FAIL),
        ],
        "objectives": [objective.json for objective in objectives],
        "times": measure_times([objective.json for objective in objectives], windows),
        "faults": [fault.to_json(f"gameday recover {run.name}") for fault in faults],
        "phases": _phases(run),
        "windows": [{"name": w.name, "from_ms": w.from_ms, "to_ms": w.to_ms} for w in windows.present()],
        "load": describe_load(run, experiment.load, health) if experiment.load else None,
        **_identity(run),
        "residue": _residue(run, faults),
    }
    if played:
        document["chaostoolkit"] = [describe(one, hypothesis) for one, hypothesis in played]
    document["findings"] = find_all(document)
    document["summary"] = summarise(document)
    return document


def _health(run: Run, experiment: Experiment, windows: Windows, ending: Ending) -> Health:
    """Check what is judged: the fault and recovery phases, or the baseline of a run that stopped there."""
    if experiment.load is None:
        return Health(problems=())
    if ending.stopped is None:
        return check_run(run, windows.judged(), experiment.load)
    return check_windows(run, (windows.baseline,) if windows.baseline else (), experiment.load)


def _skipped(faults: list[FaultResult]) -> Result | None:
    """Return what stands for every objective of a run in which no fault found its target: there was nothing to withstand."""
    every = bool(faults) and all(fault.result == SKIPPED for fault in faults)
    return SKIPPED if every else None


def _objectives(
    run: Run, experiment: Experiment, found: tuple[Windows, Ending, Health], skipped: Result | None
) -> list[ObjectiveResult]:
    windows, ending, health = found
    context = Context(
        experiment=experiment,
        windows=windows,
        stopped=ending.stopped or skipped,
        unhealthy=unsure(Reason.LOAD_GENERATOR) if health.problems else None,
        doubt=unsure(Reason.LOAD_GENERATOR) if health.gaps else None,
        cut_short=ending.cut_short,
    )
    lines: Json = run.plan.get("lines") or {}
    measures = measures_of(run, experiment)
    return [
        judge_objective(name, objective, measures, context, lines.get(f"objectives.{name}"))
        for name, objective in experiment.objectives.items()
    ]


def _stopped(ending: Ending) -> dict[str, Any] | None:
    if ending.stopped is None:
        return None
    return {"reason": str(ending.stopped.reason), "detail": ending.detail}


def _phases(run: Run) -> list[dict[str, Any]]:
    """List the phases that the run came to; one that never ended lasts to the last record."""
    edges = sorted(phase_edges(run).items(), key=lambda edge: edge[1])
    last = max((event.at_ms for event in run.events), default=0)
    ends = [*(at for _, at in edges), last][1:]
    return [
        {"name": name, "from_ms": at, "to_ms": max(at, end)}
        for (name, at), end in zip(edges, ends, strict=False)
        if name != "end"
    ]


def _identity(run: Run) -> dict[str, Any]:
    """Say which run this was, when and of what; every time comes from the journal."""
    first = run.events[0] if run.events else None
    opened: Json = first.data if first else {}
    return {
        "started_wall": first.wall if first else None,
        "ended_ms": run.events[-1].at_ms if run.events else 0,
        "boot_id": str(opened.get("boot_id") or ""),
        "seed": opened.get("seed", run.plan.get("seed")),
        "digest": str(opened.get("digest") or run.plan.get("digest") or ""),
        "journal_head": run.head,
        "closed": run.closed,
    }


def _residue(run: Run, faults: list[FaultResult]) -> list[dict[str, Any]]:
    return [
        {"fault": fault.trace.spec.name, "targets": fault.trace.targets, "command": f"gameday recover {run.name}"}
        for fault in faults
        if fault.residue
    ] + [
        {"fault": SILENCE, "targets": targets, "command": f"gameday recover {run.name}"}
        for targets in silences_left(run)
    ]
