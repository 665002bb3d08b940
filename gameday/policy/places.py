"""What a policy says of where a run would be: hosts and clusters that no environment names, or that one denies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from gameday.policy.file import Environment, Policy
from gameday.policy.recognised import is_in, of_cluster, of_host
from gameday.policy.refusal import Refusal
from gameday.policy.touched import Cluster, touched_clusters, touched_hosts
from gameday.schema.experiment import Experiment


def place_of(policy: Policy, name: str) -> str:
    """Return where the rules of an environment stand."""
    return f"{policy.path.name}: environments.{name}"


def where_refusals(policy: Policy, experiment: Experiment) -> Iterator[Refusal]:
    """Yield why a run may not be where it would be."""
    named = policy.rules.environments
    for host, by in touched_hosts(experiment).items():
        found = of_host(named, host)
        if not found:
            says = f"{by} touches {host}, which is in no environment; name it under hosts of one"
            yield Refusal(rule=f"{policy.path.name}: environments", says=says)
        for name in found:
            if any(_either(host, pattern.lower()) for pattern in named[name].deny_hosts):
                yield Refusal(rule=f"{place_of(policy, name)}.deny_hosts", says=f"{by} touches {host}, which is denied")
    yield from cluster_refusals(policy, experiment)


def _either(host: str, pattern: str) -> bool:
    """Whether a pattern is for a host, or for a part of it where the host is a pattern itself."""
    return fnmatchcase(host, pattern) or fnmatchcase(pattern, host)


def cluster_refusals(
    policy: Policy, experiment: Experiment, servers: Mapping[str, str] | None = None
) -> Iterator[Refusal]:
    """Yield why the clusters of a run may not be touched; ``servers`` as for touched_clusters."""
    named = policy.rules.environments
    for touched in touched_clusters(experiment, servers):
        name = of_cluster(named, touched)
        if name is None:
            yield _unknown(policy, named, touched)
        elif denied := [one for one in named[name].deny_namespaces if _reaches(touched, one)]:
            where = touched.namespace or f"the whole cluster {touched.words}, {denied[0]} with it"
            says = f"the fault {touched.fault} touches {where}, which is denied"
            yield Refusal(rule=f"{place_of(policy, name)}.deny_namespaces", says=says)


def _reaches(touched: Cluster, denied: str) -> bool:
    return touched.namespace is None or fnmatchcase(touched.namespace, denied)


def _unknown(policy: Policy, named: Mapping[str, Environment], touched: Cluster) -> Refusal:
    """Say what is missing so that a way to a cluster were in an environment: the cluster, its server, the namespace."""
    by = f"the fault {touched.fault}"
    if not touched.context:
        says = f"{by} names no context, so that which cluster it touches cannot be told"
        return Refusal(rule=f"{policy.path.name}: environments", says=says)
    entries = [(name, entry) for name, one in named.items() for entry in one.kubernetes]
    alike = [(name, entry) for name, entry in entries if fnmatchcase(touched.context, entry.context)]
    here = [(name, entry) for name, entry in alike if is_in(entry, touched)]
    if not alike:
        says = f"{by} touches the cluster {touched.words}, which is in no environment; name it under kubernetes of one"
        return Refusal(rule=f"{policy.path.name}: environments", says=says)
    name, entry = (here or alike)[0]
    rule = f"{place_of(policy, name)}.kubernetes"
    if not here:
        found = f"leads to {touched.server}" if touched.server else "has no server in that kubeconfig"
        return Refusal(rule=rule, says=f"{by}: the context {touched.context} {found}, and it must be {entry.server}")
    if touched.namespace is None:
        says = f"{by} touches {touched.words} as a whole; only cluster_scoped = true lets it"
        return Refusal(rule=rule, says=says)
    listed = ", ".join(dict.fromkeys(space for _, one in here for space in one.namespaces)) or "none"
    says = f"{by} touches the namespace {touched.namespace} of {touched.words}; namespaces of it are {listed}"
    return Refusal(rule=rule, says=says)
