"""Whether enough people have approved a run: each demand of each policy against the signed statements beside the file.

A demand that cannot be checked at all is not met.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gameday.policy.accepted import Accepted, Look, people
from gameday.policy.file import Environment, Policy
from gameday.policy.places import place_of
from gameday.policy.recognised import environments
from gameday.policy.refusal import Refusal, located
from gameday.policy.signing import Signers, SigningError
from gameday.policy.statement import read_approvals
from gameday.policy.subject import Counted, Subject
from gameday.schema.experiment import Experiment

MAX_SIGNERS = 64 * 1024
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One environment of one policy that lets nothing run without approvals."""

    policy: Policy
    environment: str
    rules: Environment

    @property
    def needed(self) -> int:
        """How many people have to approve."""
        return self.rules.approvals or 0

    @property
    def rule(self) -> str:
        """Where it stands."""
        return f"{place_of(self.policy, self.environment)}.approvals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """How far a demand is met."""

    demand: Demand
    signers: Signers
    accepted: tuple[Accepted, ...]
    rejected: tuple[str, ...]
    """Each approval that does not count, and why."""

    @property
    def people(self) -> tuple[str, ...]:
        """Return one name for each person."""
        return people(self.accepted)

    def record(self) -> dict[str, Any]:
        """As the journal keeps it: enough to check it all again."""
        revoked = self.signers.revoked
        return {
            "policy": str(self.demand.policy.path),
            "policy_sha256": self.demand.policy.digest,
            "environment": self.demand.environment,
            "needed": self.demand.needed,
            "people": list(self.people),
            "signers": self.signers.allowed.decode(errors="replace"),
            **({} if revoked is None else {"revoked": b64encode(revoked).decode()}),
            "approvals": [
                {"statement": one.approval.text, "signature": one.approval.signature} for one in self.accepted
            ],
        }


def demands(
    policies: Iterable[Policy], experiment: Experiment, servers: Mapping[str, str] | None = None
) -> tuple[Demand, ...]:
    """Return who asks for approvals of this run."""
    return tuple(
        Demand(policy=policy, environment=name, rules=rules)
        for policy in policies
        for name, rules in environments(policy, experiment, servers).items()
        if rules.approvals
    )


def meet(demand: Demand, subject: Subject, targets: Counted | None, now: datetime) -> Met:
    """Look who has approved; without ``targets`` those are not looked at yet. Raises SigningError when nothing can be checked."""
    look = Look(
        policy=demand.policy.digest,
        environment=demand.environment,
        approvers=str(demand.rules.approvers),
        subject=subject,
        targets=targets,
        now=now,
        signers=read_signers(demand),
    )
    accepted, rejected = look.at(read_approvals(subject.folder))
    return Met(demand=demand, signers=look.signers, accepted=accepted, rejected=rejected)


def read_signers(demand: Demand) -> Signers:
    """Read who may approve; raise SigningError when that cannot be."""
    folder = demand.policy.path.parent
    rules = demand.rules
    revoked = _bytes(folder / rules.revoked) if rules.revoked else None
    return Signers(allowed=_bytes(folder / str(rules.approvers)), revoked=revoked)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SIGNERS + 1)
    except OSError as error:
        raise SigningError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_SIGNERS:
        raise SigningError(f"{path} is larger than 64 KiB")
    return data


def meet_all(
    asked: Iterable[Demand], subject: Subject, targets: Counted | None, now: datetime
) -> Iterator[Met | Refusal]:
    """Yield for each demand how it is met, or the rule that refuses the run."""
    for demand in asked:
        try:
            met = meet(demand, subject, targets, now)
        except SigningError as error:
            yield _refusal(demand, f"approvals cannot be checked, so nothing may run: {error}")
            continue
        yield met if len(met.people) >= demand.needed else _refusal(demand, _lacking(met, subject))


def _refusal(demand: Demand, says: str) -> Refusal:
    return located(Refusal(rule=demand.rule, says=says), demand.policy.text)


def unapproved(
    policies: Iterable[Policy], experiment: Experiment, subject: Subject, now: datetime, targets: Counted | None = None
) -> list[Refusal]:
    """Return which demands are not met; without ``targets`` those are not looked at yet."""
    found = meet_all(demands(policies, experiment), subject, targets, now)
    return [one for one in found if isinstance(one, Refusal)]


def _lacking(met: Met, subject: Subject) -> str:
    have = ", ".join(met.people) or "nobody"
    needed = met.demand.needed
    more = f"; and {len(met.rejected) - _SHOWN} more" if len(met.rejected) > _SHOWN else ""
    why = f"; not counted: {'; '.join(met.rejected[-_SHOWN:])}{more}" if met.rejected else ""
    how = f"gameday approve {subject.source} --key KEY"
    return f"{needed} {'person has' if needed == 1 else 'people have'} to approve, and {have} did{why}; approve with: {how}"
