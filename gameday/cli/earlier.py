"""The newest run of the same experiment: what its objectives came to, so that a plan can say how likely the next one is to pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

_MOST = 500
"""Folders that are looked at, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One earlier run."""

    folder: Path
    shares: Mapping[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    """(objective, criterion, phase) → share of bad requests."""


def earlier_run(loaded: Loaded, output: Path) -> Earlier | None:
    """Return the newest judged run of this file, or else of its title, that came to its fault phase; None without one."""
    same_title: Earlier | None = None
    for folder, plan in _runs(output):
        if (plan.get("variant") or {}) != dict(loaded.variant):
            continue
        same = plan.get("digest") == loaded.digest
        title = (cast("dict[str, Any]", plan.get("experiment") or {})).get("title")
        if not same and (same_title is not None or title != loaded.experiment.title):
            continue
        shares = _shares(_json(folder / "verdict.json"))
        if shares and same:
            return Earlier(folder=folder, shares=shares)
        if shares:
            same_title = Earlier(folder=folder, shares=shares)
    return same_title


def _runs(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield run folders with their plans, newest first: a run id begins with its time."""
    if not output.is_dir():
        return
    for folder in sorted((path for path in output.iterdir() if path.is_dir()), reverse=True)[:_MOST]:
        plan = _json(folder / "plan.json")
        if plan.get("schema") == "gameday/plan/1":
            yield folder, plan


def _shares(verdict: Mapping[str, Any]) -> dict[tuple[str, str, str], float]:
    """Read the shares of a verdict whose fault phase measured something; nothing from one that is damaged."""
    found: dict[tuple[str, str, str], float] = {}
    try:
        for objective in verdict.get("objectives", ()):
            for criterion in objective["criteria"]:
                for phase in ("baseline", "fault"):
                    counts: dict[str, Any] = criterion["phases"].get(phase) or {}
                    if counts.get("n"):
                        found[objective["name"], counts["criterion"], phase] = counts["k"] / counts["n"]
    except (KeyError, TypeError, AttributeError):
        return {}
    return found if any(phase == "fault" for _, _, phase in found) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        raw: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
