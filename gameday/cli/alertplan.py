"""What ``gameday plan`` says of alerts: whether each could fire in time at all, from its rule as its source has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isinf
from typing import Any

from gameday.judge.firing import Chance, Wait, chance_to_fire
from gameday.model import Reason
from gameday.runner.alerts import Post, posts
from gameday.schema.experiment import Experiment
from gameday.schema.quantities import format_duration, format_percent
from gameday.spi import GamedayError, ProbeError, QueryError, World
from gameday.spi.alert import AlertRule, KnowsRules

_SHOWN = 300


def plan_alerts(experiment: Experiment, world: World) -> list[dict[str, Any]]:
    """Return a row for each objective on an alert: its rule, how soon that fires, and what that means; its source is asked."""
    rows: list[dict[str, Any]] = []
    for name, objective in experiment.objectives.items():
        if objective.alert is None:
            continue
        try:
            post = _evaluator(experiment, name)
            rules = _rules(post, world) if post is not None else ()
        except GamedayError as error:
            rows.append(_row(experiment, name, error=error))
        else:
            rows.append(_row(experiment, name, rules=tuple(rules)))
    return rows


def refusals(rows: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Yield why a run with these alerts could not prove what it asks for."""
    for row in rows:
        if row["outlook"] == "cannot":
            yield {"reason": str(Reason.TOO_SHORT), "detail": f"{row['objective']}: {row['said']}"}
        elif row["outlook"] == "no-rule":
            yield {"reason": str(Reason.QUERY_ERROR), "detail": f"{row['objective']}: {row['said']}"}


def _evaluator(experiment: Experiment, objective: str) -> Post | None:
    """Return the post at which an alert's rule is known; None beside an Alertmanager alone."""
    known = (post for post in posts(experiment) if post.objective == objective and isinstance(post.watch, KnowsRules))
    return next(known, None)


def _rules(post: Post, world: World) -> tuple[AlertRule, ...]:
    watch = post.watch
    found = watch.rules(replace(world, source_name=post.source)) if isinstance(watch, KnowsRules) else ()
    return tuple(found)


def _row(
    experiment: Experiment, name: str, *, rules: tuple[AlertRule, ...] = (), error: GamedayError | None = None
) -> dict[str, Any]:
    objective = experiment.objectives[name]
    within = objective.fires.within_ms if objective.fires else None
    chance = chance_to_fire(rules, share=expected_share(experiment), held_ms=_held_ms(experiment))
    outlook, said = _outlook(str(objective.alert), chance, within, experiment.fault_ms, error)
    return {
        "objective": name,
        "alert": objective.alert,
        "within_ms": within,
        "fault_ms": experiment.fault_ms,
        "rules": [
            {
                "expression": rule.expression[:_SHOWN],
                "for_ms": round(1000 * rule.wait),
                "interval_ms": round(1000 * rule.interval),
                "scrape_ms": round(1000 * rule.scrape),
            }
            for rule in rules
        ],
        "share": chance.share if chance else None,
        "soonest_ms": _whole(chance.soonest) if chance else None,
        "usual_ms": _whole(chance.usual) if chance else None,
        "outlook": outlook,
        "said": said,
    }


def expected_share(experiment: Experiment) -> float:
    """Return which share of requests the file expects to fail while the fault is on: the most that an objective allows, or all."""
    allowed = [
        criterion.budget
        for objective in experiment.objectives.values()
        for criterion in objective.during or ()
        if criterion.kind == "errors"
    ]
    return max(allowed, default=0.0) or 1.0


def _held_ms(experiment: Experiment) -> float:
    """Return for how long, at the highest rate, the load that precedes the fault would have been on."""
    load, before = experiment.load, experiment.fault_window_ms[0]
    if load is None or not load.open_model or load.peak_rate <= 0:
        return float(before)
    return 1000 * load.offered(0, before) / load.peak_rate


def _outlook(
    alert: str, chance: Chance | None, within: int | None, fault_ms: int, error: GamedayError | None
) -> tuple[str, str]:
    """Return a word for machines and a sentence for people."""
    if error is not None:
        known = isinstance(error, QueryError)
        why = f"{error}" + ("" if isinstance(error, ProbeError) or not error.hint else f"; {error.hint}")
        return ("no-rule", why) if known else ("unknown", f"its rule could not be read: {why}")
    if chance is None:
        return (
            "unknown",
            "an Alertmanager does not know its rule; declare the Prometheus that does to learn whether it can fire",
        )
    wait = _wait(chance)
    if within is None:
        late = chance.usual.total_ms > fault_ms
        return (
            ("silent", f"{wait}: its silence proves little, with faults of {format_duration(fault_ms)}")
            if late
            else ("can", wait)
        )
    if chance.cannot(within_ms=within, fault_ms=fault_ms):
        return (
            "cannot",
            f"{alert} cannot fire {_limits(within, fault_ms)}, not even in a full outage: that takes {_time(chance.soonest)}",
        )
    if chance.late(within_ms=within, fault_ms=fault_ms):
        return "late", f"{alert} cannot be expected to fire {_limits(within, fault_ms)}: {wait}"
    return "can", wait


def _limits(within: int, fault_ms: int) -> str:
    return f"within {format_duration(within)} of faults that are on for {format_duration(fault_ms)}"


def _wait(chance: Chance) -> str:
    how = f" with steady traffic of which {format_percent(chance.share)} fails" if chance.burn else ""
    if isinf(chance.usual.total_ms):
        return f"it never fires{how}"
    parts = {
        "to burn": chance.usual.burn_ms,
        "for": chance.usual.for_ms,
        "until it is scraped and evaluated": chance.usual.late_ms,
    }
    told = ", ".join(f"{_seconds(ms)} {what}" for what, ms in parts.items() if ms)
    floor = "" if chance.burn else "at least "
    return f"it fires after {floor}{_time(chance.usual)}{how} ({told})" if told else "it fires at once"


def _time(wait: Wait) -> str:
    return _seconds(wait.total_ms) if not isinf(wait.total_ms) else "for ever"


def _seconds(ms: float) -> str:
    return format_duration(round(ms / 1000) * 1000 if ms >= 1000 else round(ms))  # noqa: PLR2004 - below it, whole milliseconds


def _whole(wait: Wait) -> int | None:
    return None if isinf(wait.total_ms) else round(wait.total_ms)
