"""How soon an alert can fire once a fault is on: what ``plan`` says of an alert that never could.

A burn rate over a window W fires when the share of bad ones in the window exceeds its threshold b. With steady traffic, of which a share
e is bad from now on, that takes t = b·W / e; where the window holds only H of clean traffic so far, t = b·H / (e - b), whichever is less.
At 99.9 % and 14.4 times over 1 h (b = 0.0144): 52 s at 100 %, 104 s at 50 %, 259 s at 20 %, 1037 s at 5 % errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from gameday.judge.promexpr import Burn, Either, Every, Need, burns, read_need
from gameday.spi.alert import AlertRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long one rule takes to fire, in milliseconds; infinite for never."""

    burn_ms: float
    """Until its expression holds; 0 where that is not known."""
    for_ms: float
    """For how long it must hold, in whole intervals: it is looked at only then."""
    late_ms: float = 0.0
    """One evaluation and one scrape: what it may take longer by."""

    @property
    def total_ms(self) -> float:
        """All of it."""
        return self.burn_ms + self.for_ms + self.late_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How soon an alert can fire: of several rules the quickest."""

    soonest: Wait
    """When everything is bad, nothing but this run's own traffic is in its windows, and evaluation and scrape come at once."""
    usual: Wait
    """At the share that is expected, with steady traffic, an evaluation and a scrape later."""
    share: float
    burn: bool
    """Whether its expression is a burn rate: else only its ``for`` is known."""

    def cannot(self, *, within_ms: float, fault_ms: float) -> bool:
        """Whether it can certainly not fire in time: not even in a full outage."""
        return self.soonest.burn_ms > fault_ms or self.soonest.total_ms > within_ms

    def late(self, *, within_ms: float, fault_ms: float) -> bool:
        """Whether at the share that is expected it fires too late, or only when the fault is over."""
        return self.usual.total_ms > min(within_ms, fault_ms)


def seconds_to_burn(need: Need, share: float, held: float = inf) -> float:
    """Return how many seconds a share of bad requests takes to meet what an expression asks for, at the least.

    ``held`` is for how many seconds clean traffic has been in its windows. What is not known is taken to be met at once.
    """
    if isinstance(need, Burn):
        if share <= need.threshold:
            return inf
        fresh = need.threshold * held / (share - need.threshold)
        return min(need.threshold * need.window_ms / 1000 / share, fresh)
    if isinstance(need, Every):
        return max((seconds_to_burn(part, share, held) for part in need.parts), default=0.0)
    if isinstance(need, Either):
        return min((seconds_to_burn(part, share, held) for part in need.parts), default=0.0)
    return 0.0


def chance_to_fire(rules: Sequence[AlertRule], *, share: float, held_ms: float) -> Chance | None:
    """Return how soon any of several rules fires when a ``share`` of requests is bad; None without a rule.

    ``held_ms`` is for how long clean traffic of the same rate was sent before the fault, at the least.
    """
    chances = [_chance(rule, share, held_ms) for rule in rules]
    if not chances:
        return None
    return Chance(
        soonest=min((one.soonest for one in chances), key=lambda wait: wait.total_ms),
        usual=min((one.usual for one in chances), key=lambda wait: wait.total_ms),
        share=share,
        burn=all(one.burn for one in chances),
    )


def _chance(rule: AlertRule, share: float, held_ms: float) -> Chance:
    need = read_need(rule.expression)
    waits = ceil(rule.wait / rule.interval) * rule.interval if rule.interval > 0 else rule.wait
    return Chance(
        soonest=Wait(burn_ms=1000 * seconds_to_burn(need, 1.0, held_ms / 1000), for_ms=1000 * waits),
        usual=Wait(
            burn_ms=1000 * seconds_to_burn(need, share),
            for_ms=1000 * waits,
            late_ms=1000 * (rule.interval + rule.scrape),
        ),
        share=share,
        burn=any(True for _ in burns(need)),
    )
