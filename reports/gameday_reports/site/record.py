"""One run as a small JSON record: all that the pages need of it, bounded, and safe to keep in the site's index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.model import Json
from gameday.spi.sameness import only_checked
from gameday_reports.reading import PARAGRAPH, bounded, number, part, parts, text, texts

_MOST = 200
"""Objectives, findings or residues that are kept of one run."""


def record_of(plan: Json, verdict: Json, remarks: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return the record of one judged run; what is missing or damaged in its files is empty."""
    experiment = part(plan, "experiment")
    variant = part(plan, "variant")
    findings = [_finding(raw, index) for index, raw in enumerate(parts(verdict, "findings")[:_MOST], 1)]
    known = {finding["fingerprint"] for finding in findings}
    return {
        "run": text(plan, "run_id", 200) or text(verdict, "run", 200),
        "title": text(verdict, "title") or text(experiment, "title"),
        "variant": {bounded(name, 60): bounded(variant[name], 60) for name in list(variant)[:20]},
        "hypothesis": text(experiment, "hypothesis", PARAGRAPH),
        "owner": text(experiment, "owner", 120),
        "tags": list(texts(experiment, "tags")[:20]),
        "runbook": text(experiment, "runbook"),
        "source": text(plan, "source"),
        "digest": text(verdict, "digest", 200)[:12],
        "version": text(part(plan, "environment"), "gameday", 40),
        "verdict": text(verdict, "verdict", 20),
        "check": only_checked(verdict),
        "reasons": list(texts(verdict, "reasons")[:20]),
        "summary": text(verdict, "summary", PARAGRAPH),
        "started_wall": number(verdict, "started_wall"),
        "ended_ms": number(verdict, "ended_ms"),
        "objectives": [_objective(raw) for raw in parts(verdict, "objectives")[:_MOST]],
        "findings": findings,
        "residue": [
            {"fault": text(raw, "fault"), "targets": list(texts(raw, "targets")[:20]), "command": text(raw, "command")}
            for raw in parts(verdict, "residue")[:_MOST]
        ],
        "remarks": {
            bounded(fingerprint, 120): {bounded(key, 20): bounded(value, PARAGRAPH) for key, value in entry.items()}
            for fingerprint, entry in remarks.items()
            if fingerprint in known or entry.get("due")
        },
    }


def _finding(raw: Json, index: int) -> dict[str, Any]:
    return {
        "anchor": f"finding-{index}",
        "fingerprint": text(raw, "fingerprint", 120),
        "severity": text(raw, "severity", 20).lower(),
        "title": text(raw, "title"),
        "next": text(raw, "next", PARAGRAPH),
        "objective": bounded(raw["objective"]) if raw.get("objective") is not None else None,
    }


def _objective(raw: Json) -> dict[str, Any]:
    tightest = min(_margins(raw), key=lambda found: found[0], default=None)
    return {
        "name": text(raw, "name"),
        "verdict": text(raw, "verdict", 20),
        "reason": text(raw, "reason", 40),
        "margin": None if tightest is None else round(tightest[0], 6),
        "criterion": "" if tightest is None else tightest[1],
        "n": None if tightest is None else tightest[2],
        "budget_used": number(part(raw, "budget"), "used"),
        "recovery": {
            "seconds": number(part(raw, "recovery"), "seconds"),
            "within_ms": number(part(raw, "recovery"), "within_ms"),
            "result": text(part(raw, "recovery"), "result", 20),
        },
    }


def _margins(raw: Json) -> list[tuple[float, str, int]]:
    """Return (share of the limit that is left, criterion, requests or readings) of each criterion while the faults were on."""
    found: list[tuple[float, str, int]] = []
    for criterion in parts(raw, "criteria"):
        phase = part(part(criterion, "phases"), "fault")
        margin, n = _margin(phase), number(phase, "n") or number(phase, "readings")
        if margin is not None and n:
            found.append((margin, text(phase, "criterion", 120), int(n)))
    return found


def _margin(phase: Json) -> float | None:
    """Return 1 with nothing used of a limit, 0 at the limit, less beyond it; a gauge that only must exceed its limit counts from it."""
    value, limit = number(phase, "value"), number(phase, "limit")
    if value is not None and limit:
        left = abs(limit - value) / abs(limit)
        return left if text(phase, "result") == "pass" else -left
    n, k, budget = number(phase, "n"), number(phase, "k"), number(phase, "budget")
    return 1 - k / n / budget if n and k is not None and budget else None
