"""A receiver of webhooks on loopback that behaves as it is told, and a mail server that misbehaves."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.harness import await_true


@dataclass
class Request:
    """One request that came whole."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Takes one request a connection; ``behave`` answers it, the last behaviour again and again."""

    port: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    connections: int = 0
    behaviours: list[Callable[[socket.socket], None]] = field(default_factory=list[Callable[[socket.socket], None]])
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0CANARY/hook"

    def behave(self, *behaviours: Callable[[Receiver, socket.socket], None]) -> None:
        self.behaviours = [partial(one, self) for one in behaviours]

    def next_behaviour(self) -> Callable[[socket.socket], None]:
        if len(self.behaviours) > 1:
            return self.behaviours.pop(0)
        return self.behaviours[0] if self.behaviours else lambda sock: answer(200)(self, sock)

    def await_requests(self, count: int, seconds: float = 20) -> list[Request]:
        await_true(lambda: len(self.requests) >= count, seconds, f"{count} requests")
        return self.requests


Behaviour = Callable[[Receiver, socket.socket], None]


def answer(status: int, body: bytes = b"ok", **headers: str) -> Behaviour:
    """Answer at once; underscores of a header's name are hyphens."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode()
    return lambda _receiver, sock: sock.sendall(head + body)


def never(receiver: Receiver, _sock: socket.socket) -> None:
    """Never answer."""
    receiver.over.wait(60)


def endless(receiver: Receiver, sock: socket.socket) -> None:
    """Send a body without an end."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not receiver.over.is_set():
        sock.sendall(b"x" * 65536)


def drip(receiver: Receiver, sock: socket.socket) -> None:
    """Send a byte now and then."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not receiver.over.wait(0.05):
        sock.sendall(b"x")


def reset(_receiver: Receiver, sock: socket.socket) -> None:
    """Reset the connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def junk(_receiver: Receiver, sock: socket.socket) -> None:
    """Answer what is no HTTP, and repeats what it was sent."""
    sock.sendall(b"T0CANARY is what you asked for\r\n\r\n")


def tell_path(receiver: Receiver, sock: socket.socket) -> None:
    """Answer 400 with the secret path in reason and body."""
    said = receiver.requests[-1].path.encode()
    sock.sendall(b"HTTP/1.1 400 " + said + b"\r\nContent-Length: " + str(len(said)).encode() + b"\r\n\r\n" + said)


@contextmanager
def receiver(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Generator[Receiver]:
    """Run one for the length of a block."""
    made = Receiver()
    made.behave(*behaviours)
    with _listening(lambda sock: _one(made, sock, tls), made.over) as port:
        made.port = port
        yield made


@contextmanager
def mail_server(talk: Callable[[socket.socket, threading.Event], None]) -> Generator[int]:
    """Run a server that talks to each connection as it is told; yield its port."""
    over = threading.Event()
    with _listening(lambda sock: talk(sock, over), over) as port:
        yield port


@contextmanager
def _listening(handle: Callable[[socket.socket], None], over: threading.Event) -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []
        socks: list[socket.socket] = []

        def serve(sock: socket.socket) -> None:
            with sock, suppress(OSError):
                handle(sock)

        def accept() -> None:
            while not over.is_set():
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                socks.append(sock)
                thread = threading.Thread(target=serve, args=(sock,), daemon=True)
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for sock in socks:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(10)


def _one(made: Receiver, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
    made.connections += 1
    plain = tls.wrap_socket(sock, server_side=True) if tls else sock
    with plain:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := plain.recv(65536)):
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rows = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
        while len(body) < int(headers.get("content-length", 0)):
            body += plain.recv(65536)
        made.requests.append(Request(path=first.split(" ")[1], headers=headers, body=body))
        made.next_behaviour()(plain)
