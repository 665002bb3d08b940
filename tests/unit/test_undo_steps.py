"""The rules of a revert, without a world: what is asked, what is believed, and what is called dirty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gameday.model import Plan
from gameday.undo.steps import ATTEMPTS, SETTLE_SECONDS, Ask, Note, Revertible, Undone, revert_steps

Answer = Callable[[str, int], dict[str, Any]]


def drive(
    answer: Answer, *, provable: bool = True, settle_seconds: float = SETTLE_SECONDS
) -> tuple[Undone, list[Note], list[str]]:
    """Drive the steps with answers by operation and how often it was asked; return the end, the notes and what was asked."""
    plan = Plan(driver="d", targets=("t",))
    fault = Revertible(name="f", plan=plan, provable=provable, settle_seconds=settle_seconds)
    steps = revert_steps(fault, by="test")
    notes: list[Note] = []
    asked: list[str] = []
    reply: dict[str, Any] = {}
    try:
        step = next(steps)
        while True:
            reply = {}
            if isinstance(step, Note):
                notes.append(step)
            elif isinstance(step, Ask):
                reply = answer(step.op, asked.count(step.op))
                asked.append(step.op)
            step = steps.send(reply)
    except StopIteration as end:
        return end.value, notes, asked


def test_a_revert_is_proven_by_two_measurements() -> None:
    end, notes, asked = drive(lambda op, _: {"active": False} if op == "active" else {"ok": True})
    assert end.clean
    assert end.proven is True
    assert asked == ["revert", "active", "active"]
    assert [note.kind for note in notes] == ["revert-called", "reverted"]


def test_what_cannot_come_back_is_proven_by_one_measurement_and_never_by_none() -> None:
    end, notes, asked = drive(lambda op, _: {"active": False} if op == "active" else {"ok": True}, settle_seconds=0.0)
    assert (end.clean, end.proven) == (True, True)
    assert asked == ["revert", "active"]
    assert [note.kind for note in notes] == ["revert-called", "reverted"]
    end, notes, asked = drive(lambda op, _: {} if op == "active" else {"ok": True}, settle_seconds=0.0)
    assert (end.clean, notes[-1].kind, asked.count("active")) == (False, "still-active", ATTEMPTS)


def test_a_fault_that_comes_back_in_the_settle_window_is_reverted_again() -> None:
    end, _, asked = drive(lambda op, n: {"active": n == 1} if op == "active" else {"ok": True})
    assert end.clean
    assert asked == ["revert", "active", "active", "revert", "active", "active"]


def test_a_revert_that_does_nothing_is_dirty_after_three_attempts() -> None:
    end, notes, asked = drive(lambda op, _: {"active": True} if op == "active" else {"ok": True})
    assert not end.clean
    assert end.proven is False
    assert asked.count("revert") == ATTEMPTS
    assert notes[-1].kind == "still-active"


def test_a_revert_that_raises_but_measures_as_gone_says_both() -> None:
    end, notes, _ = drive(lambda op, _: {"active": False} if op == "active" else {"error": "boom"})
    assert end.clean
    assert end.error == "boom"
    assert [note.kind for note in notes] == ["revert-called", "revert-failed", "reverted"]


def test_without_a_check_it_is_reported_undone_and_never_proven() -> None:
    end, _, asked = drive(lambda _op, _n: {"ok": True}, provable=False)
    assert end.clean
    assert end.proven is None
    assert asked == ["revert"]


def test_without_a_check_a_failing_revert_is_dirty() -> None:
    end, notes, _ = drive(lambda _op, _n: {"error": "boom"}, provable=False)
    assert not end.clean
    assert notes[-1].kind == "still-active"


reply = st.sampled_from([{"ok": True}, {"error": "x"}, {"active": True}, {"active": False}, {}, {"active": None}])


@given(st.lists(reply, min_size=1, max_size=12), st.booleans())
def test_clean_is_never_claimed_without_a_measurement_or_an_undo_that_reported(
    replies: list[dict[str, Any]], provable: bool
) -> None:
    used: list[dict[str, Any]] = []

    def answer(_op: str, _n: int) -> dict[str, Any]:
        used.append(replies[len(used) % len(replies)])
        return used[-1]

    end, notes, _ = drive(answer, provable=provable)
    assert notes[-1].kind == ("reverted" if end.clean else "still-active")
    if end.clean and provable:
        assert used[-1].get("active") is False
        assert used[-2].get("active") is False
    if end.clean and not provable:
        assert "error" not in used[-1]
