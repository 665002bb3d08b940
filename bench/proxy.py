"""What the fault proxy costs: round trips and bulk bytes through it against the direct way, in turn, in one run.

Prints rates and their ratio; on one machine client, proxy and server share the cores, so the ratio is a lower bound.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection

ROUNDS = 5
TRIPS = 5_000
BULK = 64 * 2**20
CHUNK = 256 * 1024


def serve(pipe: Connection) -> None:
    """Echo what comes on port one; swallow what comes on port two and answer one byte at its end."""
    with socket.create_server(("127.0.0.1", 0)) as echo, socket.create_server(("127.0.0.1", 0)) as sink:
        threading.Thread(target=_each, args=(sink, _swallow), daemon=True).start()
        pipe.send((echo.getsockname()[1], sink.getsockname()[1]))
        _each(echo, _echo)


def _each(server: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    while True:
        sock, _ = server.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=handle, args=(sock,), daemon=True).start()


def _echo(sock: socket.socket) -> None:
    with closing(sock), suppress(OSError):
        while data := sock.recv(CHUNK):
            sock.sendall(data)


def _swallow(sock: socket.socket) -> None:
    with closing(sock), suppress(OSError):
        while sock.recv(CHUNK):
            pass
        sock.sendall(b".")


def trips(port: int) -> float:
    """Round trips of 100 bytes a second, one after the other."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter()
        for _ in range(TRIPS):
            sock.sendall(b"x" * 100)
            sock.recv(CHUNK)
        return TRIPS / (time.perf_counter() - start)


def bulk(port: int) -> float:
    """MB a second, one way."""
    block = os.urandom(CHUNK)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        start = time.perf_counter()
        for _ in range(BULK // CHUNK):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
        return BULK / 1e6 / (time.perf_counter() - start)


def compare(what: str, unit: str, measure: Callable[[int], float], direct: int, proxied: int) -> None:
    """Measure both ways in turn, and print medians and ratio."""
    pairs = [(measure(direct), measure(proxied)) for _ in range(ROUNDS)]
    straight, through = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{what}: direct {straight:,.0f} {unit}, through the proxy {through:,.0f} {unit}, ratio {through / straight:.2f}"
    )
    if unit == "round trips/s":
        print(f"{what}: the proxy adds {(1 / through - 1 / straight) * 1e6:.0f} µs to a round trip")


def main() -> None:
    """Start a server and a proxy in front of it, measure, end both."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    echo, sink = ours.recv()
    proxies = [
        {"name": n, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{p}"} for n, p in (("e", echo), ("s", sink))
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "gameday.proxy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as proxy:
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        proxy.stdin.write(json.dumps({"proxies": proxies}) + "\n")
        proxy.stdin.flush()
        listens = {
            name: int(a.rpartition(":")[2]) for name, a in json.loads(proxy.stdout.readline())["listens"].items()
        }
        compare("100 bytes, one connection", "round trips/s", trips, echo, listens["e"])
        compare("bulk, one connection", "MB/s", bulk, sink, listens["s"])
        proxy.stdin.write('{"cmd": "end"}\n')
        proxy.stdin.flush()
        proxy.wait(10)
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
