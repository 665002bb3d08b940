"""What all sample runs have in common: their outcomes, names and hashes, and when things happened in them."""

from __future__ import annotations

from typing import Literal

from tests.fakes.sample_load import Shape

Outcome = Literal["pass", "fail", "aborted", "dirty", "inconclusive"]
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "aborted", "dirty", "inconclusive")
NAME = "20260921-141320-checkout-survives-a-payments-outage-7f3a"
WALL = 1_790_000_000.123
DIGEST = "4c1e9ab0d5f2" + "0" * 52
HEAD = "9f86d081884c7d65" + "a" * 48
LOAD_MS, WARMUP_MS = 3_000, 10_000
ABORT = "errors lose 1.5s of traffic beyond 50%: 168 requests lost beyond it, 150 allowed"


class Times:
    """When things happened, in ms of the run."""

    def __init__(self, outcome: Outcome, baseline_s: int, fault_s: int, recovery_s: int) -> None:
        self.baseline = (LOAD_MS + WARMUP_MS, LOAD_MS + WARMUP_MS + baseline_s * 1000)
        self.zero = self.baseline[1] + 350
        self.called = self.zero + 1
        self.proven = self.zero + 13
        self.fault_ms = fault_s * 1000
        self.injected = outcome != "inconclusive"
        held = min(self.fault_ms, 6_200) if outcome == "aborted" else self.fault_ms
        self.revert_called = self.zero + held
        self.reverted = self.revert_called + 21
        self.load_end = self.reverted + recovery_s * 1000 if self.injected else self.baseline[1] + 200
        self.ended = self.load_end + 1_400
        heals = {"pass": self.called + 900, "fail": self.reverted + 7_000}.get(outcome, self.reverted + 2_000)
        shares = {"pass": 0.06, "fail": 0.12, "aborted": 0.7, "dirty": 0.1, "inconclusive": 0.0}
        slow = {"pass": 120.0, "fail": 1_150.0, "aborted": 900.0, "dirty": 700.0, "inconclusive": 600.0}
        self.shape = Shape(
            start_ms=LOAD_MS,
            end_ms=self.load_end,
            fault=(self.called, self.reverted)
            if self.injected
            else (self.baseline[0] + baseline_s * 500, self.load_end),
            heals_ms=heals if self.injected else self.load_end,
            error_share=shares[outcome],
            slow_ms=slow[outcome],
        )


def renamed(name: str, index: int) -> str:
    return name if index < 3 else f"{name}-{index // 3 + 1}"
