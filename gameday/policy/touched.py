"""What a run would touch, from its resolved experiment: hosts, clusters, and what can reach anything.

Touched is what it loads, what it puts a proxy in front of, what its faults call, what it asks by ``http``, and this machine where it
starts programs. What sources and other probes read is not. Names of this very machine are one: 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from gameday.policy.kubeconfig import server_of
from gameday.schema.experiment import Experiment, FaultSpec, LoadProfile
from gameday.schema.sli import VALUE, Sli

HERE = "127.0.0.1"
CLUSTER = "k8s."
"""How the names of drivers begin that act on a cluster."""
_HTTP = "http"
_KNOWN = ("proxy.", "toxiproxy.", "process.", CLUSTER)
"""How the names of drivers begin whose parameters say all that they reach; ``http`` has URLs. Any other can reach anything."""
_PROGRAMS = ("command", "chaostoolkit")
"""Probes that run what the file says."""
_METHODS = ("get", "post", "put", "patch", "delete", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A fault's way to a cluster."""

    fault: str
    context: str
    """Empty where the fault names none."""
    server: str
    """URL of the API server behind it, without a slash at its end; empty where it is not known."""
    namespace: str | None
    """None: the cluster as a whole."""

    @property
    def words(self) -> str:
        """Name it for people."""
        return self.context + (f" at {self.server}" if self.server else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """What can reach anything: only a rule that names it lets it run."""

    name: str
    """As ``allow`` names it: a driver, or ``probe:`` and a kind."""
    by: str


def touched_hosts(experiment: Experiment) -> dict[str, str]:
    """Return each host in lower case, and what touches it in words; one that cannot be known is the text that the file has."""
    found: dict[str, str] = {}
    for host, by in _all(experiment):
        found.setdefault(_plain(host), by)
    return found


def touched_clusters(experiment: Experiment, servers: Mapping[str, str] | None = None) -> tuple[Cluster, ...]:
    """Return the ways to clusters; ``servers`` are API servers by fault, where they are known better than by the kubeconfig."""
    found: list[Cluster] = []
    for fault in experiment.faults:
        given = fault.with_
        if not fault.do.startswith(CLUSTER) and not {"context", "kubeconfig"} & given.keys():
            continue
        context = str(given.get("context") or "")
        server = (servers or {}).get(fault.name) or server_of(str(given.get("kubeconfig") or ""), context)
        found += [
            Cluster(fault=fault.name, context=context, server=server.rstrip("/"), namespace=namespace)
            for namespace in _namespaces(given)
        ]
    return tuple(found)


def holes(experiment: Experiment) -> tuple[Hole, ...]:
    """Return what of a run can reach anything, whatever its parameters say."""
    faults = (Hole(name=fault.do, by=f"the fault {fault.name}") for fault in experiment.faults if _opaque(fault.do))
    probes = (
        Hole(name=f"probe:{sli.kind}", by=f"the SLI {name}")
        for name, sli in experiment.slis.items()
        if sli.kind in _PROGRAMS
    )
    return (*faults, *probes)


def _opaque(driver: str) -> bool:
    return driver != _HTTP and not driver.startswith(_KNOWN)


def _namespaces(given: Mapping[str, Any]) -> tuple[str | None, ...]:
    listed = given.get("namespaces")
    several = tuple(map(str, cast("list[object]", listed))) if isinstance(listed, (list, tuple)) else ()
    one = given.get("namespace")
    return (*several, *((str(one),) if one else ())) or (None,)


def _all(experiment: Experiment) -> Iterator[tuple[str, str]]:
    if experiment.load is not None:
        yield from _of_load(experiment.load)
    for name, proxy in experiment.proxies.items():
        if proxy.upstream is not None:
            yield proxy.upstream.rpartition(":")[0], f"the proxy {name}"
        if proxy.control is not None:
            yield _host(proxy.control), f"the proxy {name}"
    for name, process in experiment.system.items():
        yield HERE, f"the process {name}"
        if process.ready is not None and process.ready.http is not None:
            yield _host(process.ready.http), f"the process {name}"
    for name, sli in experiment.slis.items():
        yield from ((host, f"the SLI {name}") for host in _of_sli(sli))
    for fault in experiment.faults:
        yield from ((host, f"the fault {fault.name}") for host in _of_fault(fault))


def _of_load(load: LoadProfile) -> Iterator[tuple[str, str]]:
    yield _host(load.target), "load.target"
    for host in load.allow_hosts or ():
        yield host, "load.allow_hosts"
    for request in load.requests or ():
        if "://" in request.path:
            yield _host(request.path), f"the request {request.name}"
    if load.locustfile is not None:
        yield HERE, "load.locustfile"


def _of_sli(sli: Sli) -> Iterator[str]:
    if sli.kind in _PROGRAMS:
        yield HERE
    if sli.kind == _HTTP:
        yield _host(str(sli.params.get(VALUE)))


def _of_fault(fault: FaultSpec) -> Iterator[str]:
    if fault.do.startswith("process.") or _opaque(fault.do):
        yield HERE
    for key, text in _texts(fault.with_, ""):
        if text.lower().startswith(("http://", "https://")) or (fault.do == _HTTP and key in _METHODS):
            yield _host(text)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield every text inside a JSON value, after the key that it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, one in cast("dict[str, Any]", value).items():
            yield from _texts(one, name)
    elif isinstance(value, (list, tuple)):
        for one in cast("list[Any]", value):
            yield from _texts(one, key)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _plain(host: str) -> str:
    """Write a host one way: without brackets and the final dot, in lower case, this machine by one name."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return HERE if name == "localhost" or name.endswith(".localhost") else name
    return HERE if address.is_loopback or address.is_unspecified else str(address)
