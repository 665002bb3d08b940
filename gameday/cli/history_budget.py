"""``gameday history --budget``: what runs and game days took from error budgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gameday.gamedays.ledger.budget import Account
    from gameday.gamedays.ledger.facts import RunFacts


def budget_document(runs: Sequence[RunFacts], *, now: float, days: int) -> dict[str, Any]:
    """Return ``gameday/budget/1``: each account with its totals and its runs."""
    from gameday.gamedays.ledger.budget import accounts  # noqa: PLC0415 - heavy

    found = accounts(runs, now=now, days=days)
    return {"schema": "gameday/budget/1", "days": days, "accounts": [_account(one) for one in found]}


def _account(one: Account) -> dict[str, Any]:
    from gameday.gamedays.ledger.document import moment  # noqa: PLC0415 - heavy

    return {
        "name": one.name,
        "slo": one.slo,
        "target": one.target,
        "window_ms": one.window_ms,
        "bad": one.bad,
        "total": one.total,
        "bad_seconds": one.bad_seconds,
        "outage_ms": one.outage_ms,
        "share": one.share,
        "game_days": one.days,
        "debits": [
            {
                "run": entry.run.run,
                "started": moment(entry.run.started),
                "day": entry.run.day or None,
                "objective": entry.debit.objective,
                "bad": entry.debit.bad,
                "total": entry.debit.total,
                "bad_seconds": entry.debit.bad_seconds,
                "outage_ms": entry.debit.outage_ms,
            }
            for entry in one.entries
        ],
    }


def budget_lines(runs: Sequence[RunFacts], *, now: float, days: int) -> Iterator[str]:
    """Yield the same for people; requests of different accounts may be the same, so that there is no sum of all."""
    from gameday.gamedays.ledger.budget import accounts  # noqa: PLC0415 - heavy

    found = accounts(runs, now=now, days=days)
    yield f"error budgets over the last {days} days" + ("" if found else ": no run took anything from one")
    for one in found:
        yield f"{'SLO ' if one.slo else ''}{one.name}"
        of = f"  {one.bad:,} of {one.total:,} requests bad, {one.bad_seconds:,} bad seconds, {len(one.entries)} runs"
        yield of + f"; as much as {one.outage_ms / 1000:.1f} s of full outage"
        if one.share is not None and one.target is not None and one.window_ms is not None:
            window = f"{one.window_ms / 86_400_000:g} days at {100 * one.target:g}%"
            yield f"  {100 * one.share:.2f}% of the budget of {window}"
        for day, ms in sorted(one.days.items()):
            yield f"  game day {day}: {ms / 1000:.1f} s of full outage"
