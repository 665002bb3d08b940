"""How often each rule is wrong, in cells of one budget, rate, length, family and multiple of the budget."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean

from bench.truth.rules import RULES, Remembering
from bench.truth.traffic import FAMILIES, phase

MULTIPLES = (0.3, 0.8, 1.5, 3.0)
ENOUGH = 12
"""From this many bad requests on that a budget allows, a run at 0.3 of it should hardly ever fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One length of phase, rate and budget."""

    rate: int
    seconds: int
    budget: float

    @property
    def allowed(self) -> float:
        """Bad requests that the budget allows in the phase."""
        return self.budget * self.rate * self.seconds

    def runs(self, runs: int) -> int:
        """Return how many runs a cell has: fewer of long ones."""
        return max(1, runs * 60 // self.seconds)

    def words(self) -> str:
        """Say it."""
        return f"{100 * self.budget:g}% at {self.rate}/s for {self.seconds} s"


SETTINGS = (
    Setting(rate=50, seconds=60, budget=0.005),
    Setting(rate=200, seconds=60, budget=0.005),
    Setting(rate=50, seconds=60, budget=0.001),
    Setting(rate=200, seconds=300, budget=0.001),
)


@dataclass(slots=True, kw_only=True)
class Cell:
    """All runs of one setting, family and multiple."""

    setting: Setting
    family: str
    multiple: float
    runs: int = 0
    verdicts: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """By rule."""
    untrue: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """By rule, verdicts that contradict the run's own truth: passes of runs over the budget, fails of runs within it."""
    over: int = 0
    """Runs whose own truth is over the budget."""

    def share(self, rule: str, verdict: str) -> float:
        """Share of the runs that got this verdict."""
        return self.verdicts[rule][verdict] / self.runs


def cells(runs: int, seed: str, settings: tuple[Setting, ...] = SETTINGS) -> Iterator[Cell]:
    """Simulate and judge every cell; each has its own dice, so that one can be repeated alone."""
    for setting in settings:
        for family in FAMILIES:
            for multiple in MULTIPLES:
                yield one_cell(setting.runs(runs), seed, setting, family, multiple)


def one_cell(runs: int, seed: str, setting: Setting, family: str, multiple: float) -> Cell:
    """Simulate and judge one cell."""
    dice = random.Random(f"{seed}/{setting.words()}/{family}/{multiple}")
    cell = Cell(setting=setting, family=family, multiple=multiple, runs=runs)
    for rule in RULES:
        cell.verdicts[rule], cell.untrue[rule] = Counter(), Counter()
    rules = {**RULES, "gameday": Remembering()}
    for _ in range(runs):
        one = phase(dice, family, multiple * setting.budget, rate=setting.rate, seconds=setting.seconds)
        over = one.truth > setting.budget
        cell.over += over
        for rule, judged in rules.items():
            verdict = judged(one, setting.budget)
            cell.verdicts[rule][verdict] += 1
            cell.untrue[rule][verdict] += verdict == ("pass" if over else "fail")
    return cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One promise, and the worst that was seen of it."""

    says: str
    limit: float
    worst: float
    where: str
    unit: str = "%"

    @property
    def met(self) -> bool:
        """Whether the worst is within the limit."""
        return self.worst <= self.limit

    def words(self) -> str:
        """Say it, with where the worst was."""
        return f"{'met   ' if self.met else 'MISSED'}  {self.says}: worst {self.worst:.3g} {self.unit} ({self.where})"


def goals(found: list[Cell]) -> list[Goal]:
    """Hold our rule against the goals, each in its worst cell."""
    few = [cell for cell in found if cell.multiple == 0.3 and cell.setting.allowed < ENOUGH]
    enough = [cell for cell in found if cell.multiple == 0.3 and cell.setting.allowed >= ENOUGH]
    over = [cell for cell in found if cell.multiple == 1.5]
    made = [
        _worst(
            "false pass at 1.5 times the budget <= 5 %",
            5.0,
            {_where(c): 100 * c.share("gameday", "pass") for c in over},
        ),
        _worst(
            f"false fail at 0.3 times, budget x requests >= {ENOUGH}, <= 0.5 %",
            0.5,
            {_where(c): 100 * c.share("gameday", "fail") for c in enough},
        ),
        _worst(
            f"false fail at 0.3 times, budget x requests < {ENOUGH}, <= 2 %",
            2.0,
            {_where(c): 100 * c.share("gameday", "fail") for c in few},
        ),
    ]
    for verdict in ("pass", "fail"):
        says = f"false {verdict} against the run's own truth, mean of the multiples, <= 1 %"
        made.append(_worst(says, 1.0, _untrue(found, verdict)))
    return made


def _untrue(found: list[Cell], verdict: str) -> dict[str, float]:
    """Return the percentage of such verdicts for a setting and family: the mean over the multiples of its budget."""
    groups: dict[str, list[Cell]] = {}
    for cell in found:
        groups.setdefault(f"{cell.setting.words()}, {cell.family}", []).append(cell)
    return {
        name: 100 * fmean(cell.untrue["gameday"][verdict] / cell.runs for cell in group)
        for name, group in groups.items()
    }


def _where(cell: Cell) -> str:
    return f"{cell.setting.words()}, {cell.family}, {cell.multiple:g}x"


def _worst(says: str, limit: float, shares: dict[str, float]) -> Goal:
    where = max(shares, key=lambda name: shares[name])
    return Goal(says=says, limit=limit, worst=shares[where], where=where)
