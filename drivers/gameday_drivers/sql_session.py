"""A database session that reads one row: read-only, within a deadline on the server too, and rolled back.

SQLAlchemy and the database's own driver are imported here, and only when a file asks a database.
"""

from __future__ import annotations

import math
import os
import socket
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gameday_drivers.deadline import Deadline
from gameday_drivers.secret_url import Opened

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

LEAST_CONNECT_SECONDS = 2
"""libpq waits at least that long for a connection."""
_STEPS = 10_000
"""Instructions of SQLite's virtual machine between two looks at the clock."""
_POSTGRESQL = ("postgres", "postgresql")


def require_extra() -> None:
    """Raise ValueError, which says what to install, without SQLAlchemy."""
    if find_spec("sqlalchemy") is None:
        raise ValueError("sql needs the extra [sql]; pip install 'gameday-runner[sql]'")


def sql_url(url: Opened) -> URL:
    """Return the URL as SQLAlchemy has it; raise ValueError for a database that there is no dialect or driver for.

    ``postgresql://`` is read by psycopg, the driver of the extra.
    """
    require_extra()
    from sqlalchemy import URL, exc  # noqa: PLC0415 - an extra

    made = URL.create(
        "postgresql+psycopg" if url.scheme in _POSTGRESQL else url.scheme,
        username=url.user or None,
        password=url.password or None,
        host=url.host or None,
        port=url.port,
        database=url.path.removeprefix("/") or None,
        query=dict(url.query),
    )
    try:
        made.get_dialect().import_dbapi()
    except exc.ArgumentError:
        raise ValueError(f"url is of a kind of database that SQLAlchemy does not know: {url.scheme[:40]}") from None
    except ImportError as error:
        raise ValueError(
            f"url needs a driver that is not installed: {error}; pip install it, or name another one"
        ) from None
    if made.get_backend_name() == "sqlite" and made.database in (None, "", ":memory:"):
        raise ValueError("url names no file; write one like sqlite:////var/lib/shop/shop.db")
    return made


def rows(url: URL, query: str, deadline: Deadline, most: int) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """Return the names of the columns and at most ``most`` rows; raises what SQLAlchemy raises, TimeoutError too."""
    engine = _engine(url, deadline)
    with _cut_off(engine, deadline), engine.connect() as connection:
        _restrict(connection, deadline)
        found = connection.execution_options(no_parameters=True).exec_driver_sql(query)
        return tuple(found.keys()), [tuple(row) for row in found.fetchmany(most)]


def _engine(url: URL, deadline: Deadline) -> Engine:
    from sqlalchemy import create_engine  # noqa: PLC0415 - an extra
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 - an extra

    backend, seconds = url.get_backend_name(), max(1, math.floor(deadline.left()))
    if backend == "sqlite":
        return create_engine(url, poolclass=NullPool, creator=lambda: _sqlite(url, deadline))
    arguments: dict[str, Any] = {}
    if backend in ("postgresql", "mysql", "mariadb") and "connect_timeout" not in url.query:
        arguments["connect_timeout"] = max(LEAST_CONNECT_SECONDS, seconds)
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    return engine.execution_options(postgresql_readonly=True) if backend == "postgresql" else engine


def _sqlite(url: URL, deadline: Deadline) -> sqlite3.Connection:
    """Open the file for reading alone: one that is not there must not be made. Its progress handler ends a query in time."""
    file = os.path.abspath(url.database or "")  # noqa: PTH100 - a text for a URI
    connection = sqlite3.connect(f"file:{quote(file)}?mode=ro", uri=True, timeout=deadline.left())
    connection.set_progress_handler(lambda: deadline.over, _STEPS)
    return connection


def _restrict(connection: Connection, deadline: Deadline) -> None:
    """Make this transaction read-only, and let the server itself end a query that takes too long."""
    ms = max(1, math.ceil(deadline.left() * 1000))
    for statement in _restrictions(connection, ms):
        connection.exec_driver_sql(statement)


def _restrictions(connection: Connection, ms: int) -> tuple[str, ...]:
    dialect = connection.dialect
    match dialect.name:
        case "postgresql":
            return (f"SET LOCAL statement_timeout = {ms}",)
        case "sqlite":
            return ("PRAGMA query_only = ON",)
        case "mysql" | "mariadb" if getattr(dialect, "is_mariadb", False):
            return ("SET TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {ms / 1000:.3f}")
        case "mysql":
            return ("SET TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {ms}")
        case "oracle":
            return ("SET TRANSACTION READ ONLY",)
        case _:
            return ()


@contextmanager
def _cut_off(engine: Engine, deadline: Deadline) -> Generator[None]:
    """Shut the connection's socket at the deadline: a server that has stopped would otherwise hold this thread.

    No driver has a deadline for that. It needs one that tells its socket (``fileno``), as those of PostgreSQL do.
    """
    from sqlalchemy import event  # noqa: PLC0415 - an extra

    with ExitStack() as opened:

        def connect(dialect: Any, _record: Any, args: Any, kwargs: Any) -> Any:
            made = dialect.connect(*args, **kwargs)
            if hasattr(made, "fileno"):
                opened.enter_context(_shut_at(socket.socket(fileno=os.dup(made.fileno())), deadline))
            return made

        event.listen(engine, "do_connect", connect)
        yield


@contextmanager
def _shut_at(sock: socket.socket, deadline: Deadline) -> Generator[None]:
    timer = threading.Timer(deadline.left(), _shut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        sock.close()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
