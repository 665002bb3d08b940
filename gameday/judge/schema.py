"""The JSON Schema of verdict.json: what `gameday schema verdict` prints."""

from __future__ import annotations

from typing import Any

from gameday.judge.findings.rule import SEVERITIES
from gameday.model import Reason, Verdict

_JUDGED = ["pass", "inconclusive", "fail"]
_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_MS = {"type": "integer", "description": "milliseconds of the run's clock"}
_MAYBE_MS = {"type": ["integer", "null"], "description": "milliseconds of the run's clock"}
_NUMBER = {"type": "number"}
_MAYBE_NUMBER = {"type": ["number", "null"]}
_REASON = {"enum": [str(reason) for reason in Reason]}


def verdict_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema draft 2020-12; unknown members are errors."""
    schema = _always()
    schema["properties"]["chaostoolkit"] = _list(_played())
    return schema


def _always() -> dict[str, Any]:
    """Return it without what only some runs have."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gameday verdict",
        **_object(
            schema={"const": "gameday/verdict/1"},
            run=_TEXT,
            title=_TEXT,
            verdict={"enum": [verdict.word for verdict in Verdict]},
            exit_code={"enum": [verdict.exit_code for verdict in Verdict]},
            reasons={"type": "array", "minItems": 1, "uniqueItems": True, "items": _REASON},
            aborted_by={"enum": [*(str(reason) for reason in Reason), None]},
            abort=_or_null(_object(reason=_REASON, detail=_TEXT, at_ms=_MS)),
            stopped=_or_null(_object(reason=_REASON, detail=_TEXT)),
            objectives_broken=_list(_TEXT),
            summary=_TEXT,
            objectives=_list(_objective()),
            times=_object(detect=_time(), mitigate=_time(), recover=_time()),
            faults=_list(_fault()),
            phases=_list(_object(name=_TEXT, from_ms=_MS, to_ms=_MS)),
            windows=_list(_object(name={"enum": ["baseline", "onset", "fault", "recovery"]}, from_ms=_MS, to_ms=_MS)),
            load=_or_null(_load()),
            findings=_list(_finding()),
            started_wall=_MAYBE_NUMBER,
            ended_ms=_MS,
            boot_id=_TEXT,
            seed={"type": ["integer", "string", "null"]},
            digest=_TEXT,
            journal_head=_TEXT,
            closed={"type": "boolean"},
            residue=_list(_object(fault=_TEXT, targets=_list(_TEXT), command=_TEXT)),
        ),
    }


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _objective() -> dict[str, Any]:
    judged = {"result": {"enum": [*_JUDGED, None]}, "reason": {"enum": [*_REASON["enum"], None]}}
    counted = _object(criterion=_TEXT, n=_COUNT, k=_COUNT, budget=_NUMBER, share=_MAYBE_NUMBER, **judged)
    gauge = _object(
        criterion=_TEXT,
        sli=_TEXT,
        value=_MAYBE_NUMBER,
        limit=_NUMBER,
        coverage={"type": ["number", "null"], "minimum": 0, "maximum": 1},
        readings=_COUNT,
        due=_COUNT,
        error=_MAYBE_TEXT,
        **judged,
    )
    phase = {"anyOf": [counted, {**counted, "properties": {**counted["properties"], "counters": _counters()}}, gauge]}
    phases = {
        "type": "object",
        "properties": dict.fromkeys(("baseline", "onset", "fault", "recovery"), phase),
        "additionalProperties": False,
    }
    return _object(
        name=_TEXT,
        verdict={"enum": _JUDGED},
        reason=_REASON,
        line={"type": ["integer", "null"], "minimum": 1},
        endpoints=_list(_TEXT),
        criteria=_list(_object(expect=_MAYBE_TEXT, during=_MAYBE_TEXT, phases=phases, baseline=_or_null(_ratchet()))),
        recovery=_or_null(_recovery()),
        alert=_or_null(_alert()),
        warnings=_list({"enum": ["closed-model"]}),
        budget=_budget(),
    )


def _ratchet() -> dict[str, Any]:
    held = _object(budget=_NUMBER, result={"enum": _JUDGED}, reason=_REASON)
    return {"type": "object", "properties": dict.fromkeys(("baseline", "fault"), held), "additionalProperties": False}


def _budget() -> dict[str, Any]:
    slo = _object(name=_TEXT, target=_NUMBER, window_ms=_COUNT, share=_NUMBER)
    return _object(
        bad=_MAYBE_COUNT,
        total=_MAYBE_COUNT,
        used=_MAYBE_NUMBER,
        burn_rate=_MAYBE_NUMBER,
        outage_ms=_MAYBE_COUNT,
        slo=_or_null(slo),
    )


def _counters() -> dict[str, Any]:
    """Return what is said beside the counts where a source's counters have counted them."""
    return _object(sli=_TEXT, scrapes=_COUNT, due=_COUNT, edge_ms=_COUNT, resets=_COUNT, error=_MAYBE_TEXT)


def _recovery() -> dict[str, Any]:
    return _object(
        within_ms={"type": "integer"},
        hold_ms=_COUNT,
        seconds=_MAYBE_NUMBER,
        result={"enum": _JUDGED},
        reason=_REASON,
        relapses=_COUNT,
        bad_seconds=_COUNT,
        from_ms=_MAYBE_MS,
    )


def _played() -> dict[str, Any]:
    """Describe a Chaos Toolkit experiment, where a run has one."""
    hypothesis = _object(
        verdict={"enum": [*_JUDGED, None]},
        reason={"enum": [*_REASON["enum"], None]},
        detail=_TEXT,
        before={"type": ["boolean", "null"]},
        after={"type": ["boolean", "null"]},
        iterations=_COUNT,
        violations=_COUNT,
    )
    activity = _object(
        section={"enum": ["method", "rollbacks"]},
        type=_TEXT,
        name=_TEXT,
        status=_TEXT,
        seconds=_NUMBER,
        ended_ms=_MS,
        error=_TEXT,
    )
    activities, maybe = _list(activity), {"type": ["boolean", "null"]}
    return _object(fault=_TEXT, status=_MAYBE_TEXT, deviated=maybe, hypothesis=hypothesis, activities=activities)


def _time() -> dict[str, Any]:
    return _object(ms=_MAYBE_COUNT, source=_MAYBE_TEXT)


def _alert() -> dict[str, Any]:
    return _object(
        name=_TEXT,
        source=_TEXT,
        fires={"enum": ["within", "never"]},
        within_ms=_MAYBE_COUNT,
        resolves_within_ms=_MAYBE_COUNT,
        fired_ms=_MAYBE_COUNT,
        resolved_ms=_MAYBE_COUNT,
        before={"type": "boolean"},
        resolution_ms=_COUNT,
        error=_MAYBE_TEXT,
        result={"enum": _JUDGED},
        reason=_REASON,
    )


def _fault() -> dict[str, Any]:
    fault = _object(
        name=_TEXT,
        driver=_TEXT,
        targets=_list(_TEXT),
        planned_targets=_list(_TEXT),
        reversible={"type": "boolean"},
        planned_ms={
            "type": "object",
            "properties": {"at": _COUNT, "for": _COUNT},
            "required": ["at", "for"],
            "additionalProperties": False,
        },
        armed_ms=_MAYBE_MS,
        called_ms=_MAYBE_MS,
        proven_ms=_MAYBE_MS,
        revert_called_ms=_MAYBE_MS,
        reverted_ms=_MAYBE_MS,
        proof={"enum": ["proven", "unproven", "no-check"]},
        undo={"enum": ["proven", "reported", "unproven", "failed", "not-needed", "pending"]},
        by=_MAYBE_TEXT,
        met=_MAYBE_COUNT,
        verdict={"enum": ["pass", "inconclusive", "dirty"]},
        reason=_REASON,
        detail=_TEXT,
        residue=_MAYBE_TEXT,
    )
    fault["properties"]["recovered"] = _object(
        result={"enum": ["recovered", "not-recovered", "unknown", "not-expected"]},
        lost=_COUNT,
        wanted=_COUNT,
        back=_COUNT,
        at_ms=_MAYBE_MS,
        after_ms=_MAYBE_COUNT,
        detail=_TEXT,
    )
    return fault


def _load() -> dict[str, Any]:
    endpoint = _object(
        name=_TEXT,
        n=_COUNT,
        bad=_COUNT,
        kinds={"type": "object", "additionalProperties": _COUNT},
        p50_ms=_MAYBE_NUMBER,
        p95_ms=_MAYBE_NUMBER,
        p99_ms=_MAYBE_NUMBER,
    )
    return _object(
        target=_TEXT,
        model={"enum": ["open", "closed"]},
        rate=_NUMBER,
        users=_COUNT,
        offered=_COUNT,
        completed=_COUNT,
        capped=_COUNT,
        generator_errors=_COUNT,
        late_share=_NUMBER,
        lag_p99_ms=_NUMBER,
        cpu=_NUMBER,
        healthy={"type": "boolean"},
        problems=_list(_TEXT),
        by_endpoint=_list(endpoint),
    )


def _finding() -> dict[str, Any]:
    return _object(
        id=_TEXT,
        fingerprint=_TEXT,
        rule=_TEXT,
        severity={"enum": list(SEVERITIES)},
        title=_TEXT,
        saw=_TEXT,
        matters=_TEXT,
        next=_TEXT,
        objective=_MAYBE_TEXT,
        phase=_MAYBE_TEXT,
        faults=_list(_TEXT),
    )
