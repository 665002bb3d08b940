"""What plan says of alerts, from the rules that their sources have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gameday.cli.alertplan import expected_share, plan_alerts, refusals
from gameday.schema.experiment import Experiment
from gameday.spi import Source, World
from tests.fakes.alert_api import State, alert_api
from tests.fakes.stories import experiment

PAGE = 'sum(rate(all{code=~"5.."}[1h])) / sum(rate(all[1h])) > 14.4 * 0.001'


@pytest.fixture
def api() -> Iterator[State]:
    with alert_api() as state:
        yield state


def planned(api: State, fires: str, kind: str = "prometheus", during: str = "errors < 20%") -> dict[str, Any]:
    source = Source(name=kind, kind=kind, url=api.url)
    objectives = {
        "available": {"expect": "errors < 5%", "during": during},
        "paged": {"alert": "Burn", "fires": fires},
    }
    read = Experiment.model_validate(experiment(sources={kind: {"url": api.url}}, objectives=objectives))
    (row,) = plan_alerts(read, World(run_id="plan", sources={kind: source}))
    return {**row, "refused": [refusal["reason"] for refusal in refusals([row])]}


def test_a_page_for_a_fault_of_40_s_at_20_percent_comes_too_late(api: State) -> None:
    api.rule(query=PAGE)
    row = planned(api, "within 30s")

    assert (row["outlook"], row["share"], row["refused"]) == ("late", 0.2, [])
    assert row["usual_ms"] == 259_200 + 1_000 + 15_000, "to burn, one evaluation, one scrape"
    assert row["said"].startswith(
        "Burn cannot be expected to fire within 30s of faults that are on for 40s: it fires after 4m35s"
    )
    assert "4m19s to burn" in row["said"]


def test_an_alert_that_fires_in_time_is_said_to(api: State) -> None:
    api.rule(query="ratio:rate1m > 0.01")
    row = planned(api, "within 30s")

    assert (row["outlook"], row["usual_ms"], row["refused"]) == ("can", 3_000 + 16_000, [])
    assert row["soonest_ms"] < row["usual_ms"]


def test_what_not_even_a_full_outage_can_do_is_refused(api: State) -> None:
    api.rule(query="up == 0", duration=300)
    row = planned(api, "within 30s")

    assert (row["outlook"], row["refused"]) == ("cannot", ["too-short"])
    assert "not even in a full outage: that takes 5m" in row["said"]


def test_a_share_below_the_threshold_never_fires(api: State) -> None:
    api.rule(query="ratio:rate1m > 0.5")
    row = planned(api, "within 30s")

    assert (row["outlook"], row["usual_ms"]) == ("late", None)
    assert "it never fires with steady traffic of which 20% fails" in row["said"]


def test_an_alert_that_is_not_known_is_refused_and_one_that_cannot_be_asked_for_is_not(api: State) -> None:
    row = planned(api, "within 30s")
    assert (row["outlook"], row["refused"]) == ("no-rule", ["query-error"])
    api.mode = "500"
    row = planned(api, "within 30s")
    assert (row["outlook"], row["refused"]) == ("unknown", [])
    assert row["said"].startswith("its rule could not be read: ")


def test_the_silence_of_an_alert_that_is_too_slow_proves_little(api: State) -> None:
    api.rule(query=PAGE)
    row = planned(api, "never")

    assert (row["outlook"], row["refused"]) == ("silent", [])
    assert "its silence proves little" in row["said"]


def test_an_alertmanager_alone_does_not_know_the_rule(api: State) -> None:
    row = planned(api, "within 30s", kind="alertmanager")

    assert (row["outlook"], row["refused"], row["rules"]) == ("unknown", [], [])
    assert api.seen == []


@pytest.mark.parametrize(("during", "share"), [("errors < 20%", 0.2), ("availability > 40%", 0.6), ("p95 < 2s", 1.0)])
def test_the_share_that_is_expected_is_what_the_file_allows(during: str, share: float) -> None:
    expect = "p95 < 1s" if during.startswith("p95") else during.replace("20%", "5%").replace("40%", "90%")
    read = Experiment.model_validate(experiment(objectives={"available": {"expect": expect, "during": during}}))

    assert expected_share(read) == pytest.approx(share)
