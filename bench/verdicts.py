"""How often a verdict is wrong, how soon an outage is stopped, how often a run is stopped for nothing: simulated, with the product's code.

    python bench/verdicts.py [--runs 8000] [--minutes 600] [--reverts 3]        # about a minute and a half on one core

The verdicts: fault phases whose true rate of failures is 0.3, 0.8, 1.5 and 3 times the budget, judged by ``gameday.judge`` from a
whole run's records, by a threshold at the end of the phase, and by one sample with a tolerance. The aborts: ``gameday.guard`` on
100 ms pulses. The reverts: real runs, on loopback. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.truth import aborts, verdictrates
from bench.truth.reverting import decision_to_revert_ms
from bench.truth.rules import RULES
from bench.truth.traffic import FAMILIES
from bench.truth.verdictrates import Goal
from tests.harness import Lab

SEED = "gameday-verdicts-1"
TRIALS = 300


def judged(runs: int) -> list[Goal]:
    """Simulate and judge; print a line for each cell."""
    settings = verdictrates.SETTINGS
    cells = len(verdictrates.MULTIPLES) * len(FAMILIES)
    drawn = [(setting, cells * setting.runs(runs)) for setting in settings]
    hours = sum(setting.seconds * count for setting, count in drawn) / 3600
    total = sum(count for _, count in drawn)
    print(
        f"verdicts: seed {SEED!r}; families {', '.join(FAMILIES)}; {total:,} runs, {hours:.0f} simulated hours of fault phases"
    )
    print(
        f"share of runs that fail / pass / stay inconclusive, in %\n{'':<44}" + "".join(f"{rule:<24}" for rule in RULES)
    )
    found: list[verdictrates.Cell] = []
    for cell in verdictrates.cells(runs, SEED):
        found.append(cell)
        name = f"{cell.setting.words()}, {cell.family}"
        shares = [
            " / ".join(f"{100 * cell.share(rule, v):.1f}" for v in ("fail", "pass", "inconclusive")) for rule in RULES
        ]
        print(f"{name:<36}{cell.multiple:>5g}x  " + "".join(f"{share:<24}" for share in shares), flush=True)
    _untrue(found)
    return verdictrates.goals(found)


def _untrue(found: list[verdictrates.Cell]) -> None:
    """Print how often each rule contradicts the run's own truth, over all cells and only those where it could."""
    over = sum(cell.over for cell in found)
    within = sum(cell.runs for cell in found) - over
    print(f"\nagainst the run's own truth: {over} runs were over their budget, {within} within")
    for rule in RULES:
        passed, failed = (sum(cell.untrue[rule][v] for cell in found) for v in ("pass", "fail"))
        print(
            f"  {rule:<24}{100 * passed / over:6.2f} % of those over it passed, {100 * failed / within:6.2f} % of those within failed"
        )


def stopped(minutes: int, trials: int) -> list[Goal]:
    """Feed the guard; print a line for each rate."""
    print(f"\naborts: {aborts.RULE!r} on {aborts.PULSE_MS} ms pulses, seed {SEED!r}")
    print(f"{trials} full outages a rate; {minutes / 60:g} h a rate of one blip a minute (0.3 to 1 s, 30 to 100 % bad)")
    print(f"the rest of the time {100 * aborts.BACKGROUND:g} % are bad")
    delays, hourly = aborts.outage_seconds(trials, SEED), aborts.false_aborts(minutes, SEED)
    for rate, seconds in delays.items():
        ours, naive = hourly[rate]
        middle, late = sorted(seconds)[len(seconds) // 2], aborts.p95(seconds)
        calm = f"false aborts an hour {ours:.2f}, of any second over 10 %: {naive:.1f}"
        print(f"{rate:>5}/s  stopped after {middle:.2f} s median, {late:.2f} s p95; {calm}")
    return aborts.goals(delays, hourly)


def reverted(times: int) -> list[Goal]:
    """Carry out real runs that the guard ends."""
    took: list[float] = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            took.append(decision_to_revert_ms(Lab(Path(folder))))
    print(f"\nreverts: decision to revert-called in {times} real runs: {', '.join(f'{ms:.1f}' for ms in took)} ms")
    if not took:
        return []
    return [
        Goal(
            says="revert begins <= 10 ms after the decision",
            limit=10.0,
            worst=max(took),
            where=f"{times} runs",
            unit="ms",
        )
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8000, help="of each cell of one minute; fewer of longer ones")
    parser.add_argument("--minutes", type=int, default=600, help="of blips, at each rate")
    parser.add_argument("--trials", type=int, default=TRIALS, help="full outages, at each rate")
    parser.add_argument("--reverts", type=int, default=3, help="real runs that are stopped")
    given = parser.parse_args()
    began = time.monotonic()
    goals = [*judged(given.runs), *stopped(given.minutes, given.trials), *reverted(given.reverts)]
    print(f"\ngoals ({time.monotonic() - began:.0f} s)")
    for goal in goals:
        print(f"  {goal.words()}")
    return 0 if all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
