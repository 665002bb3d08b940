"""How soon the revert begins after the guard's decision, in real runs: from the journal's ``abort`` to its first ``revert-called``."""

from __future__ import annotations

from pathlib import Path

from tests.harness import Lab, switch

RULE = "errors lose 500ms of traffic beyond 10%"


def aborted(lab: Lab) -> Path:
    """Write an experiment whose fault breaks the target for good: the guard stops it."""
    return lab.write(
        phases={"warmup": "200ms", "baseline": "1500ms", "recovery": "3s"},
        faults=[{"outage": {"do": "command", "with": switch(lab.folder, "broken"), "at": "0s", "for": "20s"}}],
        abort=[RULE],
    )


def decision_to_revert_ms(lab: Lab) -> float:
    """Carry out one run; raise AssertionError when the guard did not end it, reverted."""
    ran = lab.run(aborted(lab))
    assert ran.verdict["aborted_by"] == "guard", ran.err
    assert ran.code == 4, ran.err
    assert not (lab.folder / "broken").exists(), "the target is whole again"
    events = lab.events()
    decided = next(event["wall"] for event in events if event["kind"] == "abort")
    called = next(event["wall"] for event in events if event["kind"] == "revert-called")
    return 1000 * float(called - decided)
