"""What the verbs of the ledger share: which ledger, which finding, and how a finding reads on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.gamedays.ledger.book import Contents
    from gameday.gamedays.ledger.lifecycle import Finding
    from gameday.gamedays.ledger.store import Store

F = TypeVar("F", bound=Callable[..., Any])
_SHOWN = 5


def ledger_option(command: F) -> F:
    """``--ledger URL``, as ``ledger: str | None``."""
    says = "The ledger: a file or a database's URL; default: $GAMEDAY_LEDGER, else ledger.db in the state directory."
    return click.option("--ledger", metavar="URL", help=says)(command)


@contextmanager
def opened(ledger: str | None, *, make: bool = False) -> Generator[Store]:
    """Open the ledger; raise LedgerError when it cannot be, or without ``make`` is not there."""
    from gameday.gamedays.ledger.address import find_ledger  # noqa: PLC0415 - heavy
    from gameday.gamedays.ledger.store import Store  # noqa: PLC0415 - heavy

    store = Store.open(find_ledger(ledger), make=make)
    try:
        yield store
    finally:
        store.close()


def read_ledger(ledger: str | None) -> Contents:
    """Return all that the ledger holds."""
    from gameday.gamedays.ledger.book import contents  # noqa: PLC0415 - heavy

    with opened(ledger) as store:
        return contents(store)


def all_findings(ledger: str | None) -> tuple[Finding, ...]:
    """Return every finding of the ledger."""
    return followed(read_ledger(ledger))


def followed(held: Contents) -> tuple[Finding, ...]:
    """Follow what a ledger holds through its runs."""
    from gameday.gamedays.ledger.lifecycle import findings_of  # noqa: PLC0415 - heavy

    return findings_of(held.runs, held.statements)


def the_one(found: Sequence[Finding], given: str) -> Finding:
    """Return the finding whose fingerprint begins so; raise GamedayError when there is none, or more than one."""
    wanted = given.strip().lower()
    near = [one for one in found if wanted and one.fingerprint.startswith(wanted)]
    if not near:
        raise GamedayError(f"no finding of the ledger begins with {given!r}", hint="gameday findings list has them all")
    if len(near) > 1:
        names = ", ".join(one.fingerprint for one in near[:_SHOWN])
        more = f" and {len(near) - _SHOWN} more" if len(near) > _SHOWN else ""
        raise GamedayError(f"{given!r} begins {names}{more}", hint="give more of its digits")
    return near[0]


def complete_findings(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer fingerprints, with what they are about; silent about every error."""
    try:
        found = all_findings(ctx.params.get("ledger"))
    except GamedayError:
        return []
    return [
        CompletionItem(one.fingerprint, help=one.latest.title)
        for one in found
        if one.fingerprint.startswith(incomplete.lower())
    ]


def brief(one: Finding, now: float) -> Iterator[str]:
    """Yield a finding's two lines in a list."""
    yield f"{one.fingerprint}  {one.state:<9} {one.latest.severity:<7} {one.experiment}: {one.latest.title}"
    said = one.said
    late = " OVERDUE" if one.overdue(now) else ""
    parts = [
        f"{one.times} run{'s' if one.times > 1 else ''}, last {one.last.run}",
        f"closed by {one.closed_by.run}{', of a changed file' if one.changed else ''}" if one.closed_by else "",
        f"{one.unproven} later not proven fixed" if one.unproven else "",
        f"owner {said['owner']}" if "owner" in said else "no owner" if one.is_open else "",
        f"due {said['due']}{late}" if "due" in said else "",
        f"ticket {said['ticket']}" if "ticket" in said else "",
    ]
    yield "                  " + "; ".join(part for part in parts if part)


def tally(found: Sequence[Finding], now: float) -> str:
    """Say how many there are, in one line."""
    open_ = [one for one in found if one.is_open]
    back, late = sum(one.state == "reopened" for one in open_), sum(one.overdue(now) for one in open_)
    again = f" ({back} reopened)" if back else ""
    return f"{len(open_)} open{again}, {len(found) - len(open_)} closed" + (f"; {late} overdue" if late else "")
