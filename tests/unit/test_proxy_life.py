from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from gameday.proxy.address import Address
from gameday.proxy.config import parse_config
from gameday.proxy.life import Life
from gameday.proxy.listener import Listener
from gameday.proxy.proxies import Proxies
from gameday.proxy.spec import ProxySpec

LONG = 3600.0


def within(seconds: float, coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, seconds))


async def open_connection(proxies: Proxies, upstream: str) -> asyncio.StreamWriter:
    """Keep one connection open through a new proxy."""
    proxy = proxies.create(ProxySpec(name="payments", listen="", upstream=upstream))
    _, writer = await asyncio.open_connection(proxy.listen.host, proxy.listen.port)
    while not proxies.connections:  # noqa: ASYNC110 - polling is what a test may do
        await asyncio.sleep(0.01)
    return writer


@pytest.mark.parametrize("end", ["longest", "drained"])
def test_no_open_connection_keeps_it_for_ever(end: str) -> None:
    """The run's maximum, and the drain after a request to end, are bounds of their own."""

    async def live() -> None:
        proxies = Proxies(run="r")
        with socket.create_server(("127.0.0.1", 0)) as server:
            writer = await open_connection(proxies, f"127.0.0.1:{server.getsockname()[1]}")
            if end == "longest":
                life = Life(proxies, parse_config(b'{"max_ms": 200}'), grace_ms=0, drain_seconds=LONG)
            else:
                life = Life(proxies, parse_config(b"{}"), drain_seconds=0.2)
                proxies.end_run()
                proxies.ending.set()
            await life.until_end()
            assert proxies.over.is_set()
            assert not proxies.connections
            writer.close()

    within(10, live())


class _NotLinux(socket.socket):
    def shutdown(self, how: int) -> None:
        raise OSError(107, "a listening socket is not connected")


def test_where_a_listening_socket_cannot_be_shut_down_it_is_bound_anew() -> None:
    async def refuse_and_return() -> None:
        accepted: list[socket.socket] = []
        listener = Listener(Address("127.0.0.1", 0), lambda sock, _: accepted.append(sock))
        where = (listener.address.host, listener.address.port)
        real = listener._socket  # pyright: ignore[reportPrivateUsage] # this kernel's sockets can be shut down
        listener._socket = _NotLinux(fileno=real.detach())  # pyright: ignore[reportPrivateUsage]
        for _ in range(2):
            listener.refuse()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(where, timeout=5)
            listener.listen()
            with socket.create_connection(where, timeout=5):
                while not accepted:  # noqa: ASYNC110 - polling is what a test may do
                    await asyncio.sleep(0.01)
            accepted.pop().close()
        listener.close()

    within(10, refuse_and_return())
