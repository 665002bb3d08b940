"""One client's connection through the proxy: two sockets, a pipe each way, and one end for both."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from gameday.proxy.address import Address
from gameday.proxy.effects import Fate, Final
from gameday.proxy.pipe import Pipe
from gameday.proxy.sockets import reset_on_close
from gameday.proxy.toxics import Lane

_HANDSHAKE_SECONDS = 20.0


class Reader(Protocol):
    """Sees what both sides of a link send, and passes it on to their pipes as it sees fit."""

    def sent(self, end: End, data: bytes) -> None:
        """Take bytes from one side."""
        ...

    def ended(self, end: End) -> None:
        """Take the end of one side, before its pipe does."""
        ...


class Wishes(Protocol):
    """What readers are for; while there is nothing, nobody reads."""

    all: tuple[Any, ...]


class Owner(Protocol):
    """The proxy, as its links know it."""

    def reader(self, link: Link) -> Reader:
        """Return somebody to read what passes a link."""
        ...

    def gone(self, link: Link) -> None:
        """Hear that nothing of a link is left."""
        ...

    def unreachable(self, link: Link, error: Exception) -> None:
        """Hear that the dependency could not be reached, or the client's handshake failed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a link leads, and how its two sides speak."""

    upstream: Address
    client_tls: ssl.SSLContext | None = None
    server_tls: ssl.SSLContext | None = None
    server_name: str = ""


class Link:
    """Joins an accepted socket with one that it dials; its owner hears once when nothing of it is left."""

    __slots__ = (
        "_dialling",
        "_open",
        "_owner",
        "_route",
        "client",
        "down",
        "fate",
        "hanging",
        "last",
        "reader",
        "server",
        "unreadable",
        "up",
        "whole",
        "wishes",
    )

    def __init__(self, route: Route, lanes: Mapping[str, Lane], fate: Fate, wishes: Wishes, owner: Owner) -> None:
        self._route = route
        self._owner = owner
        self.fate = fate
        self.wishes = wishes
        self.whole = True
        """Not cut."""
        self.hanging = False
        """Accepted into a blackhole: nobody was dialled."""
        self.reader: Reader | None = None
        """Who looks at the bytes before the pipes do."""
        self.unreadable = False
        """A reader has given up on it."""
        self.last: End | None = None
        """The side that sent something last, or in whose name we answered."""
        self._open = 1  # run() itself; each socket adds one
        self._dialling: asyncio.Task[None] | None = None
        self.up = Pipe(lanes["upstream"], fate, self._ended)
        self.down = Pipe(lanes["downstream"], fate, self._ended)
        self.client = End(self, outward=self.up, inward=self.down)
        self.server = End(self, outward=self.down, inward=self.up)

    async def run(self, accepted: socket.socket, *, hang: bool = False) -> None:
        """Adopt the client's socket, then dial; a dependency that cannot be reached resets the client.

        The client is read meanwhile: what it sends waits in the pipe, and when it gives up, so do we. With ``hang`` nobody is
        dialled.
        """
        self.hanging = hang
        try:
            await self._adopt(accepted)
            if self.whole and not hang:
                await self._dial()
        except (OSError, UnicodeError) as error:  # refused, unreachable, a name that is none, a handshake that failed
            self._owner.unreachable(self, error)
            self.cut()
        finally:
            self._closed_one()

    async def greet(self, accepted: socket.socket) -> None:
        """Make the connection, as far as TLS goes, and close it: somebody only wants to know what answers."""
        self.hanging = True
        with contextlib.suppress(OSError):
            await self._adopt(accepted)
        self.cut()
        self._closed_one()

    def passed(self, stream: str) -> int:
        """Return the bytes that came from the client (``upstream``) or from the dependency (``downstream``)."""
        return (self.client if stream == "upstream" else self.server).passed

    def receive(self, end: End, data: bytes) -> None:
        """Let somebody look at the bytes first while that is wished; not once it has turned out that they cannot be read."""
        if self.unreadable or (self.reader is None and not self.wishes.all):
            self.last = end
            end.outward.feed(data)
            end.outward.hasten()
            return
        if self.reader is None:
            self.reader = self._owner.reader(self)
        self.reader.sent(end, data)

    def reschedule(self) -> None:
        """See the changed toxics; never blocks."""
        self.up.reschedule()
        self.down.reschedule()

    def cut(self) -> bool:
        """Reset both sides at once, with what is held back; return whether it was still whole."""
        whole, self.whole = self.whole, False
        self.reader = None
        for end in (self.client, self.server):
            end.inward.drop()
            end.abort()
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        return whole

    def close(self) -> None:
        """Close both sides after what has been written to them; a side that is not there yet will not come."""
        transports = [end.transport for end in (self.client, self.server) if end.transport is not None]
        if not transports:
            self.cut()
        elif self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        for transport in transports:
            transport.close()

    def made(self, end: End) -> None:
        """One of the sockets is there."""
        self._open += 1
        if end is self.server:
            self._dialling = None
        if not self.whole:
            end.abort()

    def lost(self, end: End) -> None:
        """One of the sockets is closed: the other one hears of it after the bytes that are on their way."""
        end.inward.drop()
        if self._dialling is not None or self.hanging:
            self.cut()
        elif not (self.up.finished and self.down.finished):
            end.outward.end(Final.CLOSE if end.said_goodbye else Final.RESET)
        self._closed_one()

    async def _adopt(self, accepted: socket.socket) -> None:
        tls = self._route.client_tls
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: self.client,
            accepted,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else _HANDSHAKE_SECONDS,
        )

    async def _dial(self) -> None:
        self._dialling = asyncio.current_task()
        tls = self._route.server_tls
        await asyncio.get_running_loop().create_connection(
            lambda: self.server,
            self._route.upstream.host,
            self._route.upstream.port,
            ssl=tls,
            server_hostname=None if tls is None else self._route.server_name or self._route.upstream.host,
        )

    def _ended(self, final: Final) -> None:
        if final is Final.RESET:
            self.cut()
        elif final is Final.CLOSE or (self.up.finished and self.down.finished):
            self.close()

    def _closed_one(self) -> None:
        self._open -= 1
        if not self._open:
            self._owner.gone(self)


class End(asyncio.Protocol):
    """One socket of a link: it is read into ``outward`` and written by ``inward``."""

    __slots__ = ("gone", "inward", "link", "outward", "passed", "said_goodbye", "transport")

    def __init__(self, link: Link, *, outward: Pipe, inward: Pipe) -> None:
        self.link = link
        self.outward = outward
        self.inward = inward
        self.transport: asyncio.Transport | None = None
        self.gone = False
        """Its socket is closed, or about to be; what was written to it is not taken back."""
        self.passed = 0
        """Bytes that came from this side."""
        self.said_goodbye = False
        """A TLS side ended its stream, which ends its connection."""

    def abort(self) -> None:
        """Close with a reset."""
        if self.transport is not None and not self.gone:
            sock = self.transport.get_extra_info("socket")
            if sock is not None:  # a uvloop transport that is closed has none
                reset_on_close(sock)
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket, and what waits to be written to it."""
        self.transport = cast("asyncio.Transport", transport)  # asyncio types it too widely; uvloop's is no subclass
        self.outward.reader = self.transport
        self.link.made(self)
        self.inward.attach(self.transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on: at once while nothing acts on them, else past whoever reads them."""
        self.passed += len(data)
        pipe = self.outward
        if pipe.swift == pipe.lane.epoch:
            self.link.last = self
            pipe.write(data)
        else:
            self.link.receive(self, data)

    def eof_received(self) -> bool:
        """Pass the end on; the other direction stays open where TLS does not forbid it."""
        if self.link.reader is not None:
            self.link.reader.ended(self)
        self.outward.end(Final.FINISH)
        assert self.transport is not None  # noqa: S101 - nothing is received before
        self.said_goodbye = not self.transport.can_write_eof()
        return not self.said_goodbye

    def pause_writing(self) -> None:
        """Stop the side that sends too much."""
        self.inward.hold()

    def resume_writing(self) -> None:
        """Let it send again."""
        self.inward.release()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the link."""
        del exc
        self.gone = True
        self.link.lost(self)
