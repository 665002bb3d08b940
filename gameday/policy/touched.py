"""Which hosts a run would touch, from its resolved experiment: what it loads, what it puts a proxy in front of, what its faults call.

What is only read (sources, probes) is not touched. Names of this very machine are one: 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from gameday.schema.experiment import Experiment, FaultSpec

HERE = "127.0.0.1"
_LOCAL = ("process.", "command", "chaostoolkit")
"""Drivers that act on the machine which runs gameday."""


def touched_hosts(experiment: Experiment) -> dict[str, str]:
    """Return each host in lower case, and what touches it in words; one that cannot be known is the text that the file has."""
    found: dict[str, str] = {}
    for host, by in _all(experiment):
        found.setdefault(_plain(host), by)
    return found


def _all(experiment: Experiment) -> Iterator[tuple[str, str]]:
    load = experiment.load
    if load is not None:
        yield _host(load.target), "load.target"
        for request in load.requests or ():
            if "://" in request.path:
                yield _host(request.path), f"the request {request.name}"
    for name, proxy in experiment.proxies.items():
        if proxy.upstream is not None:
            yield proxy.upstream.rpartition(":")[0], f"the proxy {name}"
        if proxy.control is not None:
            yield _host(proxy.control), f"the proxy {name}"
    for fault in experiment.faults:
        yield from _of_fault(fault)


def _of_fault(fault: FaultSpec) -> Iterator[tuple[str, str]]:
    by = f"the fault {fault.name}"
    if fault.do.startswith(_LOCAL):
        yield HERE, by
    for text in _texts(fault.with_):
        if text.startswith(("http://", "https://")):
            yield _host(text), by


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in cast("dict[str, Any]", value).values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in cast("list[Any]", value):
            yield from _texts(one)


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
