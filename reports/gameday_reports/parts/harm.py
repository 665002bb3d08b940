"""What users felt while the fault was on, in one line each: the worst share of bad requests, or the worst gauge, and before."""

from __future__ import annotations

from gameday.model import Json
from gameday_reports import words
from gameday_reports.criteria import read_limit
from gameday_reports.facts import Facts
from gameday_reports.gauges import gauge_criteria, read_gauge_limit
from gameday_reports.proofs import injected
from gameday_reports.reading import number, part, parts, text


def harm(facts: Facts) -> str:
    """Say what the worst objective came to while the fault was on."""
    if facts.window("fault") is None:
        return (
            "The fault was never proven on: nothing was measured under it." if any(map(injected, facts.faults)) else ""
        )
    shares = [found for raw in facts.objectives for found in _shares(raw)]
    if shares:
        _, name, n, k, before = max(shares, key=lambda found: found[0])
        earlier = "" if before is None else f", before it {words.percent(before)}"
        counted = f"{words.count(k)} of {words.count(n)}"
        return (
            f"While the fault was on, {words.percent(k / n)} of the requests were bad for {name} ({counted}){earlier}"
        )
    return _gauge(facts)


def _shares(raw: Json) -> list[tuple[float, str, float, float, float | None]]:
    """Return (share, objective, n, k, share before) of each criterion on errors or latency in the fault phase."""
    found: list[tuple[float, str, float, float, float | None]] = []
    for criterion in parts(raw, "criteria"):
        phases = part(criterion, "phases")
        fault, before = part(phases, "fault"), part(phases, "baseline")
        limit, n, k = read_limit(text(fault, "criterion")), number(fault, "n"), number(fault, "k")
        if limit is not None and limit.kind in ("errors", "slow") and n and k is not None:
            same = read_limit(text(before, "criterion"))
            comparable = same is not None and same.slower_us == limit.slower_us
            found.append((k / n, text(raw, "name", 60), n, k, number(before, "share") if comparable else None))
    return found


def _gauge(facts: Facts) -> str:
    """Say what a system with its own traffic came to: the gauge that broke its limit, or else the first."""
    read = [part(part(criterion, "phases"), "fault") for _, criterion in gauge_criteria(facts.objectives)]
    if not read:
        return ""
    phase = min(read, key=lambda found: text(found, "result") != "fail")
    limit, value = read_gauge_limit(text(phase, "criterion")), number(phase, "value")
    if limit is None or value is None:
        return ""
    return f"While the fault was on, {limit.metric} was {limit.shown(value)}, allowed {limit.allowed}"


def generator(facts: Facts) -> tuple[str, str]:
    """Say whether the load generator kept its schedule, as (sentence, tone)."""
    load = part(facts.verdict, "load")
    if not facts.has_load:
        return "No load of its own: the system has its own traffic, and its gauges are judged", "none"
    healthy = load.get("healthy")
    if not isinstance(healthy, bool):
        return "Load generator: no data, the load never ran", "warn"
    offered, rate = words.count(number(load, "offered")), words.rate(number(load, "rate"))
    if healthy:
        return f"Load generator healthy: {offered} requests offered at {rate}, as planned", "pass"
    return "Load generator not healthy: what it measured is not judged", "fail"
