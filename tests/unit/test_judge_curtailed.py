"""What is certain before the fault phase is over: never wrong, said once, and only of what was planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.judge import judge
from gameday.judge.curtailed import Broken, Curtailed, most_planned
from gameday.model import Event, LoadRow
from gameday.schema.experiment import Experiment
from tests.fakes.stories import PROVEN, REVERTED, ZERO, Story, experiment, rows

MOST = 2_200
"""40 s of 50/s, and a tenth more."""


def event(kind: str, at_ms: int, **data: Any) -> Event:
    return Event(seq=0, kind=kind, at_ms=at_ms, wall=0.0, data=data)


def watching(**changes: Any) -> Curtailed:
    made = Curtailed(Experiment.model_validate(experiment(**changes)))
    made.note(event("inject-called", ZERO))
    return made


def bad(count: int, slot: int = ZERO // 100, **changes: Any) -> LoadRow:
    return replace(LoadRow(slot=slot, endpoint="checkout", kind="http_5xx", count=count), **changes)


def first_certain(watch: Curtailed, by: int = 1) -> int:
    """How many bad requests it takes."""
    return next(k for k in range(by, MOST, by) if watch.feed([bad(by)]))


def test_it_is_certain_when_it_fails_with_the_most_that_there_can_be() -> None:
    watch = watching()
    needed = first_certain(watch)
    assert 0.05 * MOST < needed < 0.07 * MOST
    assert watch.feed([bad(100)]) == [], "said once"


def test_it_says_what_it_knows() -> None:
    found = watching().feed([bad(500)])
    assert found == [Broken(objective="available", criterion="errors < 5%", k=500, most=MOST)]
    assert (
        found[0].words()
        == "available is broken, however the rest goes: 500 bad requests of at most 2,200 (errors < 5%)"
    )


def test_only_requests_of_the_fault_phase_and_of_the_objective_count() -> None:
    idle = Curtailed(Experiment.model_validate(experiment()))
    assert idle.feed([bad(2_000)]) == [], "nothing was injected"
    where = {"available": {"expect": "errors < 5%", "where": {"endpoint": "checkout"}}}
    watch = watching(objectives=where)
    assert watch.feed([bad(2_000, slot=ZERO // 100 - 1), bad(2_000, endpoint="browse")]) == []
    watch.note(event("phase", REVERTED, name="recovery"))
    assert watch.feed([bad(2_000, slot=REVERTED // 100)]) == []
    assert len(watch.feed([bad(2_000, slot=REVERTED // 100 - 1)])) == 1, "rows come later than their time"


def test_what_is_slow_or_could_not_be_sent_is_bad() -> None:
    watch = watching(objectives={"fast": {"expect": "p95 < 300ms", "during": "p95 < 1s"}})
    slow = bad(500, kind="ok", slower={300_000: 500})
    assert watch.feed([slow]) == [], "not over the limit that holds now"
    assert watch.feed([bad(80, kind="ok", slower={1_000_000: 80}), bad(80, kind="capped")]) != []


@pytest.mark.parametrize(
    "changes",
    [
        {"objectives": {"some": {"expect": "throughput > 95%\nbad_seconds < 5%"}}},
        {"load": {"target": "http://x", "users": 5, "requests": [{"name": "checkout", "get": "/"}]}},
    ],
    ids=["exact", "closed model"],
)
def test_of_the_rest_nothing_is_certain(changes: dict[str, Any]) -> None:
    assert watching(**changes).feed([bad(2_000)]) == []


def test_after_a_change_of_the_load_nothing_is_certain_while_it_is_on() -> None:
    watch = watching()
    watch.note(event("load-changed", ZERO + 1, rate=500.0))
    assert watch.feed([bad(2_000)]) == []
    document = Experiment.model_validate(experiment())
    objective = document.objectives["available"]
    assert most_planned(objective, document) == MOST
    assert most_planned(objective, document, [500.0]) == 10 * MOST


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 5), min_size=10, max_size=60))
def test_what_is_certain_is_what_the_judge_finds(counts: list[int]) -> None:
    """However many slots of the phase are bad: once it is called broken, the whole run is."""
    told = rows(lambda slot: counts[(slot - PROVEN // 100) // 7] if 0 <= slot - PROVEN // 100 < 7 * len(counts) else 0)
    watch = watching()
    watch.note(event("phase", REVERTED, name="recovery"))
    if watch.feed(told):
        assert judge(Story(rows=told).run())["objectives_broken"] == ["available"]
