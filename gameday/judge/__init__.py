"""From a run folder to a verdict: pure, so that the same folder always gives the same verdict.

Each name is imported when it is first used: who only needs one part of the judge (a display, a gate) does not wait for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gameday.judge.acceptance import acceptable
    from gameday.judge.dump import to_bytes
    from gameday.judge.gate import GateDecision, judge_gate
    from gameday.judge.schema import verdict_schema
    from gameday.judge.verdict import judge

__all__ = ["GateDecision", "acceptable", "judge", "judge_gate", "to_bytes", "verdict_schema"]

_PARTS = {
    "GateDecision": "gate",
    "acceptable": "acceptance",
    "judge": "verdict",
    "judge_gate": "gate",
    "to_bytes": "dump",
    "verdict_schema": "schema",
}


def __getattr__(name: str) -> Any:
    """Import the part that has this name."""
    if name not in _PARTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PARTS[name]}"), name)
