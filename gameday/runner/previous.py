"""``previous.json``: the latest whole run of the same experiment, kept beside a run so that its report can show what changed.

Only shown, never judged. It is written once, at the end of the run; judging or reporting the folder later only reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from gameday.journal.folder import RunFolder, read_run
from gameday.model import Json
from gameday.runner.ending import replace_file
from gameday.runner.priorseries import series_of, time_zero
from gameday.spi.sameness import differences

SCHEMA = "gameday/previous/1"
MOST_FOLDERS = 500
"""Folders that are looked at, the newest first."""
MOST_EARLIER = 20
"""Earlier runs whose verdict and findings are listed."""
_MOST_BYTES = 4_000_000
"""A plan or a verdict larger than this is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A judged run of the same experiment."""

    path: Path
    plan: Json
    verdict: Json


def write_previous(path: Path) -> None:
    """Write previous.json into a finished run's folder; nothing when no earlier whole run lies beside it, or it cannot be written."""
    try:
        document = previous_of(path)
        if document is not None:
            text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
            replace_file(RunFolder(path).previous, text.encode("ascii") + b"\n")
    except Exception:  # noqa: BLE001 - it is only shown: whatever lies beside a run never keeps it from its report
        return


def previous_of(path: Path) -> dict[str, Any] | None:
    """Describe the newest whole run of the same experiment in the same folder of runs; None without one."""
    folder = RunFolder(path.resolve())
    plan = folder.read_plan()
    earlier = list(islice(_earlier(folder, plan), MOST_EARLIER))
    for candidate in earlier:
        try:
            found = _whole(candidate, plan)
        except Exception:  # noqa: BLE001, S112 - a damaged folder is passed over, whatever is wrong with it
            continue
        if found is not None:
            return {**found, "earlier": [_brief(one) for one in earlier]}
    return None


def _whole(candidate: Candidate, plan: Json) -> dict[str, Any] | None:
    """Describe one earlier run; None when its journal is not whole, or it never came to its fault phase."""
    run = read_run(candidate.path)
    zero = time_zero(run)
    if zero is None or not run.closed:
        return None
    why = differences(candidate.plan, plan)
    step, series = series_of(run, zero)
    return {
        "schema": SCHEMA,
        "run": candidate.path.name,
        "digest": str(candidate.plan.get("digest") or ""),
        "comparable": not why,
        "why": why,
        "environment": dict(_mapping(candidate.plan.get("environment"))),
        "verdict": dict(candidate.verdict),
        "zero_ms": zero,
        "step_seconds": step,
        "series": series,
    }


def _earlier(folder: RunFolder, plan: Json) -> Iterator[Candidate]:
    """Yield judged runs of the same experiment that began before this one, newest first: a run id begins with its time."""
    names = sorted((path.name for path in folder.path.parent.iterdir() if path.name < folder.name), reverse=True)
    for name in names[:MOST_FOLDERS]:
        path = folder.path.parent / name
        other = _json(path / "plan.json")
        if other.get("schema") != "gameday/plan/1" or not _same(other, plan):
            continue
        verdict = _json(path / "verdict.json")
        if verdict.get("schema") == "gameday/verdict/1":
            yield Candidate(path=path, plan=other, verdict=verdict)


def _same(other: Json, plan: Json) -> bool:
    """Whether two plans are of the same experiment: of one title or one file, and of one combination of its matrix."""
    if (other.get("variant") or {}) != (plan.get("variant") or {}):
        return False
    titles = [_mapping(one.get("experiment")).get("title") for one in (other, plan)]
    return titles[0] == titles[1] or (bool(plan.get("source")) and other.get("source") == plan.get("source"))


def _brief(one: Candidate) -> dict[str, Any]:
    raw: object = one.verdict.get("findings")
    findings = cast("list[object]", raw) if isinstance(raw, list) else []
    return {
        "run": one.path.name,
        "verdict": one.verdict.get("verdict"),
        "started_wall": one.verdict.get("started_wall"),
        "digest": str(one.plan.get("digest") or ""),
        "findings": [
            _mapping(finding).get("fingerprint") for finding in findings if _mapping(finding).get("fingerprint")
        ],
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        raw: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
