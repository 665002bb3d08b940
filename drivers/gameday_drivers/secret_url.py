"""URLs of databases and brokers: their secrets are put in when they are used, and are in no error.

A URL is wholly a secret (``"${db}"``), or has its password as one (``redis://:${password}@HOST``), which then needs no
percent-encoding. A password that stands in the file itself is refused: the file is kept in the run folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from gameday.spi import Secrets

_WHOLE = re.compile(r"\s*\$\{[A-Za-z_][A-Za-z0-9_]*\}\s*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_KEYS = ("password", "passwd", "pwd", "sslpassword", "token", "secret")
_SHOWN = 300
_FIX = 'write "${db}", with variables: {db: {env: DB_URL, secret: true}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A URL in its parts, with the secrets in it: for the one who connects, and nobody else."""

    scheme: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    host: str = ""
    port: int | None = None
    path: str = ""
    """With the slash in front."""
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """Where it leads, for people: no user, no password, no query."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        text = f"{self.scheme}://{host}{port}{self.path}"
        return "".join(c if c.isprintable() else "?" for c in text[:200])

    @property
    def hidden(self) -> tuple[str, ...]:
        """What nobody may see."""
        values = (self.password, *(value for key, value in self.query if key.lower() in _SECRET_KEYS))
        return tuple(value for value in values if value)

    def mask(self, text: str) -> str:
        """Replace the password in what somebody else says, however it is encoded, and make that one bounded printable line."""
        forms = {form for value in self.hidden for form in (value, quote(value, safe=""), quote_plus(value))}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        line = " ".join(text.split())
        return "".join(c if c.isprintable() else "?" for c in line)[:_SHOWN]


def check_url(name: str, text: str, example: str) -> Opened | None:
    """Return a URL with its references as they stand, None for one that is wholly a secret.

    Raises ValueError for what is no URL, or holds a password.
    """
    if _WHOLE.fullmatch(text):
        return None
    try:
        found = _opened(text, str)
    except ValueError as error:
        raise ValueError(f"{name} {error}; write one like {example}") from None
    if any("${" not in value for value in found.hidden):
        raise ValueError(f"{name} has a password in it, which would be kept in the run folder; {_FIX}")
    return found


def open_url(text: str, secrets: Secrets) -> Opened:
    """Put the secrets in; raise ValueError, which says nothing of them, for what is no URL, and DriverError when one is not set."""
    if _WHOLE.fullmatch(text):
        return _opened(secrets.reveal(text.strip()), str)
    return _opened(text, secrets.reveal)


def _opened(text: str, reveal: Callable[[str], str]) -> Opened:
    """Take the text apart first, so that no character of a secret can be taken for a part of the URL."""
    if not _SCHEME.match(text):
        raise ValueError("is not a URL")
    try:
        split = urlsplit(text.strip())
        port = split.port
    except ValueError:
        raise ValueError("is not a URL with a proper host and port") from None
    return Opened(
        scheme=split.scheme.lower(),
        user=reveal(unquote(split.username or "")),
        password=reveal(unquote(split.password or "")),
        host=reveal(split.hostname or ""),
        port=port,
        path=reveal(unquote(split.path)),
        query=tuple((key, reveal(value)) for key, value in parse_qsl(split.query, keep_blank_values=True)),
    )
