"""Alerts by an Alertmanager, which knows what it was sent and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.fakes.alert_stories import DURING, STEP, Spans, alert_story, looks, paged, record, said
from tests.fakes.stories import Story

ROUTER = {"alertmanager": {"url": "http://127.0.0.1:9093"}}
BOTH = {**ROUTER, "prometheus": {"url": "http://127.0.0.1:9090"}}


def routed(firing: Spans = (), *, sources: Mapping[str, Any] = ROUTER, **objective: Any) -> Story:
    told = alert_story(sources=sources, source="alertmanager", **objective)
    told.alerts = looks(firing, source="alertmanager")
    told.alerts = [replace(look, since_ms=firing[0][0] if look.state == "firing" else None) for look in told.alerts]
    told.testimonies = []
    if "prometheus" in sources:
        told.alerts = [*told.alerts, *looks()]
        told.testimonies = [record()]
    return told


def test_an_alertmanager_says_when_it_was_told() -> None:
    found = paged(routed(DURING, resolves="within 20s"))

    assert (found["result"], found["source"]) == ("pass", "alertmanager")
    assert found["fired_ms"] == 12_000
    assert 0 <= found["resolved_ms"] - 5_000 <= STEP


def test_a_beginning_that_the_looks_rule_out_is_not_believed() -> None:
    told = routed(DURING)
    told.alerts = [replace(look, since_ms=look.since_ms and look.since_ms - 60_000) for look in told.alerts]

    assert 11_000 <= paged(told)["fired_ms"] <= 12_000


def test_a_silent_alertmanager_alone_proves_nothing() -> None:
    assert said(routed()) == ("inconclusive", "no-data")


def test_beside_a_prometheus_that_evaluates_the_rule_its_silence_counts() -> None:
    assert said(routed(sources=BOTH)) == ("fail", "broken")
    assert said(routed(sources=BOTH, fires="never")) == ("pass", "proven")


def test_an_alert_that_fires_in_prometheus_and_reaches_no_alertmanager_pages_nobody() -> None:
    told = routed(sources=BOTH)
    told.alerts = [*looks(source="alertmanager"), *looks(DURING)]
    told.testimonies = [record(DURING)]

    assert said(told) == ("fail", "broken")
    told.file["objectives"]["paged"] = {"alert": "Burn", "fires": "never", "source": "alertmanager"}
    assert said(told) == ("fail", "broken")


def test_an_alert_that_is_silenced_pages_nobody() -> None:
    told = routed(DURING, sources=BOTH)
    told.alerts = [
        replace(look, state="suppressed" if look.state == "firing" else look.state, since_ms=None)
        for look in told.alerts
    ]

    assert said(told) == ("fail", "broken")
