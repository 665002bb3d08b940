"""The load: planned against reached, by endpoint, and whether the generator itself can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.reading import number, part, parts, text, texts

_KINDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A name and its value."""

    name: str
    value: str
    tone: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """One endpoint over the whole run."""

    name: str
    n: str
    bad: str
    share: str
    kinds: str
    p50: str
    p95: str
    p99: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """The load section."""

    healthy: bool | None
    none: bool = False
    """The file asks for none: the system has its own traffic."""
    problems: tuple[str, ...]
    figures: tuple[Pair, ...]
    endpoints: tuple[EndpointView, ...]
    caption: str


def load_view(facts: Facts) -> LoadView:
    """Describe the load; a run without any says so."""
    if not facts.has_load:
        return LoadView(healthy=None, none=True, problems=(), figures=(), endpoints=(), caption="")
    load = part(facts.verdict, "load")
    healthy = load.get("healthy")
    capped = number(load, "capped")
    cut = f" {words.count(capped)} arrivals could not be sent and have no latency." if capped else ""
    return LoadView(
        healthy=healthy if isinstance(healthy, bool) else None,
        problems=texts(load, "problems"),
        figures=_figures(facts, load),
        endpoints=tuple(_endpoint(raw) for raw in parts(load, "by_endpoint")),
        caption=f"The whole run, faults included. Percentiles are of answered and failed requests alike, within 0.8%.{cut}",
    )


def _figures(facts: Facts, load: Json) -> tuple[Pair, ...]:
    profile = part(facts.experiment, "load")
    offered, completed = number(load, "offered"), number(load, "completed")
    cpu, errors, late = number(load, "cpu"), number(load, "generator_errors"), number(load, "late_share")
    capped = number(load, "capped")
    users = number(load, "users")
    rate = text(profile, "rate") or words.rate(number(load, "rate"))
    asked = f"{words.count(users)} users who wait for each answer" if users else rate
    return (
        Pair(name="Target", value=text(load, "target") or text(profile, "target")),
        Pair(
            name="Planned",
            value=f"{asked}, {text(profile, 'arrivals') or 'constant'} arrivals, timeout {text(profile, 'timeout') or words.UNKNOWN}",
        ),
        Pair(name="Offered", value=f"{words.count(offered)} requests"),
        Pair(name="Completed", value=f"{words.count(completed)} ({_share(completed, offered)} of the offered)"),
        Pair(
            name="Could not be sent",
            value=f"{words.count(capped)} (limit of requests in flight; counted as bad)",
            tone="warn" if capped else "none",
        ),
        Pair(name="Generator errors", value=words.count(errors), tone="fail" if errors else "none"),
        Pair(name="Left late (> 50 ms)", value=words.percent(late), tone="warn" if late else "none"),
        Pair(name="Schedule lag p99", value=words.latency(number(load, "lag_p99_ms"))),
        Pair(name="Generator CPU", value=f"{words.percent(cpu)} of one core" if cpu is not None else words.UNKNOWN),
    )


def _share(part_of: float | None, whole: float | None) -> str:
    return words.percent(part_of / whole) if part_of is not None and whole else words.UNKNOWN


def _endpoint(raw: Json) -> EndpointView:
    n, bad = number(raw, "n"), number(raw, "bad")
    kinds = sorted((-(number(part(raw, "kinds"), kind) or 0), kind) for kind in part(raw, "kinds"))
    shown = [f"{kind} {words.count(-count)}" for count, kind in kinds[:_KINDS]]
    return EndpointView(
        name=text(raw, "name"),
        n=words.count(n),
        bad=words.count(bad),
        share=_share(bad, n),
        kinds=", ".join(shown) + (f" and {len(kinds) - _KINDS} more" if len(kinds) > _KINDS else ""),
        p50=words.latency(number(raw, "p50_ms")),
        p95=words.latency(number(raw, "p95_ms")),
        p99=words.latency(number(raw, "p99_ms")),
    )
