"""Without toxics the proxy is a wire: any bytes, in any chunks, with any half-close, on both loops and while HTTP is read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.proxy.httpkinds import HttpAbort
from gameday.proxy.proxies import Proxies
from gameday.proxy.spec import ProxySpec
from gameday.proxy.toxics import Toxic

LOOPS: dict[str, Callable[[], Any]] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass
class Side:
    """What one side sends, and when it stops and says so."""

    chunks: list[bytes]
    waits: bool
    """Whether it sends only when the other side has ended."""
    late: bool
    """Whether it takes a moment before its first byte, so that the proxy's own dialling comes before or after."""


sides = st.builds(
    Side,
    chunks=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.integers(0, 200_000).map(lambda size: random.Random(size).randbytes(size)),
            st.sampled_from(
                [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"\r\n\r\n"]
            ),
        ),
        max_size=8,
    ),
    waits=st.booleans(),
    late=st.booleans(),
)


async def play(side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send and take everything; return what came."""
    heard = asyncio.ensure_future(reader.read(-1))
    if side.late:
        await asyncio.sleep(0.002)
    if side.waits:
        await heard
    for chunk in side.chunks:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0)
    writer.write_eof()
    return await heard


async def wire(client: Side, server: Side, *, http: bool) -> tuple[bytes, bytes]:
    """Let both sides talk through a proxy; return what the server and what the client got."""
    done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done.set_result(await play(server, reader, writer))
        writer.close()

    upstream = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxies = Proxies()
    port = upstream.sockets[0].getsockname()[1]
    proxy = proxies.create(ProxySpec(name="p", listen="", upstream=f"127.0.0.1:{port}"))
    if http:
        proxy.add_toxic(Toxic("t", "downstream", HttpAbort(), 0.0))
    reader, writer = await asyncio.open_connection(proxy.listen.host, proxy.listen.port)
    try:
        async with asyncio.timeout(20):
            return await asyncio.gather(done, play(client, reader, writer))
    finally:
        writer.close()
        proxies.stop_listening()
        upstream.close()
        async with asyncio.timeout(5):
            while proxy.connections:  # noqa: ASYNC110 - polling is what a test may do
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("http", [False, True], ids=["unread", "read as HTTP"])
@settings(max_examples=40, deadline=None)
@given(client=sides, server=sides)
def test_what_goes_in_comes_out(loop: str, http: bool, client: Side, server: Side) -> None:
    if client.waits:
        server.waits = False
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        to_server, to_client = runner.run(wire(client, server, http=http))
    assert to_server == b"".join(client.chunks)
    assert to_client == b"".join(server.chunks)
