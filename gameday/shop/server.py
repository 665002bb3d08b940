"""The serving side: a task for each connection, a bound on their number, an end that does not wait for idle clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias

from gameday.shop.http import (
    MAX_HEAD,
    ProtocolError,
    Request,
    Response,
    encode_response,
    keeps_alive,
    read_request,
)

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
MAX_CONNECTIONS = 2048
KEEP_ALIVE_SECONDS = 75.0
"""How long a client may take for its next whole request."""
WRITE_SECONDS = 10.0
GRACE_SECONDS = 0.5
"""How long requests may still run after ``stop``."""


class Server:
    """Answers every request by ``handler``; requests that are not HTTP are answered before it sees them."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._idle: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (a free one for 0); raise OSError when that is not possible."""
        self._listener = await asyncio.start_server(self._connection, host, port, limit=MAX_HEAD, backlog=1024)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Accept nothing more, let running requests end within the grace, and close every connection."""
        self._stopping = True
        if self._listener is not None:
            self._listener.close()
        for task in self._idle:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=GRACE_SECONDS)
        rest = [*self._idle, *self._busy]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this callback as a task
        self._idle.add(task)
        try:
            if len(self._idle) + len(self._busy) > MAX_CONNECTIONS:
                await _write(writer, _problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"), close=True)
                return
            while not self._stopping and await self._exchange(task, reader, writer):
                pass
        except ProtocolError as error:
            await _write(writer, _problem(error.status, str(error)), close=True)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self._idle.discard(task)
            self._busy.discard(task)
            writer.close()

    async def _exchange(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; return whether the connection goes on."""
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            request = await read_request(reader)
        if request is None:
            return False
        self._idle.discard(task)
        self._busy.add(task)
        try:
            response = await self._handler(request)
            goes_on = keeps_alive(request.headers) and not self._stopping
            await _write(writer, response, close=not goes_on)
        finally:
            self._busy.discard(task)
            self._idle.add(task)
        return goes_on


def _problem(status: HTTPStatus, text: str) -> Response:
    return Response.of(status, error=text)


async def _write(writer: asyncio.StreamWriter, response: Response, *, close: bool) -> None:
    writer.write(encode_response(response, close=close))
    async with asyncio.timeout(WRITE_SECONDS):
        await writer.drain()
