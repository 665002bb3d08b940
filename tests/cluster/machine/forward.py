"""Passes connections on: from listening sockets that it is handed to addresses in the network namespace it is started in.

It runs as nobody, by which the policy daemon knows the outside world from the nodes: ``forward.py FD=HOST:PORT …``
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys

OUTSIDE_UID = 65534


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _pass_on(client: asyncio.StreamReader, back: asyncio.StreamWriter, host: str, port: int) -> None:
    try:
        server, forth = await asyncio.open_connection(host, port)
    except OSError:
        back.transport.abort()  # a reset, as from an address that refuses
        return
    try:
        await asyncio.gather(_pump(client, forth), _pump(server, back))
    finally:
        forth.close()
        back.close()


async def _serve(maps: list[tuple[int, str, int]]) -> None:
    for fd, host, port in maps:

        async def accepted(
            client: asyncio.StreamReader, back: asyncio.StreamWriter, host: str = host, port: int = port
        ) -> None:
            await _pass_on(client, back, host, port)

        await asyncio.start_server(accepted, sock=socket.socket(fileno=fd), backlog=256)
    await asyncio.Event().wait()


def main(words: list[str]) -> None:
    """Drop every right, and serve until killed."""
    os.setgroups([])
    os.setgid(OUTSIDE_UID)
    os.setuid(OUTSIDE_UID)
    maps: list[tuple[int, str, int]] = []
    for word in words:
        fd, _, address = word.partition("=")
        host, _, port = address.partition(":")
        maps.append((int(fd), host, int(port)))
    asyncio.run(_serve(maps))


if __name__ == "__main__":
    main(sys.argv[1:])
