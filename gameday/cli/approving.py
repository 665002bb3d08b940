"""What a person would approve, found out; and the approval, signed, checked and put beside its file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli.outlook_faults import found_targets
from gameday.policy.approvals import Demand, Met, demands, meet, read_signers
from gameday.policy.found import find_policies
from gameday.policy.refusal import Refusal
from gameday.policy.rules import refusals, target_refusals, under
from gameday.policy.signing import check, program, sign
from gameday.policy.statement import Approval, Term, statement, write_approval
from gameday.policy.subject import Counted, Subject, lasting
from gameday.runner.bounds import run_max_ms
from gameday.runner.folder import subject_of
from gameday.spi import GamedayError

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

_UNSAFE = re.compile(r"[^A-Za-z0-9@_+-]+")
_PATTERN = frozenset("*?!,")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one person would sign for one run."""

    subject: Subject
    title: str
    targets: Counted
    demands: tuple[Demand, ...]
    by: str
    refusals: tuple[Refusal, ...]
    """Other rules that a run would break now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An approval beside its file, and how far each demand is met with it."""

    path: Path
    by: str
    until: datetime
    met: tuple[Met, ...]


def draft(loaded: Loaded, key: Path, by: str) -> Draft:
    """Find out what would be approved, and by whom; raise GamedayError when there is nothing to approve, or it cannot be told."""
    program()
    policies = find_policies(loaded.path)
    experiment = under(policies, loaded.experiment)
    found = found_targets(loaded, experiment)
    asked = demands(policies, experiment, found.servers)
    if not asked:
        raise GamedayError(
            f"no policy asks for approvals of {loaded.path}",
            hint="an environment with approvals = 2 and approvers = FILE in gameday.toml does; gameday plan says what applies",
        )
    if found.errors:
        raise GamedayError(f"what it would touch cannot be told: {'; '.join(found.errors)}", hint="mend that first")
    broken = refusals(policies, experiment, datetime.now(UTC), run_max_ms(experiment))
    broken += target_refusals(policies, experiment, found.targets, found.servers)
    return Draft(
        subject=subject_of(loaded),
        title=experiment.title,
        targets=lasting(experiment, found.targets),
        demands=asked,
        by=by or _whose(key, asked),
        refusals=tuple(broken),
    )


def place(one: Draft, key: Path, at: datetime, until: datetime) -> Placed:
    """Sign, check that it counts, and write it; raise GamedayError, and write nothing, when it would not count."""
    policies = {
        asked.policy.digest: [each.environment for each in one.demands if each.policy.digest == asked.policy.digest]
        for asked in one.demands
    }
    text = statement(one.subject, one.title, one.targets, policies, Term(by=one.by, at=at, until=until))
    signature = sign(key, text)
    if not any(check(text, signature, one.by, read_signers(asked), at) for asked in one.demands):
        files = ", ".join(dict.fromkeys(str(asked.rules.approvers) for asked in one.demands))
        raise GamedayError(
            f"{key} may not approve as {one.by}, by {files}", hint="name yourself as it does there: --as PRINCIPAL"
        )
    name = _UNSAFE.sub("_", one.by).strip("_")[:60]
    approval = Approval(name=f"{name}-{sha256(text.encode()).hexdigest()[:12]}.json", text=text, signature=signature)
    path = write_approval(one.subject.folder, approval)
    return Placed(
        path=path, by=one.by, until=until, met=tuple(meet(asked, one.subject, one.targets, at) for asked in one.demands)
    )


def _whose(key: Path, asked: Sequence[Demand]) -> str:
    """Return whose key it is by the approvers; raise GamedayError when they do not say one name."""
    public = _public(key)
    names = {
        line.split()[0]
        for demand in asked
        for line in read_signers(demand).allowed.decode(errors="replace").splitlines()
        if public and public in line.split()[1:]
    }
    if len(names) == 1 and not _PATTERN & set(*names):
        return names.pop()
    files = ", ".join(dict.fromkeys(str(demand.rules.approvers) for demand in asked))
    raise GamedayError(f"whose key {key} is cannot be told from {files}", hint="say who you are there: --as PRINCIPAL")


def _public(key: Path) -> str:
    """Return a public key's own text, from the file or the one beside it; empty where there is none."""
    for path in (key.with_name(key.name + ".pub"), key):
        try:
            words = path.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            continue
        if len(words) > 1 and words[0].startswith(("ssh-", "ecdsa-", "sk-")):
            return words[1]
    return ""
