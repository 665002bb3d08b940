"""Which of the approvals beside a file count for one demand, and how many people they are.

Counted are people, not signatures: what shares a principal or a key is one person. Whatever cannot be read, checked or understood counts
for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gameday.policy.signing import Signed, Signers, check, program
from gameday.policy.statement import Approval, about, timely
from gameday.policy.subject import Counted, Subject, covers
from gameday.schema.nodes import as_list, as_mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An approval that counts."""

    approval: Approval
    signed: Signed


def people(accepted: Sequence[Accepted]) -> tuple[str, ...]:
    """Return one name for each person among those who signed: what shares a principal or a key is one."""
    groups: list[tuple[set[str], str]] = []
    for one in accepted:
        marks, name = {one.signed.key, *one.signed.principals}, one.approval.by
        for group in [group for group in groups if group[0] & marks]:
            groups.remove(group)
            marks, name = marks | group[0], min(name, group[1])
        groups.append((marks, name))
    return tuple(sorted(name for _, name in groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the approvals of one demand are looked at for."""

    policy: str
    """SHA-256 in hex of the policy that asks."""
    environment: str
    approvers: str
    """What the list of who may is called."""
    subject: Subject
    targets: Counted | None
    """None: not looked at."""
    now: datetime
    signers: Signers

    def at(self, approvals: Iterable[Approval]) -> tuple[tuple[Accepted, ...], tuple[str, ...]]:
        """Return those that count, and why the others do not; raise SigningError when nothing can be checked."""
        program()
        accepted: list[Accepted] = []
        rejected: list[str] = []
        for approval in approvals:
            why = self._wrong(approval)
            signed = None if why else check(approval.text, approval.signature, approval.by, self.signers, self.now)
            if signed is not None:
                accepted.append(Accepted(approval=approval, signed=signed))
            else:
                why = why or f"its signature is not good by {self.approvers}"
                rejected.append(f"{approval.by or 'nobody'} ({approval.name}): {why}")
        return tuple(accepted), tuple(rejected)

    def _wrong(self, approval: Approval) -> str:
        """Say why a statement does not count, whoever has signed it; empty when it does."""
        said = approval.statement
        if not said or not approval.by:
            return "it is no approval"
        why = about(said, self.subject) or timely(said, self.now)
        named = as_list(as_mapping(said.get("policies")).get(self.policy))
        if not why and self.environment not in named:
            why = "it was given under another policy"
        if not why and self.targets is not None and not covers(said.get("targets"), self.targets):
            why = "it is for other targets"
        return why
