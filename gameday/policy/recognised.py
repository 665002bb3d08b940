"""In which environments of a policy a run is: by the hosts and clusters that it touches, never by a flag.

The pattern that names what is touched most closely wins: ``*.staging.example.com`` before ``*.example.com``. A pattern that a run gives
itself (``load.allow_hosts``) touches every environment that it could lead to.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from gameday.policy.file import Clusters, Environment, Policy
from gameday.policy.touched import Cluster, touched_clusters, touched_hosts
from gameday.schema.experiment import Experiment

_WILD = frozenset("*?[")


def environments(
    policy: Policy, experiment: Experiment, servers: Mapping[str, str] | None = None
) -> dict[str, Environment]:
    """Return the environments that a run is in, by their names; ``servers`` as for touched_clusters."""
    named = policy.rules.environments
    found = [name for host in touched_hosts(experiment) for name in of_host(named, host)]
    found += [name for one in touched_clusters(experiment, servers) if (name := of_cluster(named, one))]
    return {name: named[name] for name in dict.fromkeys(found)}


def of_host(named: Mapping[str, Environment], host: str) -> tuple[str, ...]:
    """Return the environment that a host is in; those, where the host is itself a pattern."""
    patterns = [(pattern.lower(), name) for name, environment in named.items() for pattern in environment.hosts]
    closest = max(
        ((*_closeness(pattern, host), name) for pattern, name in patterns if fnmatchcase(host, pattern)), default=None
    )
    wider = [name for pattern, name in patterns if _WILD & set(host) and fnmatchcase(pattern, host)]
    return tuple(dict.fromkeys([*([closest[-1]] if closest else []), *wider]))


def of_cluster(named: Mapping[str, Environment], touched: Cluster) -> str | None:
    """Return the environment that a way to a cluster leads into, by context, API server and namespace."""
    matches = [
        (_closeness(entry.context, touched.context), max(_spaces(entry, touched)), name)
        for name, environment in named.items()
        for entry in environment.kubernetes
        if is_in(entry, touched) and _spaces(entry, touched)
    ]
    return max(matches)[-1] if matches else None


def is_in(entry: Clusters, touched: Cluster) -> bool:
    """Whether it is that cluster, whatever the namespace."""
    known = touched.context and fnmatchcase(touched.context, entry.context)
    return bool(known) and (entry.server is None or entry.server.rstrip("/") == touched.server)


def _spaces(entry: Clusters, touched: Cluster) -> list[tuple[bool, int]]:
    """Return how closely each entry for namespaces names the one that is touched; nothing where none does."""
    if touched.namespace is None:
        return [(True, 0)] if entry.whole else []
    return [_closeness(one, touched.namespace) for one in entry.namespaces if fnmatchcase(touched.namespace, one)]


def _closeness(pattern: str, what: str) -> tuple[bool, int]:
    return pattern == what, len(pattern.replace("*", ""))


def names(pattern: str, driver: str) -> bool:
    """Whether a pattern of ``allow`` speaks of that driver, and not of all: it begins with a letter of the name."""
    return pattern[:1] not in _WILD and fnmatchcase(driver, pattern)
