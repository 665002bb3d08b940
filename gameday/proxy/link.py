"""One client's connection through the proxy: two sockets, a pipe each way, and one end for both."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Mapping

from gameday.proxy.address import Address
from gameday.proxy.faults import Draw, Lane
from gameday.proxy.pipe import Final, Pipe

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""struct linger with no time left: closing sends RST instead of FIN."""


def reset_on_close(sock: socket.socket) -> None:
    """Make the close of this socket a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


class Link:
    """Joins an accepted socket with one that it dials; ``on_gone`` is called once, when nothing of it is left."""

    __slots__ = ("_client", "_dialling", "_down", "_on_gone", "_open", "_server", "_up", "_upstream", "whole")

    def __init__(
        self, upstream: Address, lanes: Mapping[str, Lane], draw: Draw, on_gone: Callable[[Link], None]
    ) -> None:
        self._upstream = upstream
        self._on_gone = on_gone
        self.whole = True
        """Not cut."""
        self._open = 1  # run() itself; each socket adds one
        self._dialling: asyncio.Task[None] | None = None
        self._up = Pipe(lanes["upstream"], draw, self._ended)
        self._down = Pipe(lanes["downstream"], draw, self._ended)
        self._client = _End(self, outward=self._up, inward=self._down)
        self._server = _End(self, outward=self._down, inward=self._up)

    async def run(self, accepted: socket.socket) -> None:
        """Adopt the client's socket, then dial; a dependency that cannot be reached resets the client.

        The client is read meanwhile: what it sends waits in the pipe, and when it gives up, so do we.
        """
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: self._client, accepted)
            if self.whole:
                await self._dial()
        except (OSError, UnicodeError):  # refused, unreachable, or a name that is none
            self.cut()
        finally:
            self._closed_one()

    def reschedule(self) -> None:
        """See the changed faults; never blocks."""
        self._up.reschedule()
        self._down.reschedule()

    def cut(self) -> bool:
        """Reset both sides at once, with what is held back; return whether it was still whole."""
        whole, self.whole = self.whole, False
        for end in (self._client, self._server):
            end.inward.drop()
            end.abort()
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        return whole

    def close(self) -> None:
        """Close both sides after what has been written to them."""
        if self._client.transport is None or self._server.transport is None:
            self.cut()
        else:
            self._client.transport.close()
            self._server.transport.close()

    def made(self, end: _End) -> None:
        """One of the sockets is there."""
        self._open += 1
        if end is self._server:
            self._dialling = None
        if not self.whole:
            end.abort()

    def lost(self, end: _End) -> None:
        """One of the sockets is closed: the other one hears of it after the bytes that are on their way."""
        end.inward.drop()
        if self._dialling is not None:
            self.cut()
        elif not (self._up.finished and self._down.finished):
            end.outward.end(Final.RESET)
        self._closed_one()

    async def _dial(self) -> None:
        self._dialling = asyncio.current_task()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._server, self._upstream.host, self._upstream.port)

    def _ended(self, final: Final) -> None:
        if final is Final.RESET:
            self.cut()
        elif self._up.finished and self._down.finished:
            self.close()

    def _closed_one(self) -> None:
        self._open -= 1
        if not self._open:
            self._on_gone(self)


class _End(asyncio.Protocol):
    """One socket of a link: it is read into ``outward`` and written by ``inward``."""

    __slots__ = ("inward", "link", "outward", "transport")

    def __init__(self, link: Link, *, outward: Pipe, inward: Pipe) -> None:
        self.link = link
        self.outward = outward
        self.inward = inward
        self.transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """Close with a reset."""
        if self.transport is not None:
            reset_on_close(self.transport.get_extra_info("socket"))
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows what asyncio types too widely
        self.transport = transport
        self.outward.reader = transport
        self.link.made(self)
        self.inward.attach(transport)

    def data_received(self, data: bytes) -> None:
        self.outward.feed(data)

    def eof_received(self) -> bool:
        self.outward.end(Final.FINISH)
        return True  # keep the other direction open

    def pause_writing(self) -> None:
        self.inward.hold()

    def resume_writing(self) -> None:
        self.inward.release()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.link.lost(self)
