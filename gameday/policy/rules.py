"""What a policy says of one run: every rule that refuses it, in words with the way out.

A run that touches several environments is under the rules of all of them, and one that touches what no environment names is refused:
nothing is allowed by having been forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from gameday.policy.file import Environment, Policy, Window
from gameday.policy.places import cluster_refusals, place_of, where_refusals
from gameday.policy.recognised import environments, names
from gameday.policy.refusal import Refusal, located
from gameday.policy.touched import holes
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import AbortRule, ForRule
from gameday.schema.units import format_duration
from gameday.schema.windows import check_moment, closes, inside


def refusals(policies: Iterable[Policy], experiment: Experiment, now: datetime, lasts_ms: int) -> list[Refusal]:
    """Return why a run may not begin at ``now`` (with a time zone) and last for so long; nothing has been resolved yet."""
    return [
        located(refusal, policy.text) for policy in policies for refusal in _static(policy, experiment, now, lasts_ms)
    ]


def target_refusals(
    policies: Iterable[Policy],
    experiment: Experiment,
    targets: Mapping[str, tuple[str, ...]],
    servers: Mapping[str, str] | None = None,
) -> list[Refusal]:
    """Return why the targets that the faults (by name) have found may not be touched.

    ``servers`` are the API servers that they were found at: what a kubeconfig said a moment ago does not count.
    """
    found: list[Refusal] = []
    for policy in policies:
        broken = list(cluster_refusals(policy, experiment, servers)) if servers else []
        if set(environments(policy, experiment, servers)) != set(environments(policy, experiment)):
            says = "a kubeconfig leads to another environment than it says"
            broken.append(Refusal(rule=f"{policy.path.name}: environments", says=says))
        for name, environment in environments(policy, experiment, servers).items():
            for fault, several in targets.items():
                rounds = sum(len(spec.rounds) for spec in experiment.faults if spec.name == fault)
                broken += _of_targets(place_of(policy, name), environment, fault, several, 1 + rounds)
        found += [located(refusal, policy.text) for refusal in broken]
    return found


def abort_rules(policies: Iterable[Policy], experiment: Experiment) -> tuple[AbortRule, ...]:
    """Return the abort rules that policies add to a run, without those that it has."""
    own = {rule.text for rule in experiment.abort}
    added = (
        rule
        for policy in policies
        for environment in environments(policy, experiment).values()
        for rule in environment.abort
    )
    return tuple({rule.text: rule for rule in added if rule.text not in own}.values())


def under(policies: Iterable[Policy], experiment: Experiment) -> Experiment:
    """Return the experiment with the abort rules that policies add."""
    added = abort_rules(policies, experiment)
    return experiment.model_copy(update={"abort": (*experiment.abort, *added)}) if added else experiment


def _measured(rule: AbortRule, experiment: Experiment) -> bool:
    """Whether a run measures what a rule speaks of."""
    if isinstance(rule, ForRule) and rule.criterion.kind == "gauge":
        return rule.criterion.sli in experiment.slis
    return experiment.load is not None


def _static(policy: Policy, experiment: Experiment, now: datetime, lasts_ms: int) -> Iterator[Refusal]:
    yield from where_refusals(policy, experiment)
    for name, environment in environments(policy, experiment).items():
        place = place_of(policy, name)
        yield from _drivers(place, environment, experiment)
        yield from _caps(place, environment, experiment)
        yield from _times(place, environment, now, lasts_ms)
        for rule in environment.abort:
            if not _measured(rule, experiment):
                says = f"every run must be stopped by {rule.text!r}, and this one does not measure that"
                yield Refusal(rule=f"{place}.abort", says=says)


def _drivers(place: str, environment: Environment, experiment: Experiment) -> Iterator[Refusal]:
    for fault in (*experiment.faults, *experiment.silences):
        if any(fnmatchcase(fault.do, pattern) for pattern in environment.deny):
            yield Refusal(rule=f"{place}.deny", says=f"{fault.name} uses {fault.do}, which is denied")
        elif not any(fnmatchcase(fault.do, pattern) for pattern in environment.allow):
            allowed = ", ".join(environment.allow) or "nothing"
            says = f"{fault.name} uses {fault.do}; allowed is {allowed}"
            yield Refusal(rule=f"{place}.allow", says=says)
    for sli, probe in experiment.slis.items():
        if any(fnmatchcase(f"probe:{probe.kind}", pattern) for pattern in environment.deny):
            yield Refusal(rule=f"{place}.deny", says=f"the SLI {sli} uses probe:{probe.kind}, which is denied")
    for hole in holes(experiment):
        named = any(names(pattern, hole.name) for pattern in environment.allow)
        if not named and (hole.name.startswith("probe:") or _allowed(environment, hole.name)):
            says = f"{hole.by} uses {hole.name}, which can reach anything: only an allow that names it lets it run"
            yield Refusal(rule=f"{place}.allow", says=says)


def _allowed(environment: Environment, driver: str) -> bool:
    """Whether the lists let it run; what they refuse is said already."""
    denied = any(fnmatchcase(driver, pattern) for pattern in environment.deny)
    return not denied and any(fnmatchcase(driver, pattern) for pattern in environment.allow)


def _caps(place: str, environment: Environment, experiment: Experiment) -> Iterator[Refusal]:
    longest = environment.max_duration
    if longest is not None and experiment.fault_ms > longest:
        lasts, most = format_duration(experiment.fault_ms), format_duration(longest)
        yield Refusal(rule=f"{place}.max_duration", says=f"the fault phase lasts {lasts}, and {most} is the most")


def _of_targets(
    place: str, environment: Environment, fault: str, found: tuple[str, ...], rounds: int
) -> Iterator[Refusal]:
    most, many = environment.max_targets, len(found) * rounds
    if most is not None and many > most:
        yield Refusal(rule=f"{place}.max_targets", says=f"{fault} would touch {many} targets, and {most} is the most")
    for target in found:
        if any(fnmatchcase(target, pattern) for pattern in environment.deny_targets):
            yield Refusal(rule=f"{place}.deny_targets", says=f"{fault} would touch {target}, which is denied")


def _times(place: str, environment: Environment, now: datetime, lasts_ms: int) -> Iterator[Refusal]:
    end = now + timedelta(milliseconds=lasts_ms)
    for blackout in environment.blackout:
        begin, over = (check_moment(text, blackout.timezone) for text in (blackout.from_, blackout.to))
        if now < over and end > begin:
            says = f"nothing may run from {blackout.from_} to {blackout.to} {blackout.timezone}"
            yield Refusal(rule=f"{place}.blackout", says=says)
    if environment.windows and not any(_open(window, now, end) for window in environment.windows):
        lasts = format_duration(max(1, lasts_ms // 1000) * 1000)
        says = f"a run of up to {lasts} that begins now is in no window; open are {'; '.join(map(_shown, environment.windows))}"
        yield Refusal(rule=f"{place}.windows", says=says)


def _open(window: Window, now: datetime, end: datetime) -> bool:
    if not inside(window.days, window.from_, window.to, window.timezone, now):
        return False
    return end <= closes(window.to, window.timezone, now)


def _shown(window: Window) -> str:
    return f"{window.days} {window.from_} to {window.to} {window.timezone}"
