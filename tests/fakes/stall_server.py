"""A small HTTP server that misbehaves as it is asked: by the clock (--stall SECONDS of every --period), or by the path of a request.

    python stall_server.py [--stall 5 --period 20] [--tls CERT KEY]       prints its port

/                  200 and a small JSON document after 2 ms; while stalled, only when the stall is over
/status/N          that status                      /hang      never answers
/reset             resets the connection            /close     closes it without an answer
/half              closes it in the middle of a body
/flood             9 MiB of body                    /trickle   a byte of body every 50 ms, for ever
/away/HOST         302 to /landed of HOST, at our port
/redirect          302 to /landed                   /idle      200, and closes the connection 20 ms later
/chunked /eof      bodies ended by a last chunk, and by the end of the connection
/private           200, with {"authorized": true} when the Authorization header is the one that is expected
/stats             {"connections": N, "paths": {path: N}}

The clock of the stalls starts with the first request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import ssl
import struct
import sys
import time
from collections import Counter

SECRET = "Bearer s3cr3t-t0ken"
_BODY = b'{"ok": true, "items": [{"sku": "A1"}]}'


class Server:
    def __init__(self, stall: float, period: float) -> None:
        self.stall, self.period = stall, period
        self.began: float | None = None
        self.connections = 0
        self.paths: Counter[str] = Counter()

    def delay(self) -> float:
        """Return how long the answer to a request that came now takes: stalled in the last part of each period."""
        now = time.monotonic()
        self.began = now if self.began is None else self.began
        if not self.stall:
            return 0.002
        phase = (now - self.began) % self.period
        start = (self.period - self.stall) / 2
        return start + self.stall - phase if start <= phase < start + self.stall else 0.002

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self.request(reader, writer):
                pass
        writer.close()

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; return whether the connection goes on."""
        first = await reader.readexactly(1)
        if not first.isalpha():  # no HTTP: as real servers say
            return not await answer(writer, 400)
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        path = head[0].split(" ")[1]
        if path != "/stats":
            self.paths[path] += 1
        if path.startswith("/away/"):
            return await redirect(writer, f"http://{path[6:]}:{headers['host'].rpartition(':')[2]}/landed")
        if path.startswith("/status/"):
            return await answer(writer, int(path[8:]))
        told: dict[str, dict[str, object]] = {
            "/private": {"authorized": headers.get("authorization") == SECRET},
            "/stats": {"connections": self.connections, "paths": self.paths},
        }
        if path in told:
            return await answer(writer, 200, json.dumps(told[path]).encode())
        if path in BEHAVIOURS:
            return await BEHAVIOURS[path](writer)
        await asyncio.sleep(self.delay())
        return await answer(writer, 200)


async def answer(writer: asyncio.StreamWriter, status: int, body: bytes = _BODY, extra: str = "") -> bool:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


async def hang(writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(3600)
    return False


async def reset(writer: asyncio.StreamWriter) -> bool:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def close(writer: asyncio.StreamWriter) -> bool:
    return False


async def half(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    return False


async def flood(writer: asyncio.StreamWriter) -> bool:
    return await answer(writer, 200, b"x" * (9 << 20))


async def trickle(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def redirect(writer: asyncio.StreamWriter, to: str = "/landed") -> bool:
    return await answer(writer, 302, b"", f"Location: {to}\r\n")


async def idle(writer: asyncio.StreamWriter) -> bool:
    await answer(writer, 200)
    await asyncio.sleep(0.02)
    return False


async def chunked(writer: asyncio.StreamWriter) -> bool:
    writer.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n6\r\n: 1.0}\r\n0\r\n\r\n')
    await writer.drain()
    return True


async def eof(writer: asyncio.StreamWriter) -> bool:
    writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"ok": 1}')
    await writer.drain()
    return False


BEHAVIOURS = {
    "/hang": hang,
    "/reset": reset,
    "/close": close,
    "/half": half,
    "/flood": flood,
    "/trickle": trickle,
    "/redirect": redirect,
    "/idle": idle,
    "/chunked": chunked,
    "/eof": eof,
}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stall", type=float, default=0.0)
    parser.add_argument("--period", type=float, default=20.0)
    parser.add_argument("--tls", nargs=2)
    options = parser.parse_args()
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
    server = await asyncio.start_server(
        Server(options.stall, options.period).connected, "127.0.0.1", 0, backlog=4096, ssl=context, limit=1 << 20
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
