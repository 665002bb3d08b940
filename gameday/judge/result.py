"""What one judgement came to, and how several merge into one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gameday.model import Reason, Verdict

_RANK = {reason: index for index, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict and the one reason for it."""

    verdict: Verdict
    reason: Reason


PASS = Result(Verdict.PASS, Reason.PROVEN)
FAIL = Result(Verdict.FAIL, Reason.BROKEN)


def unsure(reason: Reason) -> Result:
    """Return an inconclusive result for this reason."""
    return Result(Verdict.INCONCLUSIVE, reason)


def worst(results: Iterable[Result]) -> Result:
    """Merge by seriousness, whatever the order; nothing at all is no data, never a pass.

    Of two reasons the later in the closed list stands, so that ``near-limit``, which a user may accept, hides no other.
    """
    return max(results, key=lambda result: (result.verdict, _RANK[result.reason]), default=unsure(Reason.NO_DATA))


def reasons(results: Iterable[Result]) -> list[str]:
    """Name every reason of the most serious verdict once, in the order of the closed list."""
    several = list(results)
    top = worst(several).verdict
    found = {result.reason for result in several if result.verdict is top} or {Reason.NO_DATA}
    return [str(reason) for reason in sorted(found, key=_RANK.__getitem__)]
