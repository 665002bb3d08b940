"""One HTTP request and its answer, within one deadline for all of it and a bounded size; no proxy of the environment.

Secrets are put in here and nowhere before; what an error says has them masked again.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import SplitResult, urljoin, urlsplit

from gameday.spi import Secrets
from gameday.spi.checks import Answer

BODY_LIMIT = 1024 * 1024
"""Bytes of a body that are read; a longer one is an error."""
REDIRECTS = 5
_MOVED = frozenset((301, 302, 303, 307, 308))
_PORTS = {"http": 80, "https": 443}


class ExchangeError(Exception):
    """No answer that can be used; its text holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the file has it: secrets are still references."""

    method: str
    """In capitals."""
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None

    @property
    def shown(self) -> str:
        """Method and URL for people, on one line."""
        text = f"{self.method} {self.url}"
        return "".join(c if c.isprintable() else "?" for c in text[:300])


def exchange(
    asked: Asked, *, timeout: float, secrets: Secrets, follow: bool = False, most: int = BODY_LIMIT, ca: str = ""
) -> Answer:
    """Send a request and return its answer within ``timeout`` seconds; with ``follow``, after redirects to the same host.

    ``most`` bounds the body, in bytes; ``ca`` is a PEM file to check certificates with, in place of the system's authorities. Raises
    ExchangeError when there is no answer, a longer one, or a redirect elsewhere; and DriverError when a secret is not set.
    """
    began = time.monotonic()
    revealed = replace(
        asked,
        url=secrets.reveal(asked.url),
        headers={name: secrets.reveal(value) for name, value in asked.headers.items()},
        body=None if asked.body is None else secrets.reveal(asked.body),
    )
    try:
        limits = _Limits(began=began, end=began + timeout, most=most, ca=ca)
        return _until_answered(revealed, limits, follow=follow)
    except TimeoutError:
        raise ExchangeError(f"{asked.shown}: no whole answer within {timeout:.3g} s") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ExchangeError(f"{asked.shown}: {secrets.mask(_said(error))}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What bounds one exchange, redirects included."""

    began: float
    end: float
    most: int
    ca: str


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _until_answered(asked: Asked, limits: _Limits, *, follow: bool) -> Answer:
    for _ in range(REDIRECTS + 1):
        answer = _once(asked, limits)
        target = answer.headers.get("location")
        if not follow or answer.status not in _MOVED or target is None:
            return answer
        moved = urljoin(asked.url, target)
        if _origin(_split(moved)) != _origin(_split(asked.url)):
            raise ValueError(f"it redirects to another host ({urlsplit(moved).netloc[:80]}), which is not followed")
        asked = replace(asked, url=moved)
    raise ValueError(f"it redirects more than {REDIRECTS} times")


def _split(url: str) -> SplitResult:
    split = urlsplit(url)
    if split.scheme not in _PORTS or not split.hostname:
        raise ValueError("not a URL: write http://HOST/PATH")
    if split.username is not None:
        raise ValueError("its URL has a user in it: write headers: {Authorization: …}")
    return split


def _origin(split: SplitResult) -> tuple[str, str | None, int | None]:
    return split.scheme, split.hostname, split.port or _PORTS[split.scheme]


def _connection(split: SplitResult, limits: _Limits) -> http.client.HTTPConnection:
    host, left = split.hostname or "", _left(limits.end)
    if split.scheme == "https":
        context = ssl.create_default_context(cafile=limits.ca or None)
        return http.client.HTTPSConnection(host, split.port, timeout=left, context=context)
    return http.client.HTTPConnection(host, split.port, timeout=left)


def _once(asked: Asked, limits: _Limits) -> Answer:
    split = _split(asked.url)
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    headers = {"User-Agent": "gameday", "Connection": "close", **asked.headers}
    body = None if asked.body is None else asked.body.encode()
    with closing(_connection(split, limits)) as connection:
        connection.request(asked.method, path, body, headers)
        response = http.client.HTTPResponse(cast("Any", _Within(connection.sock, limits.end)), method=asked.method)
        with closing(response):
            response.begin()
            found = response.read(limits.most + 1)
            if len(found) > limits.most:
                raise ValueError(f"the answer is longer than {limits.most} bytes")
            return Answer(
                status=response.status,
                latency_us=int((time.monotonic() - limits.began) * 1e6),
                headers={name.lower(): value for name, value in reversed(response.getheaders())},
                body=found,
            )


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Within(io.RawIOBase):
    """A socket's bytes until a deadline; a socket's own time-out would begin again with every drop of a slow answer."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        super().__init__()
        self._sock, self._end = sock, end

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be what HTTPResponse asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._end))
        return self._sock.recv_into(buffer)
