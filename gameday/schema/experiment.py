"""The experiment file's shape: one model for each section, frozen, nothing unknown allowed.

These models are read after variables have been put in; what remains as ``${name}`` is a reference to a secret. They
write themselves back in the file's own grammar, which is how the run folder keeps the resolved experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from gameday.schema.alert import FiresWithin, Labels, ResolvesWithin
from gameday.schema.baseline import Baseline
from gameday.schema.fields import (
    Abort,
    Argument,
    Criteria,
    DataList,
    Environment,
    HostPort,
    Line,
    Name,
    OneOrMore,
    Pattern,
    Url,
    Word,
)
from gameday.schema.grammar import Criterion, ForRule
from gameday.schema.loadprofile import METHODS, LoadProfile, Request, Stage, Workers
from gameday.schema.marks import Form, Mistake
from gameday.schema.nodes import Path
from gameday.schema.notify import Channel
from gameday.schema.openslo import Slo
from gameday.schema.section import Section, key
from gameday.schema.silence import silence_of
from gameday.schema.sli import Sli
from gameday.schema.source import SourceSpec
from gameday.schema.units import Duration, PositiveDuration

__all__ = [
    "METHODS",
    "Experiment",
    "FaultSpec",
    "LoadProfile",
    "Objective",
    "Phases",
    "Proxy",
    "ProxyTls",
    "Ready",
    "Recover",
    "Request",
    "Section",
    "Sli",
    "SourceSpec",
    "Stage",
    "SystemProcess",
    "Where",
    "Workers",
]

_SLO = Form({"type": "string", "examples": ["slo/checkout.yaml"]})
_BASELINE = Form({"type": "string", "examples": ["ci/checkout-baseline.yaml"]})
CHAOS_EXPERIMENT = "chaostoolkit.experiment"
"""The driver of whole Chaos Toolkit experiments."""
_ONE_TARGET = "process."
"""Drivers that touch one target unless the file allows more."""


class Ready(Section):
    """How a process under ``system:`` shows that it is ready: exactly one of http, tcp, log and command."""

    http: Url | None = key(
        default=None, description="a URL that answers 2xx", examples=["http://127.0.0.1:8080/healthz"]
    )
    tcp: HostPort | None = key(default=None, description="host:port that accepts a connection")
    log: Pattern | None = key(default=None, description="a regular expression that one line of its log matches")
    command: tuple[Argument, ...] | None = key(default=None, least=1, description="an argv that exits 0")
    timeout: PositiveDuration = key(default=30_000, description="how long it may take")

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if sum(x is not None for x in (self.http, self.tcp, self.log, self.command)) != 1:
            raise ValueError("needs exactly one of http, tcp, log and command")


class SystemProcess(Section):
    """A process that this run starts, waits for and stops."""

    run: tuple[Argument, ...] = key(
        least=1, description="the argv; python as first word is the interpreter that runs gameday"
    )
    ready: Ready | None = key(default=None, description="how it shows that it is ready; without it, once it runs")
    env: Environment = key(default={}, description="environment variables, beside those gameday itself has")
    cwd: Argument | None = key(default=None, description="where it runs; default: the folder of the file")
    restart: Literal["always", "never"] = key(default="never", description="whether it is started again when it ends")


class ProxyTls(Section):
    """How a fault proxy of ours terminates TLS; its certificate is made for the run."""

    names: OneOrMore = key(
        least=1, description="names and IP addresses the certificate is for", examples=[["localhost"]]
    )
    ca_file: Argument | None = key(
        default=None,
        description="where to write the authority's certificate while the proxy runs, for clients to trust",
    )
    ca_cert: Argument | None = key(default=None, description="PEM file of an authority that clients trust already")
    ca_key: Argument | None = key(default=None, description="PEM file of its key")
    upstream: bool = key(default=False, description="whether the dependency speaks TLS, too")
    upstream_ca: Argument | None = key(default=None, description="PEM file to check the dependency's certificate with")
    upstream_name: Line | None = key(default=None, description="the name to check it for; default: the upstream's host")

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if (self.ca_cert is None) != (self.ca_key is None):
            raise ValueError("needs ca_cert and ca_key together")
        if not self.upstream and (self.upstream_ca or self.upstream_name):
            raise ValueError("upstream_ca and upstream_name need upstream: true")


class Proxy(Section):
    """A fault proxy in front of a dependency: ours (listen, upstream), or one that runs elsewhere (control, name)."""

    listen: HostPort | None = key(default=None, description="where clients connect", examples=["127.0.0.1:9102"])
    upstream: HostPort | None = key(default=None, description="the dependency itself", examples=["127.0.0.1:9002"])
    control: Url | None = key(
        default=None, description="the control port of a proxy that runs elsewhere", examples=["http://127.0.0.1:8474"]
    )
    name: Line | None = key(default=None, description="what the proxy that runs elsewhere calls it")
    token: str | None = key(default=None, description="of a control port that asks for one; a secret variable")
    tls: ProxyTls | None = key(default=None, description="terminate TLS; for proxies of this run")

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        here = self.listen is not None and self.upstream is not None and self.control is None and self.name is None
        elsewhere = self.control is not None and self.listen is None and self.upstream is None
        if not here and not elsewhere:
            raise ValueError("needs listen and upstream, or control (and name) of a proxy that runs elsewhere")
        if self.tls is not None and not here:
            raise ValueError("tls is for a proxy of this run; one that runs elsewhere is told where it is started")


class Where(Section):
    """Which requests an objective speaks of."""

    endpoint: OneOrMore = key(least=1, description="names of requests")


class Recover(Section):
    """How soon ``expect`` must hold again after the fault."""

    within: PositiveDuration | None = key(default=None, description="default: the recovery phase without the hold")
    hold: PositiveDuration | None = key(
        default=None, description="how long it must hold; default: 10s, or 3/budget requests"
    )


SPEAKS_OF = (("expect",), ("slo",), ("alert", "fires"))
"""What an objective speaks of: each with the keys that it needs; a document by reference becomes an ``expect``."""
_OF_ALERTS = ("fires", "resolves", "labels", "source")


class Objective(Section):
    """What must hold: ``expect`` before and after, ``during`` (default: the same) while the fault is on; or what an alert must do."""

    expect: Criteria = key(default=(), description="the steady state; several lines mean 'and'")
    during: Criteria | None = key(default=None, description="what is allowed while the fault is on; default: expect")
    where: Where | None = key(default=None, description="default: every request")
    recover: Recover = key(default=Recover(), description="how soon the steady state must be reached again")
    slo: Annotated[Slo, _SLO] | None = key(default=None, description="an OpenSLO document that says what is expected")
    alert: Line | None = key(default=None, description="an alerting rule's name, in the place of expect")
    fires: FiresWithin | None = key(
        default=None, description="how soon after the proven injection the alert must fire; or never"
    )
    resolves: ResolvesWithin | None = key(
        default=None, description="how soon after the last revert it must be quiet again"
    )
    labels: Labels = key(
        default={}, description="which of the alert's instances: labels and values", examples=[{"service": "checkout"}]
    )
    source: Line | None = key(
        default=None, description="a name under sources: of kind prometheus or alertmanager, where there are several"
    )

    @classmethod
    def _values(cls, given: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
        values = super()._values(given, path, mistakes)
        if not any(first in given for first, *_ in SPEAKS_OF):
            mistakes.append(Mistake("missing", (*path, SPEAKS_OF[0][0]), given))
        return values

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        given = [name for name in _OF_ALERTS if getattr(self, name)]
        if self.alert is None:
            if given:
                raise ValueError(f"has {given[0]}, which is for an alert; write alert: NAME")
            return
        if self.expect or self.during is not None or self.where is not None or self.recover != Recover():
            raise ValueError(
                "an objective on an alert has no expect, during, where or recover; write fires and resolves"
            )
        if self.fires is None:
            raise ValueError("an objective on an alert needs fires; write fires: within 90s, or fires: never")
        if self.fires.within_ms is None and self.resolves is not None:
            raise ValueError("an alert that never fires has nothing to resolve; remove resolves")

    def to_json(self) -> dict[str, Any]:
        """Write only what this kind of objective has."""
        others = ("labels",) if self.alert is None else ("expect", "recover", *(() if self.labels else ("labels",)))
        return {name: value for name, value in super().to_json().items() if name not in others}

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Endpoints judged; empty means all of the load."""
        return self.where.endpoint if self.where else ()

    def on_counters(self, criterion: Criterion) -> bool:
        """Whether a criterion of it speaks of a source's counters: a ratio, or bad seconds where every other ratio is one."""
        if criterion.kind != "bad_seconds":
            return criterion.of_counters
        beside = [one.kind for one in self.expect]
        return "ratio" in beside and not {"errors", "slow", "throughput"} & set(beside)

    @property
    def during_criteria(self) -> tuple[Criterion, ...]:
        """What must hold while the fault is on."""
        return self.during if self.during is not None else self.expect


class Phases(Section):
    """Lengths of the phases around the faults."""

    warmup: Duration = key(default=10_000, description="load that is not judged")
    baseline: PositiveDuration = key(default=60_000, description="the steady state must hold, or nothing is injected")
    recovery: PositiveDuration = key(default=60_000, description="the steady state must be reached again")


class FaultSpec(Section):
    """One fault: what to do, to whom, when, and for how long."""

    name: Name = key(description="the key under which the file lists it")
    do: str = key(description="a driver, as `gameday list` prints it", examples=["proxy.down"])
    with_: dict[str, Any] = key(default={}, alias="with", description="the driver's own parameters")
    at: Duration = key(default=0, description="from the start of the fault phase")
    for_: PositiveDuration | None = key(default=None, alias="for", description="how long a reversible fault is on")
    observe: PositiveDuration | None = key(
        default=None, description="how long the effect of an irreversible fault is judged"
    )
    irreversible: Literal["allow"] | None = key(default=None, description="accept that nothing brings it back")
    every: PositiveDuration | None = key(
        default=None, description="do an irreversible fault again, chosen anew, each time this much later"
    )
    times: int | None = key(default=None, least=2, most=1_000, description="how often in all, with every")
    max_targets: int | None = key(
        default=None, least=1, most=1_000, description="the most it may touch; default: 1 for processes"
    )
    keep_ready: int | None = key(default=None, least=0, description="how many must stay ready, whatever is chosen")
    when_no_target: Literal["fail", "skip"] = key(
        default="fail", description="skip: nothing to touch is no error, but at best inconclusive"
    )
    recovery: Literal["expected", "not-expected"] = key(
        default="expected",
        description="not-expected: what the fault takes away need not be replaced before the run is over",
    )

    @property
    def target_limit(self) -> int | None:
        """The most targets that it may touch; None where only the driver decides."""
        return self.max_targets or (1 if self.do.startswith(_ONE_TARGET) else None)

    @property
    def rounds(self) -> tuple[int, ...]:
        """When it is done once more, in milliseconds after ``at``; empty for a fault that is done once."""
        return tuple((self.every or 0) * number for number in range(1, self.times or 1))

    @property
    def length(self) -> int:
        """Milliseconds that belong to the fault phase, from ``at``."""
        return self.for_ or self.observe or 0

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if self.irreversible and (self.observe is None or self.for_ is not None):
            raise ValueError("an irreversible fault needs observe (how long its effect is judged), and no for")
        if not self.irreversible and (self.for_ is None or self.observe is not None):
            raise ValueError(
                "a reversible fault needs for (how long it is on), and no observe; "
                "an irreversible one needs irreversible: allow and observe"
            )
        if (self.every is None) != (self.times is None):
            raise ValueError("every and times go together: every: 5s, times: 6")
        if self.rounds and not self.irreversible:
            raise ValueError("every and times are for an irreversible fault; a reversible one is on all the time")
        if self.rounds and self.rounds[-1] >= self.length:
            raise ValueError("its last round would begin after observe is over; give observe more, or times less")


class Experiment(Section):
    """One hypothesis about one system."""

    version: Literal[1] = key(description="of this file's grammar")
    title: Line = key(description="what this experiment shows, in one line")
    hypothesis: str | None = key(default=None, description="what you expect to happen, as one would say it")
    owner: Line | None = key(default=None, description="who is told what was found")
    tags: tuple[Line, ...] = key(default=(), description="words to find it by")
    runbook: Line | None = key(default=None, description="what on-call does about it: a path or URL")
    system: dict[Name, SystemProcess] = key(
        default={}, description="processes that this run starts, waits for and stops"
    )
    proxies: dict[Name, Proxy] = key(default={}, description="fault proxies in front of dependencies")
    data: dict[Word, DataList] = key(
        default={}, description="lists that requests pick from: {{ pick(NAME) }}", examples=[{"skus": ["A1", "B2"]}]
    )
    sources: dict[Name, SourceSpec] = key(
        default={}, description="where measurements come from: Prometheus and the like"
    )
    slis: dict[Name, Sli] = key(default={}, description="gauges beyond what the load itself measures")
    load: LoadProfile | None = key(
        default=None, description="what is asked of the system; without it every objective is on a gauge"
    )
    objectives: dict[Name, Objective] = key(
        default={}, description="what must hold, each under its name; optional beside a Chaos Toolkit experiment"
    )
    phases: Phases = key(default=Phases(), description="how long the phases around the faults are")
    faults: tuple[FaultSpec, ...] = key(least=1, description="what is broken, and when")
    abort: tuple[Abort, ...] = key(default=(), description="when to stop and revert at once")
    silence_alerts: tuple[Line, ...] = key(
        default=(), most=50, description="alerts that an Alertmanager tells nobody of while the run is on"
    )
    notify: tuple[Channel, ...] = key(default=(), most=20, description="who is told of a run")
    baseline: Annotated[Baseline, _BASELINE] | None = key(
        default=None, description="a committed result that this run may not be worse than: a file in this one's folder"
    )

    def agree(self) -> None:
        """Raise ValueError when keys contradict each other."""
        if not self.objectives and not self.foreign:
            raise ValueError("no objective: without one nothing can be proven")

    @property
    def silences(self) -> tuple[FaultSpec, ...]:
        """The silence of ``silence_alerts`` as what it is undone as; none without it."""
        return tuple(map(FaultSpec.model_validate, silence_of({"silence_alerts": self.silence_alerts})))

    @property
    def foreign(self) -> FaultSpec | None:
        """The first fault that is a whole Chaos Toolkit experiment, whose hypothesis is an objective of its own."""
        return next((fault for fault in self.faults if fault.do == CHAOS_EXPERIMENT), None)

    @property
    def witnessed(self) -> bool:
        """Whether anything of it is known only when its source is asked after the phases."""
        return any(sli.is_ratio for sli in self.slis.values()) or any(o.alert for o in self.objectives.values())

    @property
    def profile(self) -> LoadProfile:
        """The load of an experiment that has one; raise LookupError for a system with its own traffic."""
        if self.load is None:
            raise LookupError("this experiment has no load")
        return self.load

    @property
    def fault_ms(self) -> int:
        """Planned length of the fault phase, from time zero."""
        return max(fault.at + fault.length for fault in self.faults)

    @property
    def fault_window_ms(self) -> tuple[int, int]:
        """Planned beginning and end of the fault phase, from the load's beginning."""
        begin = self.phases.warmup + self.phases.baseline
        return begin, begin + self.fault_ms

    @property
    def recovery_window_ms(self) -> tuple[int, int]:
        """Planned beginning and end of the recovery phase, from the load's beginning."""
        begin = self.fault_window_ms[1]
        return begin, begin + self.phases.recovery

    @property
    def latency_limits_us(self) -> tuple[int, ...]:
        """Every latency limit of the file, ascending: the load counts exactly what is slower."""
        criteria = [c for o in self.objectives.values() for c in (*o.expect, *o.during_criteria)]
        criteria += [rule.criterion for rule in self.abort if isinstance(rule, ForRule)]
        return tuple(sorted({c.slower_us for c in criteria if c.slower_us is not None}))
