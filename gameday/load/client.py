"""One HTTP/1.1 exchange over gevent sockets, bounded by one deadline and counted as it is: no retry, no redirect. Load child only.

geventhttpclient's own client repeats an idempotent request once for each connection of its pool, which would hide failures, so
only its parser (llhttp) is used. A connection is used again when it has been idle for less than IDLE_NS and the kernel does not
know it closed: servers close idle connections after seconds, and that must not look like a failure of the system.
"""

from __future__ import annotations

import select
import socket as stdlib_socket
import time
from collections import defaultdict
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

import gevent
import gevent.socket
import gevent.ssl
from gevent.monkey import get_original

from gameday.load.outcomes import OversizedError, TooLateError
from gameday.load.resolver import Resolver
from gameday.load.responses import Response, WholeResponse
from gameday.load.wire import Origin, WireRequest

IDLE_NS = 1_000_000_000
"""A connection idle for this long is not used again."""
RECEIVE_LIMIT = 8 * 1024 * 1024
"""Bytes of the longest answer that is read."""
_BLOCK = 65_536
_HANGUP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)

now_ns = time.monotonic_ns


class Connection:
    """One connection, and whether it may be used again."""

    def __init__(self, sock: Any, *, plain: bool) -> None:
        self.sock = sock
        self.used_ns = now_ns()
        self._poll = get_original("select", "poll")()
        self._poll.register(sock.fileno(), _HANGUP | (select.POLLIN if plain else 0))

    def usable(self, now: int) -> bool:
        """Whether it was used lately and the kernel knows of no close and (on a plain connection) of no stray bytes."""
        return now - self.used_ns < IDLE_NS and not self._poll.poll(0)


class Client:
    """Sends requests; the connections of each origin are kept and used again, the latest first."""

    def __init__(self, *, verify_tls: bool) -> None:
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._resolver = Resolver()
        self._tls = gevent.ssl.create_default_context()
        if not verify_tls:
            self._tls.check_hostname = False
            self._tls.verify_mode = gevent.ssl.CERT_NONE

    def exchange(self, request: WireRequest, deadline_ns: int) -> Response:
        """Send and read the whole answer; raise one of outcomes.SENDING_ERRORS."""
        connection = self._connection(request.origin, deadline_ns)
        reusable = False
        try:
            _send(connection.sock, request.data, deadline_ns)
            response = (WholeResponse if request.checks else Response)(head=request.method == "HEAD")
            _receive(connection.sock, response, deadline_ns)
            reusable = response.reusable
        finally:
            if reusable:
                connection.used_ns = now_ns()
                self._idle[request.origin].append(connection)
            else:
                connection.sock.close()
        return response

    def _connection(self, origin: Origin, deadline_ns: int) -> Connection:
        now = now_ns()
        if now >= deadline_ns:
            raise TooLateError("its timeout was over before it could be sent")
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
            connection.sock.close()
        return Connection(self._connect(origin, deadline_ns), plain=origin.scheme == "http")

    def _connect(self, origin: Origin, deadline_ns: int) -> Any:
        gevent.get_hub().loop.update_now()  # timers count from when the loop woke, which may be milliseconds ago
        with gevent.Timeout((deadline_ns - now_ns()) / 1e9, TimeoutError("not connected in time")):
            sock = _open(self._resolver.addresses(origin.host, origin.port))
            if origin.scheme == "http":
                return sock
            try:
                return self._tls.wrap_socket(sock, server_hostname=origin.host)
            except BaseException:
                sock.close()
                raise


def _open(addresses: Sequence[Any]) -> Any:
    """Connect to the first address that answers; when none does, raise the refusal if there was one, or else the first error."""
    errors: list[OSError] = []
    for family, address in addresses:
        sock = gevent.socket.socket(family, stdlib_socket.SOCK_STREAM)
        try:
            sock.setsockopt(stdlib_socket.IPPROTO_TCP, stdlib_socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise
            errors.append(error)
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise next((e for e in errors if isinstance(e, ConnectionRefusedError)), errors[0])


def _left_s(deadline_ns: int) -> float:
    left = deadline_ns - now_ns()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left / 1e9


def _send(sock: Any, data: bytes, deadline_ns: int) -> None:
    sock.settimeout(_left_s(deadline_ns))
    sock.sendall(data)


def _receive(sock: Any, response: Response, deadline_ns: int) -> None:
    """Read until the answer is complete; raise ConnectionResetError when the connection ends before it."""
    received = 0
    while not response.complete:
        sock.settimeout(_left_s(deadline_ns))
        try:
            data = sock.recv(_BLOCK)
        except TimeoutError:
            continue  # a timer may be early by a millisecond; the clock decides
        received += len(data)
        if received > RECEIVE_LIMIT:
            raise OversizedError(f"more than {RECEIVE_LIMIT} bytes of answer")
        _feed(response, data)


def _feed(response: Response, data: bytes) -> None:
    try:
        response.feed(data)
    except HTTPException:
        if response.complete:  # trailing bytes after a whole answer: it counts, the connection does not
            response.reusable = False
        elif data:
            raise
    if not data and not response.complete:
        raise ConnectionResetError("closed before the end of the answer")
