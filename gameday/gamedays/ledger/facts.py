"""What the ledger keeps of one run: frozen facts, each of them in the run folder already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

Variant = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveFacts:
    """What a run proved of one objective, with the criterion that came nearest to its limit while the faults were on."""

    name: str
    verdict: str
    reason: str
    criterion: str = ""
    bad: int | None = None
    """Bad requests of ``total`` in the fault phase; None for a gauge, and for what was not measured."""
    total: int | None = None
    budget: float | None = None
    """The share of bad requests that is allowed."""
    value: float | None = None
    """Of a gauge, in base units, beside its ``bound``."""
    bound: float | None = None
    recovery_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One finding of one run."""

    fingerprint: str
    rule: str
    severity: str
    title: str
    saw: str
    next: str
    objective: str
    """Empty for a finding about the run as a whole."""
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """What a run took from the error budget of one objective, from its baseline to its end."""

    objective: str
    bad: int
    total: int
    bad_seconds: int | None
    """Seconds whose share of bad requests exceeded the budget, from the first injection to the end; None where nothing counted them."""
    outage_ms: int | None
    """How long everything would have had to fail for as many bad requests."""
    slo: str = ""
    """The name of the OpenSLO document that says the objective; empty for any other."""
    target: float | None = None
    window_ms: int | None = None
    share: float | None = None
    """``outage_ms`` as a share of (1 - target) · window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that somebody said about a finding, and when."""

    fingerprint: str
    key: str
    """As in findings.yaml: ``owner``, ``due``, ``ticket``, ``action``, ``kind``, ``cause`` or ``note``."""
    value: str
    """Empty: it is taken back."""
    at: float
    """Seconds since the epoch."""
    origin: str
    """``run:NAME`` or ``file:DIGEST`` for what a findings.yaml said, ``person:NAME`` for what somebody typed."""

    @property
    def by_person(self) -> bool:
        """Whether somebody typed it, rather than a file repeating it."""
        return self.origin.startswith("person:")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One run."""

    run: str
    """The name of its folder, which is its id."""
    title: str
    variant: Variant
    """The combination of the matrix, sorted by name."""
    source: str
    digest: str
    verdict: str
    reasons: tuple[str, ...]
    summary: str
    started: float
    """Seconds since the epoch: what all order is by."""
    ended_ms: int
    rate: float | None
    offered: int | None
    completed: int | None
    day: str
    """The game day that it was a part of; empty for a run of its own."""
    stamp: str
    """SHA-256 of verdict.json and findings.yaml: whether the same run has been judged anew since."""
    objectives: tuple[ObjectiveFacts, ...] = ()
    findings: tuple[Occurrence, ...] = ()
    debits: tuple[Debit, ...] = ()

    @property
    def hypothesis(self) -> str:
        """What its hypothesis is known by: the title and the combination of the matrix, hashed."""
        return hypothesis_id(self.title, self.variant)

    @property
    def name(self) -> str:
        """The hypothesis as people read it."""
        return hypothesis_name(self.title, self.variant)

    @property
    def order(self) -> tuple[float, str]:
        """When it began; of runs that began together, by name."""
        return self.started, self.run


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A run folder, read."""

    facts: RunFacts
    statements: tuple[Statement, ...] = ()
    """What its findings.yaml said when it ran."""


def hypothesis_id(title: str, variant: Variant) -> str:
    """Return what stays the same from run to run of one experiment and one combination of its matrix."""
    return sha256(json.dumps([title, variant]).encode()).hexdigest()[:16]


def hypothesis_name(title: str, variant: Variant) -> str:
    """Return the title, with the combination of the matrix."""
    return title + (f" ({', '.join(f'{name}={value}' for name, value in variant)})" if variant else "")


def variant_of(raw: Mapping[str, str]) -> Variant:
    """Return a combination of the matrix in the one order that it is kept in."""
    return tuple(sorted((str(name), str(value)) for name, value in raw.items()))
