"""The committed baseline: whether a run is proven to be no worse than what an earlier one showed, and that file itself.

A budget is what the earlier run showed at most (the upper end of the one-sided 95 % interval), times a margin, and never more than the
objective's own. The later run is held against it by the same exact test as against the objective.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import ceil, floor, log10
from typing import Any

from gameday.judge.binomial import ratio_result, upper_bound
from gameday.judge.result import FAIL, Result, unsure
from gameday.model import Json, Reason, Verdict
from gameday.schema.baseline import FORMAT, PHASES, Baseline, percent_text
from gameday.spi.errors import GamedayError

MARGIN = 1.5
"""How much wider than what the run showed at most: chance alone makes the next one look worse now and then."""
_DIGITS = 3
_COUNTED = frozenset(map(str, (Reason.PROVEN, Reason.BROKEN, Reason.NEAR_LIMIT, Reason.TOO_FEW)))
"""Reasons of a phase that was judged by its counts."""


def compare(baseline: Baseline | None, objective: str, rows: list[dict[str, Any]]) -> list[Result]:
    """Add to each criterion of verdict.json how it stands to the baseline; return the results, to be merged into the objective's."""
    results: list[Result] = []
    for row in rows:
        row["baseline"] = None
        for phase, text in (("baseline", row["expect"]), ("fault", row["during"])):
            budget = None if baseline is None or text is None else baseline.budget(objective, text, phase)
            if budget is not None and phase in row["phases"]:
                result = _held(row["phases"], phase, budget)
                results.append(result)
                told = {"budget": budget, "result": result.verdict.word, "reason": str(result.reason)}
                row["baseline"] = {**(row["baseline"] or {}), phase: told}
    return results


def _held(phases: Json, phase: str, budget: float) -> Result:
    """Judge one phase against its budget; what its own judgement could not count, this cannot either."""
    counts: Json = phases[phase]
    if counts["reason"] not in _COUNTED:
        return unsure(Reason(counts["reason"] or Reason.NO_DATA))
    alone = ratio_result(counts["k"], counts["n"], budget)
    onset: Json = phases.get("onset", {}) if phase == "fault" else {}
    whole = ratio_result(counts["k"] + onset.get("k", 0), counts["n"] + onset.get("n", 0), budget)
    return FAIL if whole == FAIL else alone


def write(document: Json, *, margin: float = MARGIN) -> str:
    """Return the baseline file that a judged run makes; raise GamedayError for one that does not show enough.

    It is sorted and has one line for each budget, so that a change of it can be reviewed.
    """
    _check(document)
    lines = [
        "# What a later run may not be worse than: the most that this run's counts leave possible (95 %), times the margin,",
        "# and never more than the objective's own budget. Written by: gameday judge RUN --write-baseline FILE",
        f"schema: {FORMAT}",
        f"experiment: {_text(document['title'])}",
        f"run: {_text(document['run'])}",
        f"margin: {margin:g}",
        "objectives:",
    ]
    kept = {row["name"]: list(_criteria(row, margin)) for row in document["objectives"]}
    for name, entries in sorted(kept.items()):
        lines += [f"  {_text(name)}:", *sorted(entries)] if entries else []
    if not any(kept.values()):
        raise GamedayError("nothing to keep: no objective of this run is a share of bad requests", hint=_HINT)
    return "\n".join(lines) + "\n"


_HINT = "objectives like errors < 1% and p95 < 300ms can have a baseline"


def _check(document: Json) -> None:
    """Refuse what is not a good run: it would make a bad one the standard."""
    verdict = Verdict.from_word(document["verdict"])
    reasons = [reason for reason in document["reasons"] if reason not in _COUNTED]
    if verdict in (Verdict.ABORTED, Verdict.DIRTY) or reasons:
        said = ", ".join(document["reasons"])
        raise GamedayError(
            f"this run is no baseline: {document['verdict']} ({said})", hint="write it from a run that passes"
        )
    for objective in document["objectives"]:
        own = [row["phases"].get("fault", {}).get("result") for row in objective["criteria"]]
        back: Json = objective["recovery"] or {"result": None}
        if "fail" in own or back["result"] == "fail":
            raise GamedayError(
                f"this run is no baseline: it broke {objective['name']}", hint="write it from a run that passes"
            )


def _criteria(objective: Json, margin: float) -> Iterator[str]:
    """Yield the lines of one objective."""
    found: dict[str, dict[str, str]] = {}
    for row in objective["criteria"]:
        for phase, text in zip(PHASES, (row["expect"], row["during"]), strict=True):
            counts: Mapping[str, Any] | None = row["phases"].get(phase)
            if text and counts and counts.get("n") and _is_share(counts):
                found.setdefault(text, {})[phase] = _entry(counts, margin)
    for text, phases in found.items():
        yield f"    {_text(text)}:\n" + "\n".join(f"      {phase}: {entry}" for phase, entry in sorted(phases.items()))


def _is_share(counts: Json) -> bool:
    from gameday.schema.grammar import parse_criterion  # noqa: PLC0415 - only when a file is written

    return not parse_criterion(counts["criterion"]).exact


def _entry(counts: Json, margin: float) -> str:
    own = float(counts["budget"])
    most = margin * upper_bound(counts["k"], counts["n"])
    return (
        f"{{budget: {percent_text(min(own, _rounded_up(most)) if own else most)}, k: {counts['k']}, n: {counts['n']}}}"
    )


def _rounded_up(share: float) -> float:
    """Round to three digits, upwards: nobody reviews more of them."""
    scale: float = 10.0 ** (_DIGITS - 1 - floor(log10(share)))
    return min(1.0, ceil(round(share * scale, 6)) / scale)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
