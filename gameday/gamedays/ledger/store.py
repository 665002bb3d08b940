"""The ledger's database: each write is one transaction, tried again where another writer was in the way.

SQLite: write-ahead log, so that readers never wait, and ``BEGIN IMMEDIATE``, so that a writer waits at its beginning and never fails in
the middle (https://www.sqlite.org/lang_transaction.html). Any other database: its own isolation; two writers of the same row meet at
its primary key, and the one that loses begins again and finds the row.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import NullPool

from gameday.gamedays.ledger.address import Address, LedgerError, NoLedgerError
from gameday.gamedays.ledger.upgrades import UPGRADES, Upgrade, bring_up_to_date, version

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds for which a command waits for other writers, or for a server."""
_PAUSE = 0.05
_READS = "gameday_reads"
"""An option of a connection: its transaction only reads."""
_LEAST_CONNECT = 2
"""libpq waits at least that long for a connection."""


@dataclass(slots=True)
class Store:
    """An open ledger."""

    address: Address
    engine: Engine = field(repr=False)
    patience: float

    @classmethod
    def open(
        cls, address: Address, *, make: bool = True, patience: float = PATIENCE, upgrades: Sequence[Upgrade] = UPGRADES
    ) -> Store:
        """Open a ledger; with ``make``, made where there is none.

        Raises LedgerError when it cannot be opened, is newer than this program, or (NoLedgerError) is not there.
        Upgrading one needs no ``make``.
        """
        store = cls(address, _engine(address, patience), patience)
        if address.file is not None:
            store._place(address.file, make=make)
        found = store.read(lambda connection: version(connection, upgrades))
        if found == 0 and not make:
            raise _nowhere(address)
        if found != 1 + len(upgrades):
            store.write(lambda connection: bring_up_to_date(connection, upgrades))
        return store

    def _place(self, file: Path, *, make: bool) -> None:
        """Make the folder of a file, or refuse before an empty file is made."""
        if not make and not file.is_file():
            raise _nowhere(self.address)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"cannot make {file.parent}: {error.strerror}", hint="name another ledger") from error

    def write(self, change: Callable[[Connection], T]) -> T:
        """Carry out a change whole or not at all; it may be called again, so it must begin by looking at what is there."""
        return self._whole(change, reads=False)

    def read(self, ask: Callable[[Connection], T]) -> T:
        """Ask about one moment of the ledger; waits for no writer."""
        return self._whole(ask, reads=True)

    def _whole(self, call: Callable[[Connection], T], *, reads: bool) -> T:
        end = time.monotonic() + self.patience
        while True:
            try:
                with self._said(), self.engine.connect() as opened:
                    connection = opened.execution_options(**{_READS: reads})
                    with connection.begin():
                        return call(connection)
            except _BusyError as busy:
                if time.monotonic() >= end:
                    raise LedgerError(str(busy), hint="another writer has it; try again") from None
                time.sleep(_PAUSE)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def _said(self) -> Generator[None]:
        """Say in one line, without a secret, what the database had against it; raise _BusyError where trying again may help."""
        try:
            yield
        except (exc.DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            said = f"the ledger {self.address.shown} cannot be used: {self.address.mask(str(cause))}"
            if isinstance(error, exc.IntegrityError) or _busy(cause):
                raise _BusyError(said) from None
            raise LedgerError(said, hint="see that it can be reached and written to, or name another ledger") from None
        except exc.SQLAlchemyError as error:
            raise LedgerError(
                f"the ledger {self.address.shown} cannot be used: {self.address.mask(str(error))}",
                hint="name another ledger",
            ) from None


def _nowhere(address: Address) -> NoLedgerError:
    return NoLedgerError(f"there is no ledger at {address.shown} yet", hint="gameday findings import runs/ makes it")


class _BusyError(Exception):
    """Another writer was in the way."""


def _busy(cause: BaseException | None) -> bool:
    """Whether the same transaction may succeed a moment later: locks of SQLite, serialization failures and deadlocks (class 40) of SQL."""
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return str(getattr(cause, "sqlstate", None) or "").startswith("40")


def _engine(address: Address, patience: float) -> Engine:
    backend, arguments = address.url.get_backend_name(), dict[str, Any]()
    if backend == "sqlite":
        arguments["timeout"] = patience
    elif backend == "postgresql":
        arguments["connect_timeout"] = max(_LEAST_CONNECT, round(patience))
        arguments["tcp_user_timeout"] = round(1000 * patience)
    engine = create_engine(address.url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin_sqlite)
    elif backend == "postgresql":
        event.listen(engine, "begin", partial(_begin_postgresql, ms=round(1000 * patience)))
    return engine


def _prepare(connection: Any, _record: object) -> None:
    """Leave transactions to us, and make what is committed last."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection, ms: int) -> None:
    if connection.get_execution_options().get(_READS):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {ms}")
