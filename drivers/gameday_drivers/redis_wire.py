"""A few commands to a Redis server (RESP2), on one connection and within one deadline.

No client library: it is a page of protocol, and theirs retry by default, which hides exactly the faults that are to be seen.
Source of the protocol: redis.io/docs/latest/develop/reference/protocol-spec.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from gameday_drivers.deadline import Deadline
from gameday_drivers.secret_url import Opened

REPLY_LIMIT = 1024 * 1024
"""Bytes of one read's answers; a longer one is an error."""
SCHEMES = ("redis", "rediss", "unix")
_PORT = 6379
_DEPTH = 8

Reply = str | int | bytes | list["Reply"] | None


class ReplyError(Exception):
    """The server answers with an error; ``code`` is its first word, like WRONGTYPE."""

    @property
    def code(self) -> str:
        """The first word of what the server said."""
        return str(self).partition(" ")[0]


@dataclass(slots=True)
class Redis:
    """One connection; every method raises OSError (TimeoutError at the deadline) or ValueError for what is no Redis."""

    sock: socket.socket
    deadline: Deadline
    got: bytes = b""
    read: int = 0

    def ask(self, *words: str) -> Reply:
        """Send a command and return its reply; raise ReplyError for one that the server refuses."""
        parts = [word.encode() for word in words]
        sent = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.sock.settimeout(self.deadline.left())
        self.sock.sendall(sent)
        return self._reply(0)

    def _reply(self, depth: int) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:]
        match kind:
            case b"+":
                return rest.decode(errors="replace")
            case b"-":
                raise ReplyError(rest.decode(errors="replace"))
            case b":":
                return int(rest)
            case b"$":
                return self._bulk(int(rest))
            case b"*" if depth < _DEPTH:
                return [self._reply(depth + 1) for _ in range(int(rest))] if int(rest) >= 0 else None
            case _:
                raise ValueError("it does not speak the protocol of Redis")

    def _line(self) -> bytes:
        while b"\r\n" not in self.got:
            self._more()
        line, _, self.got = self.got.partition(b"\r\n")
        return line

    def _bulk(self, length: int) -> bytes | None:
        if length < 0:
            return None
        if length > REPLY_LIMIT:
            raise ValueError(f"the answer is longer than {REPLY_LIMIT} bytes")
        while len(self.got) < length + 2:
            self._more()
        found, self.got = self.got[:length], self.got[length + 2 :]
        return found

    def _more(self) -> None:
        self.sock.settimeout(self.deadline.left())
        more = self.sock.recv(65536)
        if not more:
            raise ConnectionResetError("it closes the connection")
        self.read += len(more)
        if self.read > REPLY_LIMIT:
            raise ValueError(f"the answer is longer than {REPLY_LIMIT} bytes")
        self.got += more


@contextmanager
def connected(url: Opened, deadline: Deadline) -> Generator[Redis]:
    """Connect, log in and choose the database; TLS for ``rediss``. Raises what ``Redis.ask`` does."""
    with _socket(url, deadline) as sock:
        redis = Redis(sock=sock, deadline=deadline)
        if url.password:
            redis.ask("AUTH", *([url.user] if url.user else []), url.password)
        database = database_of(url)
        if database:
            redis.ask("SELECT", database)
        yield redis


def database_of(url: Opened) -> str:
    """Return the number of the database, empty for the first; raise ValueError for what is none."""
    given = dict(url.query).get("db", "") if url.scheme == "unix" else url.path.strip("/")
    if given and not given.isdecimal():
        raise ValueError(f"{given[:20]!r} is no number of a database")
    return given if given.strip("0") else ""


def _socket(url: Opened, deadline: Deadline) -> socket.socket:
    if url.scheme == "unix":
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(deadline.left())
            sock.connect(url.path)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((url.host, url.port or _PORT), timeout=deadline.left())
    if url.scheme != "rediss":
        return sock
    try:
        sock.settimeout(deadline.left())
        return ssl.create_default_context().wrap_socket(sock, server_hostname=url.host)
    except BaseException:
        sock.close()
        raise
