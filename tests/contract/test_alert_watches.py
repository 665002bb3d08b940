"""How alerts are seen: what each source says, and that every way of not saying it is an error and never "silent"."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.registry import load_probe
from gameday.spi import ProbeError, QueryError, Source, Witness, World
from gameday.spi.alert import AlertState, AlertWatch, KnowsRules
from gameday_drivers.alertmanager import Alertmanager
from gameday_drivers.prometheus_alerts import PrometheusAlerts
from tests.fakes.alert_api import State, alert_api, stamp

TIMEOUT_MS = 1_000
Watch = PrometheusAlerts | Alertmanager


@pytest.fixture
def api() -> Iterator[State]:
    with alert_api() as state:
        yield state


def world(api: State, kind: str, **changes: str) -> World:
    source = Source(**{"name": kind, "kind": kind, "url": api.url, **changes})
    return World(run_id="test", sources={kind: source})


def rules(**labels: str) -> PrometheusAlerts:
    return PrometheusAlerts(value="Burn", labels=labels, timeout_=TIMEOUT_MS)


def router(**labels: str) -> Alertmanager:
    return Alertmanager(value="Burn", labels=labels, timeout_=TIMEOUT_MS)


def routed(state: str = "active", since: float = 1_790_000_000.0, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": "Burn", **labels}, "status": {"state": state}, "startsAt": stamp(since)}


def test_both_are_found_by_their_kind_and_can_do_what_the_runner_asks() -> None:
    found = load_probe("prometheus_alerts", {"value": "Burn", "labels": {"team": "a"}})
    assert isinstance(found, AlertWatch)
    assert isinstance(found, KnowsRules)
    assert isinstance(found, Witness)
    other = load_probe("alertmanager", {"value": "Burn"})
    assert isinstance(other, AlertWatch)
    assert not isinstance(other, KnowsRules)


# --- Prometheus ------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_evaluated_and_has_no_alert_is_silent(api: State) -> None:
    at = time.time()
    api.rule(lastEvaluation=stamp(at))
    api.rule("Other", alerts=[{"state": "firing", "labels": {"alertname": "Other"}}])
    seen = rules().look(world(api, "prometheus"))

    assert seen.evaluated == pytest.approx(at, abs=0.001)
    assert (seen.state, seen.interval, seen.since) == ("inactive", 1.0, None)
    assert rules().read(world(api, "prometheus")) == 0.0


def test_of_several_instances_and_rules_the_most_serious_counts(api: State) -> None:
    def alert(state: str, **labels: str) -> dict[str, Any]:
        return {"state": state, "labels": {"alertname": "Burn", **labels}}

    api.rule(alerts=[alert("pending", pod="a")], lastEvaluation=stamp(1_790_000_007))
    api.rule(alerts=[alert("firing", pod="b"), alert("firing", pod="c")], lastEvaluation=stamp(1_790_000_005))
    at = world(api, "prometheus")

    assert rules().look(at) == AlertState(state="firing", evaluated=1_790_000_005.0, interval=1.0)
    assert rules(pod="a").look(at).state == "pending"
    assert rules(pod="d").look(at).state == "inactive"
    assert (rules().read(at), rules(pod="b").read(at)) == (2.0, 1.0)


def test_labels_choose_among_rules_of_one_name(api: State) -> None:
    api.rule(labels={"severity": "page"})
    api.rule(labels={"severity": "ticket"}, health="err", lastError="no")
    api.rule(labels={"severity": "{{ $labels.x }}"})

    assert rules(severity="page").look(world(api, "prometheus")).state == "inactive"
    with pytest.raises(QueryError, match="cannot evaluate"):
        rules(severity="ticket").look(world(api, "prometheus"))


def test_an_alert_without_a_rule_is_a_wrong_question(api: State) -> None:
    api.rule("Born")
    with pytest.raises(QueryError, match="no alerting rule 'Burn'"):
        rules().look(world(api, "prometheus"))
    api.rule(labels={"severity": "page"})
    with pytest.raises(QueryError, match=r'with {severity="ticket"}'):
        rules(severity="ticket").read(world(api, "prometheus"))


def test_a_recording_rule_of_that_name_is_no_alert(api: State) -> None:
    api.rule(type="recording")
    with pytest.raises(QueryError, match="no alerting rule"):
        rules().look(world(api, "prometheus"))


def test_a_rule_that_cannot_be_evaluated_is_not_silent(api: State) -> None:
    api.rule(health="err", lastError="many-to-many matching\nnot allowed")
    with pytest.raises(QueryError, match=r"many-to-many matching\?not allowed"):
        rules().look(world(api, "prometheus"))


@pytest.mark.parametrize("changes", [{"health": "unknown"}, {"lastEvaluation": "0001-01-01T00:00:00Z"}])
def test_a_rule_that_was_not_evaluated_yet_is_not_silent(api: State, changes: dict[str, str]) -> None:
    api.rule(**changes)
    with pytest.raises(ProbeError, match="not evaluated yet") as caught:
        rules().look(world(api, "prometheus"))
    assert not isinstance(caught.value, QueryError)


def test_its_rules_are_told_with_how_often_it_mostly_scrapes(api: State) -> None:
    api.rule(query="a / b > 0.1", duration=300, health="unknown")
    (found,) = rules().rules(world(api, "prometheus"))

    assert (found.expression, found.wait, found.interval, found.scrape) == ("a / b > 0.1", 300.0, 1.0, 15.0)


def test_the_record_is_the_evaluations_at_which_it_fired_and_when_its_rule_was_fed(api: State) -> None:
    api.rule(query='sum(rate(bad{a="]"}[5m])) by (x) / sum(all) > 0.1 or absent(gone)')
    api.matrix = {
        "ALERTS{": [{"metric": {"pod": "a"}, "values": [[100.5, "1"], [101.5, "1"]]}],
        "count(": [{"metric": {}, "values": [[100, "2"], [101, "2"]]}],
    }
    found = rules(pod='a"b').fetch(world(api, "prometheus"), 90.0, 110.0)
    asked = [query["query"] for _, query, _ in api.seen if "query" in query]

    assert [sample for line in found.parts["firing"] for sample in line.samples] == [(100.5, 1.0), (101.5, 1.0)]
    assert asked[1].startswith('ALERTS{alertname="Burn",alertstate="firing",pod="a\\"b"}[')
    assert asked[2:] == ['count(bad{a="]"})', "count(all)"], "not what absent() waits for"
    assert found.facts["rules"][0]["expression"].startswith("sum(rate(bad")
    assert (found.interval, found.facts["fed_step_ms"]) == (1.0, 1_000)


def test_a_rule_that_looks_at_nothing_needs_nothing(api: State) -> None:
    api.rule(query="vector(1) > 2 or absent(up)")
    rules().fetch(world(api, "prometheus"), 90.0, 110.0)

    assert [query["query"] for _, query, _ in api.seen if "start" in query] == ["vector(1)"]


# --- Alertmanager ----------------------------------------------------------------------------------------------------


def test_an_alertmanager_without_the_alert_says_that_it_has_none(api: State) -> None:
    assert router().look(world(api, "alertmanager")) == AlertState(state="inactive")
    assert router().read(world(api, "alertmanager")) == 0.0


def test_it_fires_since_its_first_instance(api: State) -> None:
    api.alerts = [routed(since=1_790_000_010), routed(since=1_790_000_004), routed("suppressed", since=1_790_000_001)]
    at = world(api, "alertmanager")

    assert router().look(at) == AlertState(state="firing", since=1_790_000_004.0)
    assert router().read(at) == 2.0


def test_what_is_silenced_pages_nobody(api: State) -> None:
    api.alerts = [routed("suppressed"), routed("suppressed")]
    at = world(api, "alertmanager")

    assert router().look(at) == AlertState(state="suppressed")
    assert router().read(at) == 0.0


def test_it_is_asked_for_that_alert_and_those_labels_only(api: State) -> None:
    router(team='a"b').look(world(api, "alertmanager"))
    (_, query, _), *_ = api.seen
    assert query["filter"] in ('alertname="Burn"', 'team="a\\"b"')


@pytest.mark.parametrize(
    "broken", [{"status": {"state": "odd"}}, {"status": None}, {"startsAt": "yesterday"}, {"startsAt": None}]
)
def test_an_alert_that_no_alertmanager_has_is_an_error(api: State, broken: dict[str, Any]) -> None:
    api.alerts = [{**routed(), **broken}]
    with pytest.raises(ProbeError):
        router().look(world(api, "alertmanager"))


# --- both ------------------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize(("watch", "kind"), [(rules(), "prometheus"), (router(), "alertmanager")])
WAYS = ["silent", "500", "400", "moved", "cut", "rubbish", "list", "failed", "huge", "gone"]


@BOTH
@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_not_answering_is_silence(api: State, watch: Watch, kind: str, way: str) -> None:
    api.rule()
    api.alerts = [routed()] * 3
    at = world(api, kind) if way != "gone" else world(api, kind, url="http://127.0.0.1:1")
    api.mode = way
    began = time.monotonic()
    for ask in (watch.look, watch.read):
        with pytest.raises(ProbeError) as caught:
            ask(at)
        assert isinstance(caught.value, QueryError) == (way == "400")
    assert time.monotonic() - began < 2 * TIMEOUT_MS / 1000 + 2


@BOTH
@pytest.mark.parametrize("way", WAYS)
def test_no_record_is_an_error_too(api: State, watch: Watch, kind: str, way: str) -> None:
    if not isinstance(watch, PrometheusAlerts):
        assert not isinstance(watch, Witness), "it keeps none"
        return
    api.rule()
    at = world(api, kind) if way != "gone" else world(api, kind, url="http://127.0.0.1:1")
    api.mode = way if way != "silent" else "500"
    with pytest.raises(ProbeError):
        watch.fetch(at, 90.0, 110.0)


@BOTH
def test_credentials_are_sent_and_never_told(api: State, watch: Watch, kind: str) -> None:
    api.rule()
    at = world(api, kind, token="hunter2")
    watch.look(at)
    assert {authorization for _, _, authorization in api.seen} == {"Bearer hunter2"}
    api.mode = "500"
    with pytest.raises(ProbeError) as caught:
        watch.look(at)
    assert "hunter2" not in str(caught.value)


@BOTH
def test_without_a_source_there_is_nothing_to_ask(watch: Watch, kind: str) -> None:
    with pytest.raises(ProbeError, match=kind):
        watch.look(World(run_id="test"))


@pytest.mark.parametrize("kind", ["prometheus_alerts", "alertmanager"])
def test_an_alert_has_a_name(kind: str) -> None:
    with pytest.raises(Exception, match="empty"):
        load_probe(kind, {"value": " "})
