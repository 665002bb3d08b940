"""The timeline: every fault that begins ends, in order, whatever the offsets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.schema.experiment import Experiment
from gameday.timeline import ARM_BEFORE_MS, compile_timeline


def experiment(faults: list[dict[str, Any]]) -> Experiment:
    return Experiment.model_validate(
        {
            "version": 1,
            "title": "t",
            "load": {"target": "http://127.0.0.1", "rate": "10/s", "requests": [{"name": "a", "get": "/"}]},
            "objectives": {"o": {"expect": "errors < 5%"}},
            "faults": faults,
        }
    )


spec = st.tuples(st.integers(0, 10**7), st.integers(1, 10**7), st.booleans())


def fault(index: int, at: int, length: int, *, irreversible: bool) -> dict[str, Any]:
    end = {"irreversible": "allow", "observe": f"{length}ms"} if irreversible else {"for": f"{length}ms"}
    return {"name": f"f{index}", "do": "x", "at": f"{at}ms", **end}


@given(st.lists(spec, min_size=1, max_size=8))
def test_every_fault_is_armed_injected_and_ended_in_that_order(specs: list[tuple[int, int, bool]]) -> None:
    made = experiment([fault(i, at, length, irreversible=kill) for i, (at, length, kill) in enumerate(specs)])
    timeline = compile_timeline(made)
    assert list(timeline.steps) == sorted(timeline.steps, key=lambda step: step.at_ms)
    for index, (at, length, kill) in enumerate(specs):
        due = timeline.of(f"f{index}")
        assert due["arm"] == at - ARM_BEFORE_MS
        assert due["inject"] == at
        assert due["observed" if kill else "revert"] == at + length
        kinds = [step.kind for step in timeline.steps if step.fault == f"f{index}"]
        assert kinds == ["arm", "inject", "observed" if kill else "revert"]
    assert timeline.end_ms == max(at + length for at, length, _ in specs)


def test_at_equal_times_what_ends_comes_before_what_begins() -> None:
    made = experiment([fault(0, 0, 1000, irreversible=False), fault(1, 1000, 1000, irreversible=False)])
    at_one_second = [(step.kind, step.fault) for step in compile_timeline(made).steps if step.at_ms == 1000]
    assert at_one_second == [("revert", "f0"), ("inject", "f1")]


def test_a_fault_without_length_is_refused() -> None:
    made = experiment([fault(0, 0, 5, irreversible=False)])
    broken = made.model_copy(update={"faults": (made.faults[0].model_copy(update={"for_": 0}),)})
    with pytest.raises(ValueError, match="no length"):
        compile_timeline(broken)
