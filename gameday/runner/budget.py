"""Whether enough of an error budget is left, where a policy asks for that: an OpenSLO document, asked of the policy's own Prometheus.

Bad over the document's whole time window, as a share of (1 - target) of all, is what was used of the budget (Google's SRE workbook, chapter
2). What cannot be asked, or is known for less than nine tenths of the window, is no budget: nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gameday.policy.file import ErrorBudget, Policy
from gameday.policy.places import place_of
from gameday.policy.recognised import environments
from gameday.policy.refusal import Refusal, located
from gameday.registry import load_probe
from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.nodes import Entries
from gameday.schema.openslo import SUFFIX, Read, read_slo
from gameday.schema.quantities import format_percent
from gameday.schema.yamlfile import parse, read_bytes
from gameday.spi import GamedayError, Secrets, World
from gameday.spi.tally import Tallies, Tally
from gameday.undo.sources import resolve

KNOWN = 0.9
"""How much of the window must be known."""
_SLI = "budget" + SUFFIX


class BudgetError(GamedayError):
    """What is left of a budget cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a policy asks to be left of a budget, and what is."""

    policy: Policy
    environment: str
    asked: ErrorBudget
    slo: Read
    tally: Tally

    @property
    def share(self) -> float:
        """What is left, from 1 down; below 0 where more than all was used."""
        return round(1 - self.tally.bad / self.tally.total / (1 - self.slo.target), 9)  # no dust of the division

    def record(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return {
            "policy": str(self.policy.path),
            "environment": self.environment,
            "slo": self.slo.name,
            "target": self.slo.target,
            "window_ms": self.slo.window_ms,
            "bad": self.tally.bad,
            "total": self.tally.total,
            "known": self.tally.known,
            "left": self.share,
            "at_least": self.asked.least,
        }


def budgets(policies: Iterable[Policy], experiment: Experiment, environ: Mapping[str, str]) -> Iterator[Left | Refusal]:
    """Ask for every budget that policies want to be left; ``environ`` has the tokens that they refer to."""
    for policy in policies:
        for name, rules in environments(policy, experiment).items():
            if rules.error_budget is None:
                continue
            rule = f"{place_of(policy, name)}.error_budget"
            try:
                left = _left(policy, name, rules.error_budget, environ)
            except GamedayError as error:
                says = f"what is left of the error budget cannot be told, so nothing may run: {error}"
                yield located(Refusal(rule=rule, says=says), policy.text)
                continue
            enough = left.share >= left.asked.least
            yield left if enough else located(Refusal(rule=rule, says=_spent(left)), policy.text)


def _spent(left: Left) -> str:
    window = _days(left.slo.window_ms or 0)
    share = format_percent(int(left.share * 1e4) / 1e4) if left.share >= 1e-4 else "nothing"  # noqa: PLR2004 - 0.01%
    return (
        f"{share} is left of the error budget of {left.slo.name} over {window}, and {left.asked.at_least} is asked for"
    )


def _days(window_ms: int) -> str:
    return f"{window_ms / 86_400_000:.3g} days"


def _left(policy: Policy, environment: str, asked: ErrorBudget, environ: Mapping[str, str]) -> Left:
    slo = _document(policy, asked)
    secrets = Secrets(values=environ)
    found = resolve(policy.rules.sources, secrets, policy.path.parent)
    wanted = asked.source or str(slo.sli.get("source") or "")
    world = World(run_id="policy", sources=found, source_name=wanted, secrets=secrets)
    world.source("prometheus")
    probe = load_probe("prometheus", {"value": slo.sli["prometheus"]})
    if not isinstance(probe, Tallies) or slo.window_ms is None:
        raise BudgetError("its source cannot add up")
    beyond = "" if slo.ratio else slo.expect.removeprefix(f"share({_SLI} ").partition(")")[0]
    tally = probe.tally(world, slo.window_ms // 1000, beyond)
    if tally.known < KNOWN:
        window = _days(slo.window_ms)
        raise BudgetError(f"only {format_percent(int(tally.known * 100) / 100)} of its {window} is known to the source")
    return Left(policy=policy, environment=environment, asked=asked, slo=slo, tally=tally)


def _document(policy: Policy, asked: ErrorBudget) -> Read:
    path = policy.path.parent / asked.slo
    try:
        document = parse(str(path), read_bytes(path))
    except ExperimentErrors as error:
        raise BudgetError(f"{path} cannot be read: {error.errors[0].message}") from None
    read = read_slo(document, document.root, _SLI) if isinstance(document.root, Entries) else None
    if read is None or document.errors:
        said = document.errors[0].message if document.errors else "it is no mapping"
        raise BudgetError(f"{path}: {said}")
    if read.window_ms is None:
        raise BudgetError(f"{path} has no timeWindow, and a budget is of one")
    return read
