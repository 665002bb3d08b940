"""From a run folder to a verdict: pure, so that the same folder always gives the same verdict."""

from gameday.judge.acceptance import acceptable
from gameday.judge.dump import to_bytes
from gameday.judge.gate import GateDecision, judge_gate
from gameday.judge.schema import verdict_schema
from gameday.judge.verdict import judge

__all__ = ["GateDecision", "acceptable", "judge", "judge_gate", "to_bytes", "verdict_schema"]
