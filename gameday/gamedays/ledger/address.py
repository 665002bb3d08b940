"""Where the ledger is: what the command line or the environment names, or else a file in the state directory.

An address may hold a password. It is in no error, no output and no process list: on the command line one with a password is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from gameday.spi.errors import GamedayError
from gameday.undo.state import lasting_dir

if TYPE_CHECKING:
    from sqlalchemy import URL

VARIABLE = "GAMEDAY_LEDGER"
"""Of the environment: a file, a database's URL, or ``off``."""
OFF = "off"
FILE = "ledger.db"
_POSTGRESQL = ("postgres", "postgresql")
_SECRET_KEYS = ("password", "passwd", "pwd", "sslpassword", "token", "secret")
_SHOWN = 300


class LedgerError(GamedayError):
    """The ledger cannot be used; no run, verdict or report depends on it."""


class NoLedgerError(LedgerError):
    """It could be there, and nobody has made it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database, by its URL."""

    url: URL = field(repr=False)
    chosen: bool
    """Whether somebody named it; otherwise it is the user's own file, which may not be there."""

    @property
    def file(self) -> Path | None:
        """The file of an SQLite ledger."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    @property
    def shown(self) -> str:
        """Where it is, for people: no user, no password, no query."""
        if self.file is not None:
            return str(self.file)
        port = f":{self.url.port}" if self.url.port else ""
        place = f"{self.url.get_backend_name()}://{self.url.host or ''}{port}/{self.url.database or ''}"
        return "".join(c if c.isprintable() else "?" for c in place[:_SHOWN])

    def mask(self, said: str) -> str:
        """Replace the secrets in what a database's driver says, however they are encoded, and make it one bounded printable line."""
        query = [str(value) for key, value in self.url.query.items() if key.lower() in _SECRET_KEYS]
        secrets = [value for value in (self.url.password, *query) if value]
        forms = {form for value in secrets for form in (value, quote(value, safe=""), quote_plus(value))}
        for form in sorted(forms, key=len, reverse=True):
            said = said.replace(form, "***")
        line = " ".join(said.split())
        return "".join(c if c.isprintable() else "?" for c in line)[:_SHOWN]


def find_ledger(option: str | None = None, environ: Mapping[str, str] = os.environ) -> Address:
    """Return where the ledger is: ``option``, else $GAMEDAY_LEDGER, else ledger.db in the user's state directory.

    Raises LedgerError for what cannot be one, for ``off``, and for an option that holds a password.
    """
    named = option if option is not None else environ.get(VARIABLE, "")
    if named.strip().lower() == OFF:
        raise LedgerError("the ledger is switched off", hint=f"set {VARIABLE} to a file or a URL, or unset it")
    if not named.strip():
        return _address(str(lasting_dir() / FILE), chosen=False)
    found = _address(named.strip(), chosen=True)
    if option is not None and found.mask(option) != " ".join(option.split())[:_SHOWN]:
        raise LedgerError(
            "a password on the command line is seen by everybody on this machine",
            hint=f"put the URL into the environment variable {VARIABLE}, or the password into a file that the driver reads (PGPASSFILE)",
        )
    return found


def configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether runs are noted by themselves: a ledger is named, or the user's own is there. Imports nothing, raises nothing."""
    named = environ.get(VARIABLE, "").strip()
    try:
        return named.lower() != OFF if named else (lasting_dir() / FILE).is_file()
    except OSError:
        return False


def _address(named: str, *, chosen: bool) -> Address:
    from sqlalchemy import URL, exc, make_url  # noqa: PLC0415 - heavy

    if "://" not in named:
        return Address(url=URL.create("sqlite", database=str(Path(named).expanduser().absolute())), chosen=chosen)
    try:
        url = make_url(named)
    except (exc.ArgumentError, ValueError):
        raise LedgerError("the ledger's address is no URL of a database", hint=_EXAMPLES) from None
    if url.drivername in _POSTGRESQL:
        url = url.set(drivername="postgresql+psycopg")
    _check(url)
    return Address(url=url, chosen=chosen)


_EXAMPLES = "name a file, or a URL like postgresql://gameday@db.example.com/gameday"


def _check(url: URL) -> None:
    from sqlalchemy import exc  # noqa: PLC0415 - heavy

    try:
        url.get_dialect().import_dbapi()
    except exc.ArgumentError:
        raise LedgerError(f"SQLAlchemy knows no database of the kind {url.drivername[:40]!r}", hint=_EXAMPLES) from None
    except ImportError as error:
        extra = "pip install 'gameday-runner[sql]'" if url.get_backend_name() == "postgresql" else "pip install it"
        raise LedgerError(f"the ledger needs a driver that is not installed: {error.name}", hint=extra) from None
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise LedgerError(
            "the ledger's address names no file", hint="write one like sqlite:////var/lib/gameday/ledger.db"
        )
