"""Alerts of Prometheus: their rules, how they are now, and the record of when they fired.

Whether an alert fires is read from ``/api/v1/rules`` (``activeAt`` there is when it became pending, and is not used), and when it
fired from the samples of ``ALERTS{alertstate="firing"}``, of which each evaluation of a firing rule writes one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from gameday.spi import Evidence, Line, ProbeError, QueryError, World
from gameday.spi.alert import AlertRule, AlertState, State
from gameday.spi.probe import READ_MS
from gameday.spi.quantities import parse_duration
from gameday_drivers.prometheus_api import Asking
from gameday_drivers.promql import selectors, tokens

MOST_STEPS = 10_000
"""Prometheus refuses more than 11,000 points of a series."""
MOST_SELECTORS = 20
FETCH_SECONDS = 10.0
_RANK: Mapping[str, int] = {"inactive": 0, "pending": 1, "firing": 2}
_SHOWN = 200
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusAlerts:
    """Count the firing instances of an alert that a Prometheus evaluates."""

    value: str = field(metadata={"help": "the name of an alerting rule"})
    labels: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "which of its instances: labels and values"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "prometheus_alerts"

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise ValueError("value is empty; write the name of an alerting rule")

    @property
    def timeout(self) -> float:
        """Seconds for one look, or for the fetch of the record."""
        return max(self.timeout_ / 1000, FETCH_SECONDS)

    def read(self, world: World) -> float:
        """Return how many instances fire now; zero only of a rule that is there, and evaluated."""
        found = self._rules(Asking.of(world, self.timeout_ / 1000))
        return float(sum(alert.get("state") == "firing" for rule in found for alert in self._instances(rule)))

    def look(self, world: World) -> AlertState:
        """Return how the alert is now: the most serious of its rules and instances."""
        found = self._rules(Asking.of(world, self.timeout_ / 1000))
        times = [_moment(rule.get("lastEvaluation")) for rule in found]
        if any(at is None for at in times):
            raise ProbeError(f"alert {self.value} was not evaluated yet")
        states = [str(alert.get("state")) for rule in found for alert in self._instances(rule)]
        worst = max((state for state in states if state in _RANK), key=lambda state: _RANK[state], default="inactive")
        return AlertState(
            state=cast("State", worst),
            evaluated=min(at for at in times if at is not None),
            interval=max(_number(rule.get("group_interval")) for rule in found),
        )

    def rules(self, world: World) -> Sequence[AlertRule]:
        """Return every rule of this alert, and how often its Prometheus mostly scrapes."""
        asking = Asking.of(world, self.timeout)
        found = self._rules(asking, evaluated=False)
        scrape = _scrape(asking)
        return [
            AlertRule(
                expression=str(rule.get("query")),
                wait=_number(rule.get("duration")),
                interval=_number(rule.get("group_interval")),
                scrape=scrape,
            )
            for rule in found
        ]

    def fetch(self, world: World, from_wall: float, to_wall: float) -> Evidence:
        """Return every evaluation at which it fired, and when its rules had anything to look at."""
        asking = Asking.of(world, self.timeout)
        found = self._rules(asking)
        interval = max(_number(rule.get("group_interval")) for rule in found)
        ahead = asking.ahead()
        begin, end = from_wall + ahead, to_wall + ahead
        labels = {"alertname": self.value, "alertstate": "firing", **self.labels}
        step = max(interval, (end - begin) / MOST_STEPS, 0.001)
        return Evidence(
            parts={
                "firing": asking.ranged(f"ALERTS{_matchers(labels)}", begin, end),
                "fed": [line for rule in found for line in _fed(asking, str(rule.get("query")), begin, end, step)],
            },
            facts={
                "rules": [
                    {
                        "expression": str(rule.get("query"))[:2_000],
                        "for_ms": round(1000 * _number(rule.get("duration"))),
                    }
                    for rule in found
                ],
                "fed_step_ms": round(1000 * step),
            },
            interval=interval or None,
            ahead=ahead,
        )

    def _rules(self, asking: Asking, *, evaluated: bool = True) -> list[Json]:
        """Return the rules of this alert, at least one; raise QueryError when there is none, or one that cannot be evaluated."""
        data = asking.get("/api/v1/rules", {"type": "alert"})
        found = [rule for rule in _alerting(data) if rule.get("name") == self.value and self._means(rule)]
        if not found:
            narrowed = f" with {_matchers(self.labels)}" if self.labels else ""
            raise QueryError(f"{asking.source.name} has no alerting rule {self.value!r}{narrowed}")
        for rule in found if evaluated else ():
            if rule.get("health") == "err":
                said = "".join(c if c.isprintable() else "?" for c in str(rule.get("lastError"))[:_SHOWN])
                raise QueryError(f"{asking.source.name} cannot evaluate alert {self.value}: {said}")
            if rule.get("health") != "ok":
                raise ProbeError(f"alert {self.value} was not evaluated yet")
        return found

    def _means(self, rule: Json) -> bool:
        """Whether a rule can have the instances that are meant: its own labels do not say otherwise."""
        known = _labels(rule)
        return all(
            "{{" in str(known[name]) or known[name] == value for name, value in self.labels.items() if name in known
        )

    def _instances(self, rule: Json) -> Iterator[Json]:
        for alert in _dicts(rule.get("alerts")):
            known = _labels(alert)
            if all(known.get(name, "") == value for name, value in self.labels.items()):
                yield alert


def _labels(row: Json) -> Json:
    own = row.get("labels")
    return cast("Json", own) if isinstance(own, dict) else {}


def _alerting(data: Any) -> Iterator[Json]:
    """Yield every alerting rule with the interval of its group."""
    for group in _rows(data, "groups"):
        for rule in _dicts(group.get("rules")):
            if rule.get("type") == "alerting":
                yield {**rule, "group_interval": group.get("interval")}


def _rows(data: Any, name: str) -> list[Json]:
    """Return a list in an answer; raise ProbeError for one that does not have it."""
    found = cast("Json", data).get(name) if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise ProbeError(f"the answer does not have Prometheus's form: it has no {name}")
    return _dicts(cast("object", found))


def _dicts(value: object) -> list[Json]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Json", item) for item in items if isinstance(item, dict)]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ProbeError("the answer about rules does not have Prometheus's form")
    return float(value)


def _moment(text: object) -> float | None:
    """Read a time of the API in seconds since the epoch; None for one that never was."""
    try:
        found = datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
    return found if found > 0 else None


def _matchers(labels: Mapping[str, Any]) -> str:
    escaped = {
        name: str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _scrape(asking: Asking) -> float:
    """Return how often most targets are scraped, in seconds; 0 where the source does not say."""
    try:
        targets = _rows(asking.get("/api/v1/targets", {"state": "active"}), "activeTargets")
    except ProbeError:
        return 0.0
    told = Counter(str(target.get("scrapeInterval")) for target in targets).most_common(1)
    try:
        return parse_duration(told[0][0]) / 1000 if told else 0.0
    except ValueError:
        return 0.0


def _fed(asking: Asking, expression: str, begin: float, end: float, step: float) -> Iterator[Line]:
    """Yield when each series that a rule looks at was there; a rule that looks at none needs none."""
    for selector in _looked_at(expression) or ("vector(1)",):
        counted = selector if selector == "vector(1)" else f"count({selector})"
        query = {"query": counted, "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        data = asking.get("/api/v1/query_range", query)
        for series in _rows(data, "result"):
            yield Line(labels={"selector": selector}, samples=_samples(series))


def _samples(series: Json) -> tuple[tuple[float, float], ...]:
    try:
        return tuple((float(at), float(value)) for at, value in series["values"])
    except (KeyError, TypeError, ValueError):
        raise ProbeError("the answer about a rule's series cannot be read") from None


def _looked_at(expression: str) -> tuple[str, ...]:
    """Return the series that a rule looks at; what is inside ``absent(…)`` is not there while all is well."""
    try:
        found, missed = selectors(expression), frozenset(_absent(expression))
    except ValueError:
        return ()
    return tuple(selector for selector in found if selector not in missed)[:MOST_SELECTORS]


def _absent(expression: str) -> Iterator[str]:
    """Yield the series inside ``absent(…)`` and ``absent_over_time(…)``."""
    parts = tokens(expression)
    for at, (kind, text) in enumerate(parts):
        if kind == "name" and text in ("absent", "absent_over_time"):
            yield from selectors("".join(text for _, text in _call(parts[at + 1 :])) or "vector(1)")


def _call(parts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the tokens of one call, from its parenthesis to the one that closes it."""
    depth = 0
    for kind, text in parts:
        depth += (kind == "(") - (kind == ")")
        yield kind, text
        if depth <= 0:
            return
