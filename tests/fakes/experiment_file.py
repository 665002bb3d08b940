"""The design's example experiment as text, and drivers that only have parameters, so that files are checked without plug-ins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gameday.model import Plan
from gameday.schema.errors import UnknownDriverError, did_you_mean
from gameday.schema.experiment import Experiment, Request
from gameday.schema.parameters import parameters_of, read_parameters
from gameday.spi import Driver, World

EXAMPLE = """\
version: 1
title: Checkout survives a payments outage
hypothesis: With payments down, checkout queues the payment and answers within a second.
tags: [dependency-outage]
owner: team-checkout
runbook: runbooks/payments-down.md

variables:
  base_url: {env: BASE_URL, default: "http://127.0.0.1:8080"}
  api_token: {env: API_TOKEN, secret: true}

system:
  payments: {run: [python, -m, gameday.shop.payments, --port, "9002"], ready: {tcp: "127.0.0.1:9002"}, restart: always}
  shop:
    run: [python, -m, gameday.shop.front, --port, "8080"]
    ready: {http: "http://127.0.0.1:8080/healthz", timeout: 20s}

proxies:
  payments: {listen: "127.0.0.1:9102", upstream: "127.0.0.1:9002"}

load:
  target: "${base_url}"
  rate: 100/s
  headers: {Authorization: "Bearer ${api_token}", X-Gameday-Run: "${run.id}"}
  requests:
    - {name: browse, weight: 7, get: /products}
    - {name: checkout, weight: 3, post: /checkout, json: {sku: "A1", note: null}, check: [status == 200]}

objectives:
  checkout-available:
    expect: errors < 0.5%
    where: {endpoint: checkout}
    during: errors < 5%
    recover: {within: 20s}
  checkout-fast: {expect: p95 < 300ms, during: p95 < 1s}

phases: {warmup: 10s, baseline: 60s, recovery: 60s}

faults:
  - payments-down: {do: proxy.down, with: {proxy: payments}, at: 0s, for: 60s}
  - one-killed: {do: process.kill, with: {process: payments}, at: 70s, irreversible: allow, observe: 20s}

abort:
  - errors lose 1.5s of traffic beyond 50%
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the example with each first text replaced once; a text that is not there is a mistake of the test."""
    text = EXAMPLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def write(folder: Path, text: str | bytes, name: str = "bad.yaml") -> Path:
    """Write an experiment file and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def requests_of(experiment: Experiment) -> tuple[Request, ...]:
    """Return the requests of an experiment whose load lists them."""
    assert experiment.profile.requests is not None
    return experiment.profile.requests


class _Inert:
    """Does nothing: files are checked, never run."""

    provable = True

    def plan(self, world: World) -> Plan:
        raise NotImplementedError

    def inject(self, plan: Plan, world: World) -> None:
        raise NotImplementedError

    def active(self, plan: Plan, world: World) -> bool:
        raise NotImplementedError

    def revert(self, plan: Plan, world: World) -> None:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ProxyDown(_Inert):
    proxy: str

    name = "proxy.down"
    reversible = True


@dataclass(frozen=True, kw_only=True)
class ProxyLatency(_Inert):
    proxy: str
    latency: int = field(metadata={"unit": "duration", "min": 1, "max": 60_000, "help": "added to each answer"})
    share: float = field(default=1.0, metadata={"unit": "percent", "min": 0.01})

    name = "proxy.latency"
    reversible = True


@dataclass(frozen=True, kw_only=True)
class KillProcess(_Inert):
    process: str
    signals: int = field(default=1, metadata={"min": 1})

    name = "process.kill"
    reversible = False


@dataclass(frozen=True, kw_only=True)
class Command(_Inert):
    run: tuple[str, ...]
    undo: tuple[str, ...] = ()

    name = "command"

    @property
    def reversible(self) -> bool:
        return bool(self.undo)


DRIVERS: dict[str, type[Any]] = {made.name: made for made in (ProxyDown, ProxyLatency, KillProcess, Command)}


def fake_drivers(name: str, params: Mapping[str, Any]) -> Driver:
    """Stand in for registry.load_driver."""
    if name not in DRIVERS:
        raise UnknownDriverError(f"no driver is called {name!r}", hint=did_you_mean(name, DRIVERS))
    driver: Driver = DRIVERS[name](**read_parameters(name, parameters_of(DRIVERS[name]), params))
    return driver


@dataclass(frozen=True, kw_only=True)
class HttpProbe:
    value: str
    json: str = ""


@dataclass(frozen=True, kw_only=True)
class CommandProbe:
    value: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProcessProbe:
    value: str
    fds: bool = False


@dataclass(frozen=True, kw_only=True)
class LokiProbe:
    value: str
    query: str = ""


PROBES: dict[str, type[Any]] = {
    "http": HttpProbe,
    "command": CommandProbe,
    "process": ProcessProbe,
    "loki": LokiProbe,
}


def fake_probes(kind: str, params: Mapping[str, Any]) -> object:
    """Stand in for registry.load_probe."""
    if kind not in PROBES:
        raise UnknownDriverError(f"no probe is called {kind!r}", hint=did_you_mean(kind, PROBES))
    return PROBES[kind](**read_parameters(kind, parameters_of(PROBES[kind]), params))
