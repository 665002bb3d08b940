"""A gauge from a database: the one number that a query returns, in a read-only transaction."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday_drivers.deadline import Deadline
from gameday_drivers.jsonpath import finite
from gameday_drivers.secret_url import Opened, check_url, open_url
from gameday_drivers.sql_session import LEAST_CONNECT_SECONDS, require_extra, rows, sql_url

_EXAMPLE = "postgresql://shop:${password}@127.0.0.1:5432/shop"
_READS = re.compile(r"[\s(]*(?:select|with|values|table|show)\b", re.IGNORECASE)
_REFUSED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_SCHEMA)
"""It is the statement that is wrong, though SQLite calls that an operational error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProbe:
    """Read the one number that a query returns, from any database of SQLAlchemy, in a read-only transaction."""

    value: str = field(
        metadata={"help": "a query with one row of one number: select count(*) from jobs where done_at is null"}
    )
    url: str = field(metadata={"help": 'the database: "${db}", or postgresql://USER:${password}@HOST/NAME'})
    timeout_: int = field(
        default=READ_MS,
        metadata={
            "unit": "duration",
            "min": 1000 * LEAST_CONNECT_SECONDS,
            "help": "how long one read may take, on the server too",
        },
    )

    name = "sql"

    def __post_init__(self) -> None:
        query = self.value.strip().rstrip(";")
        if ";" in query:
            raise ValueError("value is more than one statement; write one query without a semicolon")
        if not _READS.match(query):
            raise ValueError(f"value is no query: {query[:60]!r}; begin with SELECT, WITH, VALUES, TABLE or SHOW")
        url = check_url("url", self.url, _EXAMPLE)
        require_extra()
        if url is not None:
            sql_url(url)

    @property
    def timeout(self) -> float:
        """Seconds for connecting and asking."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; NULL is none."""
        deadline = Deadline.after(self.timeout)
        try:
            opened = open_url(self.url, world.secrets)
            url = sql_url(opened)
        except DriverError as error:
            raise ProbeError(str(error)) from None
        except ValueError as error:
            raise QueryError(world.secrets.mask(str(error))) from None
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an extra

        try:
            columns, found = rows(url, self.value.strip().rstrip(";"), deadline, most=2)
        except TimeoutError:
            raise ProbeError(f"{opened.shown}: no answer within {self.timeout:g} s") from None
        except SQLAlchemyError as error:
            if deadline.over:
                raise ProbeError(f"{opened.shown}: no answer within {self.timeout:g} s") from None
            raise _kind(error)(f"{opened.shown}: {_said(error, opened, world)}") from None
        return _number(columns, found)


def _number(columns: Sequence[str], found: Sequence[Sequence[Any]]) -> float:
    if len(found) != 1 or len(columns) != 1:
        many = "more than one row" if len(found) > 1 else f"{len(found) or 'no'} row{'' if len(found) == 1 else 's'}"
        raise QueryError(f"the query returns {many} of {len(columns)} column(s), not one row of one number")
    value = found[0][0]
    if value is None:
        raise ProbeError("the query returns NULL: there is no number")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise QueryError(f"the query returns {type(value).__name__}, not a number")
    try:
        return finite(float(value) if not isinstance(value, int) else value, columns[0] or "it")
    except ValueError as error:
        raise QueryError(f"the query: {error}") from None


def _kind(error: Exception) -> type[ProbeError]:
    """Tell a source that cannot answer now from a question that it refuses."""
    from sqlalchemy import exc  # noqa: PLC0415 - an extra

    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _REFUSED:
        return QueryError
    return ProbeError if isinstance(error, (exc.OperationalError, exc.InterfaceError)) else QueryError


def _said(error: Exception, url: Opened, world: World) -> str:
    """Return the database's own words, without SQLAlchemy's around them, and without the password."""
    return url.mask(world.secrets.mask(str(getattr(error, "orig", None) or error)))
