"""The control port: one connection's requests in order, within bounds of size and time, whatever it sends."""

from __future__ import annotations

import asyncio
from typing import cast

from gameday.proxy.address import Address
from gameday.proxy.api import Api
from gameday.proxy.errors import RefusedError
from gameday.proxy.wire import BODY_LIMIT, HEAD_LIMIT, Head, Reply, Request, failure, parse_head, unchunked

_CONNECTION_LIMIT = 128


class ControlServer:
    """Serves the API on ``address``; at most 128 connections at a time."""

    def __init__(self, api: Api, *, request_seconds: float = 5.0, idle_seconds: float = 60.0) -> None:
        self.api = api
        self.request_seconds = request_seconds
        """A request must be whole, and its reply taken, within this; bytes that drip do not prolong it."""
        self.idle_seconds = idle_seconds
        """How long a connection may wait between requests."""
        self.open: set[ControlConnection] = set()
        self._listening: asyncio.Server | None = None

    async def start(self, address: Address) -> Address:
        """Listen; return the address with its port resolved; raises OSError."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: ControlConnection(self), address.host, address.port)
        return Address(address.host, self._listening.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.close()

    def admit(self, connection: ControlConnection) -> bool:
        """Whether there is room for another connection."""
        if len(self.open) >= _CONNECTION_LIMIT:
            return False
        self.open.add(connection)
        return True


class ControlConnection(asyncio.Protocol):
    """Reads a request, answers it, reads the next."""

    def __init__(self, server: ControlServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._head: Head | None = None
        self._answering = False
        self._full = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away when there are too many."""
        self._transport = cast("asyncio.Transport", transport)  # asyncio types it too widely; uvloop's is no subclass
        if self._server.admit(self):
            self._arm(self._server.request_seconds)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Collect a request."""
        if not self._buffer and not self._answering:
            self._arm(self._server.request_seconds)
        self._buffer += data
        self._advance()

    def pause_writing(self) -> None:
        """Answer nothing more until the client reads."""
        self._full = True

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._full = False
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc
        self._server.open.discard(self)
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def _advance(self) -> None:
        """Answer the next request, if it is whole."""
        if self._transport is None or self._answering or self._full:
            self._bound()
            return
        try:
            request = self._take()
        except RefusedError as error:
            self._reply(failure(error), keep_alive=False)
            return
        if request is not None:
            self._reply(self._server.api.answer(request), keep_alive=request.head.keep_alive)

    def _take(self) -> Request | None:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n", 0, HEAD_LIMIT)
            if end < 0:
                if len(self._buffer) >= HEAD_LIMIT:
                    raise RefusedError(431, f"more than {HEAD_LIMIT} bytes of header")
                return None
            self._head = parse_head(bytes(self._buffer[:end]))
            self._server.api.admit(self._head)
            del self._buffer[: end + 4]
        head = self._head
        if head.chunked:
            found = unchunked(self._buffer)
            if found is None:
                return None
            body, taken = found
        elif len(self._buffer) < head.length:
            return None
        else:
            body, taken = bytes(self._buffer[: head.length]), head.length
        del self._buffer[:taken]
        self._head = None
        return Request(head=head, body=body)

    def _reply(self, reply: Reply, *, keep_alive: bool) -> None:
        """Answer on the loop's next turn: what the request reset or closed is closed by then."""
        self._answering = True
        asyncio.get_running_loop().call_soon(self._send, reply, keep_alive)

    def _send(self, reply: Reply, keep_alive: bool) -> None:  # noqa: FBT001 - call_soon passes positions only
        if self._transport is None:
            return
        self._transport.write(reply.encode(keep_alive=keep_alive))
        if not keep_alive:
            self._transport.close()
            return
        self._answering = False
        self._transport.resume_reading()
        self._arm(self._server.request_seconds if self._buffer else self._server.idle_seconds)
        self._advance()

    def _bound(self) -> None:
        """Stop reading from a client that sends on without reading its replies."""
        if self._transport is not None and len(self._buffer) > HEAD_LIMIT + BODY_LIMIT:
            self._transport.pause_reading()

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        if self._transport is not None:
            self._transport.abort()
