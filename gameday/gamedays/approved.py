"""Whether the approvals that a run had are what its journal says: checked again from the journal alone, as of the time of the run.

The list of who may approve is in the journal, too, so that whoever can write all of it anew can put keys of their own there; what shows
that is a copy of the list that was kept elsewhere.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gameday.gamedays.checked import Checked, altered, intact, unknown
from gameday.model import Event, Json, Run
from gameday.policy.accepted import Look, people
from gameday.policy.signing import Signers, SigningError
from gameday.policy.statement import Approval
from gameday.policy.subject import Counted, Subject, composed_json, covers, lasting
from gameday.schema.experiment import Experiment
from gameday.schema.nodes import as_list, as_mapping
from gameday.schema.section import InvalidError

_WHAT = "approvals"


def check_approvals(run: Run, approvers: bytes | None) -> Iterator[Checked]:
    """Check what was approved against what was run; ``approvers`` is a trusted copy of the list of who may approve."""
    opened: Json = run.events[0].data if run.events and run.events[0].kind == "opened" else {}
    asked = dict(_asked(opened))
    if not asked:
        return
    armed = run.of_kind("armed")
    records = {(str(e.data.get("policy_sha256")), str(e.data.get("environment"))): e for e in run.of_kind("approved")}
    for (policy, environment), needed in asked.items():
        event = records.get((policy, environment))
        if event is None:
            says = f"{needed} people had to approve in {environment}"
            yield (
                altered(_WHAT, f"{says}, and faults were armed without")
                if armed
                else intact(_WHAT, f"{says}; nothing was armed")
            )
        elif armed and event.seq > armed[0].seq:
            yield altered(_WHAT, f"those for {environment} stand after the first fault")
        else:
            yield from _again(run, event, needed, approvers)
    if records:
        yield _composed(run)
        if approvers is None:
            says = "who might approve is what the journal says; compare it with a copy that you trust: --approvers FILE"
            yield unknown("approvers", says)


def _asked(opened: Json) -> Iterator[tuple[tuple[str, str], int]]:
    for policy in map(as_mapping, as_list(opened.get("policy"))):
        for environment, needed in as_mapping(policy.get("approvals")).items():
            yield (str(policy.get("sha256")), environment), int(needed)


def _again(run: Run, event: Event, needed: int, approvers: bytes | None) -> Iterator[Checked]:
    """Check one record as the runner did."""
    record, targets = event.data, _targets(run)
    environment = str(record.get("environment"))
    if targets is None:
        yield altered(_WHAT, "what was touched cannot be read")
        return
    try:
        look = Look(
            policy=str(record.get("policy_sha256")),
            environment=environment,
            approvers="the list of who may" if approvers is None else "your list of who may",
            subject=_subject(run),
            targets=targets,
            now=datetime.fromtimestamp(event.wall, UTC),
            signers=_signers(record, approvers),
        )
        accepted, rejected = look.at(tuple(map(_approval, as_list(record.get("approvals")))))
    except (SigningError, BadBase64) as error:
        yield unknown(_WHAT, f"they cannot be checked: {error}")
        return
    found = people(accepted)
    if len(found) < needed:
        why = "; ".join(rejected) or "there are no others"
        yield altered(_WHAT, f"{needed} people had to approve in {environment}, {len(found)} did: {why}")
    elif beyond := _beyond(run, targets):
        yield altered(_WHAT, f"the round {beyond} touched what nobody had approved")
    else:
        yield intact(_WHAT, f"{', '.join(found)} approved just this, in {environment}; their signatures are good")


def _approval(raw: object) -> Approval:
    entry = as_mapping(raw)
    return Approval(name="journal", text=str(entry.get("statement")), signature=str(entry.get("signature")))


def _signers(record: Json, approvers: bytes | None) -> Signers:
    revoked = record.get("revoked")
    allowed = str(record.get("signers")).encode() if approvers is None else approvers
    return Signers(allowed=allowed, revoked=b64decode(str(revoked)) if revoked is not None else None)


def _subject(run: Run) -> Subject:
    opened = run.events[0].data
    variant = {name: str(value) for name, value in as_mapping(run.plan.get("variant")).items()}
    composed = str(run.plan.get("composed"))
    return Subject(source=Path(run.name), digest=str(opened.get("digest")), composed=composed, variant=variant)


def _targets(run: Run) -> Counted | None:
    planned = {
        str(e.data.get("fault")): tuple(map(str, as_list(e.data.get("targets")))) for e in run.of_kind("planned")
    }
    try:
        return lasting(Experiment.model_validate(dict(run.experiment)), planned)
    except InvalidError:
        return None


def _beyond(run: Run, approved: Counted) -> str:
    """Name the first round whose targets are none of those that were approved; empty when there is none."""
    experiment = Experiment.model_validate(dict(run.experiment))
    for event in run.of_kind("round"):
        fault = str(event.data.get("fault"))
        found = tuple(map(str, as_list(as_mapping(event.data.get("plan")).get("targets"))))
        if not covers({fault: approved.get(fault)}, lasting(experiment, {fault: found})):
            return f"{event.data.get('round')} of {fault}"
    return ""


def _composed(run: Run) -> Checked:
    """Check that the experiment in the plan is the one that was approved: policies add abort rules at its end."""
    raw = dict(run.experiment)
    rules = as_list(raw.get("abort"))
    for kept in range(len(rules), -1, -1):
        if composed_json({**raw, "abort": rules[:kept]}, Path()) == run.plan.get("composed"):
            return intact(_WHAT, "the experiment in plan.json is the one that was approved")
    says = (
        "the experiment in plan.json has parts of its own run, or a locustfile: only its hash says that it was approved"
    )
    return unknown(_WHAT, says)
