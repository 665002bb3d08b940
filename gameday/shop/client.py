"""The asking side: a bounded pool of kept-alive connections to one base URL."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

from gameday.shop.http import MAX_HEAD, ProtocolError, Request, Response, encode_request, keeps_alive, read_response

MAX_CONNECTIONS = 1024
"""More requests than this wait for a connection, and their wait counts in their timeout."""
MAX_IDLE = 64
IDLE_SECONDS = 30.0
"""Older idle connections are not used again: well below the 75 s after which a server closes them."""


class Unavailable(Exception):  # noqa: N818 - what happened, as the shop's code reads it
    """The dependency gave no usable answer.

    ``kind`` is ``timeout``, ``refused``, ``reset``, ``tls``, ``protocol``, ``http_5xx`` or ``open`` or ``busy`` (it was not even asked).
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float

    def usable(self, now: float) -> bool:
        """Whether the other side has kept it open, and long enough still will."""
        is_open = not self.reader.at_eof() and self.reader.exception() is None and not self.writer.is_closing()
        return is_open and now - self.idle_since < IDLE_SECONDS


class Client:
    """Requests to one base URL (``http://HOST:PORT`` or ``https://…``); raises ValueError for any other URL.

    Over TLS the certificate is checked with the system's authorities, or those in the file that SSL_CERT_FILE names.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"not a base URL like http://127.0.0.1:8080: {url}")
        self.host = parts.hostname
        self._secure = parts.scheme == "https"
        self.port = parts.port or (443 if self._secure else 80)
        self._tls: ssl.SSLContext | None = None
        self._idle: deque[_Connection] = deque()
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:  # noqa: ASYNC109 - the timeout is an outcome
        """Return the answer, whatever its status; raise Unavailable when there is none within ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout), self._slots:
                return await self._exchange(request)
        except TimeoutError as error:
            raise Unavailable("timeout") from error
        except ConnectionRefusedError as error:
            raise Unavailable("refused") from error
        except ssl.SSLError as error:
            raise Unavailable("tls") from error
        except ProtocolError as error:
            raise Unavailable("protocol") from error
        except OSError as error:
            raise Unavailable("reset") from error

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().writer.close()

    async def _exchange(self, request: Request) -> Response:
        reader, writer = await self._connect()
        keep = False
        try:
            writer.write(encode_request(request, f"{self.host}:{self.port}"))
            response = await read_response(reader)
            keep = keeps_alive(response.headers) and len(self._idle) < MAX_IDLE
        finally:
            if keep:
                self._idle.append(_Connection(reader, writer, asyncio.get_running_loop().time()))
            else:
                writer.close()
        return response

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(now):
                return connection.reader, connection.writer
            connection.writer.close()
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        return await asyncio.open_connection(self.host, self.port, limit=MAX_HEAD, ssl=self._tls)
