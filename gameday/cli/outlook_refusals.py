"""Why a run would be refused now, or could only end inconclusive: rows of the refusals in `gameday plan`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gameday.cli.outlook_faults import found_in
from gameday.load.limits import check_open_files
from gameday.model import Reason
from gameday.policy.approvals import unapproved
from gameday.policy.file import Policy
from gameday.policy.refusal import Refusal
from gameday.policy.rules import refusals, target_refusals
from gameday.policy.subject import lasting
from gameday.runner.bounds import run_max_ms
from gameday.runner.budget import budgets
from gameday.runner.folder import subject_of
from gameday.schema.experiment import Experiment
from gameday.schema.power import never_provable
from gameday.spi import LoadError
from gameday.undo.leftover import describe, residue
from gameday.undo.state import pressed

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded


def standing(loaded: Loaded) -> Iterator[dict[str, str]]:
    """Yield what stands in the way of a run whatever its faults touch: a person, a residue, secrets, limits, too little load."""
    if why := pressed():
        yield {
            "reason": str(Reason.PERSON),
            "detail": f"gameday stop: {why}; let runs start again with: gameday resume",
        }
    if left := residue(loaded.experiment):
        yield {"reason": str(Reason.RESIDUE), "detail": describe(left)}
    for lack in never_provable(loaded.experiment):
        wanted = "which no count can prove" if lack.needed is None else f"it takes {lack.needed:,}"
        offers = f"the {lack.phase} phase offers {lack.expected:,} requests, {wanted}"
        detail = f"{lack.objective}: {lack.criterion} can never be proven: {offers}"
        yield {"reason": str(Reason.TOO_FEW), "detail": detail}
    if loaded.needed:
        needed = f"a run needs the secrets {', '.join(loaded.needed)}: export them, or use --var-file"
        yield {"reason": str(Reason.REFUSED), "detail": needed}
    if loaded.experiment.load is not None:
        try:
            check_open_files(loaded.experiment.load)
        except LoadError as error:
            yield {"reason": str(Reason.LOAD_GENERATOR), "detail": f"{error}; {error.hint}"}


def forbidden(
    policies: tuple[Policy, ...], experiment: Experiment, loaded: Loaded, faults: list[dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """Yield each rule of a policy that would refuse a run that begins now."""
    now, found = datetime.now(UTC), found_in(faults)
    broken = refusals(policies, experiment, now, run_max_ms(experiment))
    broken += target_refusals(policies, experiment, found.targets, found.servers)
    broken += unapproved(policies, experiment, subject_of(loaded), now, lasting(experiment, found.targets))
    broken += [one for one in budgets(policies, experiment, os.environ) if isinstance(one, Refusal)]
    for refusal in broken:
        yield {"reason": str(Reason.POLICY), "detail": str(refusal)}


def unprovable(reason: Reason, lacks: Iterable[tuple[str, str, str]]) -> Iterator[dict[str, str]]:
    """Yield each criterion, with its objective and why, that no run could show to hold."""
    for objective, criterion, why in lacks:
        yield {"reason": str(reason), "detail": f"{objective}: {criterion} can never be proven: {why}"}


def unplanned(faults: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Yield each fault that its driver cannot plan, and why."""
    for fault in faults:
        if fault["error"]:
            detail = f"{fault['name']} cannot be planned: {fault['error']}"
            yield {"reason": str(Reason.ACTION_FAILED), "detail": detail}
