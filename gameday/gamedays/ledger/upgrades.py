"""The version of a ledger's tables: made where there are none, brought up to date in one transaction, refused where they are newer.

The rule: tables are never changed in place by hand. A new version is one more function in ``UPGRADES``, which turns the version before it
into its own, rows included; it is never changed once it is released. A ledger that is newer than this program is refused whole,
because nobody knows what its new parts mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, text, update

from gameday.gamedays.ledger.address import LedgerError
from gameday.gamedays.ledger.tables import META, VERSION

Upgrade = Callable[[Connection], None]
UPGRADES: tuple[Upgrade, ...] = ()
"""The first turns version 1 into version 2, and so on."""
_LOCK = 0x6761_6D65_6461_79
"""An advisory lock of PostgreSQL: "gameday" in ASCII."""


def version(connection: Connection, upgrades: Sequence[Upgrade] = UPGRADES) -> int:
    """Return the version of the tables, 0 where there are none; raise LedgerError where they are newer than this program."""
    if not inspect(connection).has_table(VERSION.name):
        return 0
    found, wanted = int(connection.scalar(select(VERSION.c.version)) or 0), 1 + len(upgrades)
    if found > wanted:
        raise LedgerError(
            f"the ledger was written by a newer gameday: its tables are version {found}, this one knows {wanted}",
            hint="upgrade gameday here, or name another ledger",
        )
    return found


def bring_up_to_date(connection: Connection, upgrades: Sequence[Upgrade] = UPGRADES) -> None:
    """Make the tables, or upgrade them, within the transaction that is open; raise LedgerError where they are newer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = version(connection, upgrades)  # whoever had the lock may have made them
    if found == 0:
        META.create_all(connection)
        connection.execute(insert(VERSION).values(id=1, version=1 + len(upgrades)))
        return
    for upgrade in upgrades[found - 1 :]:
        upgrade(connection)
    connection.execute(update(VERSION).values(version=1 + len(upgrades)))
