"""What every rule of findings works with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gameday.judge.words import listed
from gameday.model import Json

Severity = Literal["high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")
"""High: an objective broken and no automatic control acted, or a revert unproven. Medium: broken, but a control acted.
Low: evidence is missing. Info: good news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A finding before it has a number."""

    rule: str
    severity: Severity
    title: str
    saw: str
    matters: str
    next: str
    objective: str = ""
    phase: str = ""
    """Phase, or for a finding about a fault its name: what tells two findings of one rule and objective apart."""
    faults: tuple[str, ...] = ()


def fingerprint(title: str, draft: Draft) -> str:
    """Return what stays the same when the same thing is found again: no number and no time goes into it."""
    parts = f"{title}\x1f{draft.objective}\x1f{draft.phase}\x1f{draft.rule}"
    return hashlib.sha256(parts.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def started(document: Json) -> tuple[str, ...]:
    """Name the faults that were injected, or were tried to."""
    return tuple(fault["name"] for fault in document["faults"] if fault["called_ms"] is not None)


def in_force(document: Json) -> str:
    """Name the faults as the subject of a clause: ``a was``, ``a and b were``."""
    names = started(document)
    return f"{listed(names)} {'were' if len(names) > 1 else 'was'}" if names else "no fault was"


def during(document: Json) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each objective with each of its criteria while the fault was on."""
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            if "fault" in criterion["phases"]:
                yield objective, criterion["phases"]["fault"]
