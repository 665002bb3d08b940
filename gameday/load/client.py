"""One HTTP/1.1 exchange over gevent sockets, bounded by one deadline and counted as it is: no retry, no redirect. Load child only.

geventhttpclient's own client repeats an idempotent request once for each connection of its pool, which would hide failures, so
only its parser (llhttp) is used here. A connection is used again when it has been idle for less than IDLE_NS and the kernel does not
know it closed: servers close idle connections after seconds, and that must not look like a failure of the system.
"""

from __future__ import annotations

import select
import socket as stdlib_socket
import time
from collections import defaultdict
from collections.abc import Sequence
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any

import gevent
import gevent.socket
import gevent.ssl
from gevent.event import AsyncResult
from gevent.monkey import get_original
from geventhttpclient._parser import HTTPResponseParser

from gameday.load.outcomes import OversizedError, TooLateError
from gameday.load.wire import Origin, WireRequest

IDLE_NS = 1_000_000_000
"""A connection idle for this long is not used again."""
RECEIVE_LIMIT = 8 * 1024 * 1024
"""Bytes of the longest answer that is read."""
_BLOCK = 65_536
_RESOLVE_NS = 1_000_000_000
"""Names are resolved anew after this, so that a failover by DNS is seen."""
_HANGUP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
_INFORMATIONAL = 200

now_ns = time.monotonic_ns


class Response(HTTPResponseParser):
    """The parser's callbacks, with nothing kept but the status: all that a request without checks needs."""

    def __init__(self, *, head: bool) -> None:
        super().__init__()
        self._head = head
        self.complete = False
        self.reusable = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def _on_message_begin(self) -> None:
        self.reusable = False

    def _on_status(self, text: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        pass

    def _on_header_value(self, text: str) -> None:
        pass

    def _on_headers_complete(self) -> bool:
        return self._head

    def _on_body(self, data: bytearray) -> None:
        pass

    def _on_message_complete(self) -> None:
        """Take note of the final answer; one of 1xx is followed by it on the same connection."""
        if not self.complete and self.get_code() >= _INFORMATIONAL:
            self.complete = True
            self.status = self.get_code()
            self.reusable = self.should_keep_alive()


class WholeResponse(Response):
    """Keeps headers and body too, for requests with checks."""

    def __init__(self, *, head: bool) -> None:
        super().__init__(head=head)
        self._field = ""
        self._in_value = False
        self._first = True
        self._chunks: list[bytes] = []

    def _on_header_field(self, text: str) -> None:
        self._field = text if self._in_value else self._field + text
        self._in_value = False

    def _on_header_value(self, text: str) -> None:
        """Keep the first header of a name; long values come in pieces."""
        name = self._field.lower()
        if self._in_value and self._first:
            self.headers[name] += text
        elif not self._in_value:
            self._first = name not in self.headers
            self.headers.setdefault(name, text)
        self._in_value = True

    def _on_body(self, data: bytearray) -> None:
        self._chunks.append(bytes(data))

    def _on_message_begin(self) -> None:
        super()._on_message_begin()
        if not self.complete:
            self.headers, self._chunks, self._field, self._in_value, self._first = {}, [], "", False, True

    def _on_message_complete(self) -> None:
        super()._on_message_complete()
        self.body = b"".join(self._chunks)


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


class Resolver:
    """Names to addresses: one question at a time for each name, its answer kept for a second."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[int, Sequence[Any]]] = {}
        self._asking: dict[tuple[str, int], AsyncResult[Sequence[Any]]] = {}

    def addresses(self, host: str, port: int) -> Sequence[Any]:
        """Return (family, sockaddr) pairs; raise socket.gaierror."""
        key = (host, port)
        known = self._known.get(key)
        if known is not None and now_ns() - known[0] < _RESOLVE_NS:
            return known[1]
        if (literal := _literal(host, port)) is not None:
            self._known[key] = (1 << 62, literal)
            return literal
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = AsyncResult()
            gevent.spawn(self._ask, key, asking)
        found: Sequence[Any] = asking.get() or ()
        return found

    def _ask(self, key: tuple[str, int], answer: AsyncResult[Sequence[Any]]) -> None:
        try:
            infos = gevent.socket.getaddrinfo(*key, 0, stdlib_socket.SOCK_STREAM)
            self._known[key] = (now_ns(), [(info[0], info[4]) for info in infos])
            answer.set(self._known[key][1])
        except OSError as error:
            answer.set_exception(error)
        except UnicodeError as error:  # a name that IDNA cannot write
            answer.set_exception(stdlib_socket.gaierror(stdlib_socket.EAI_NONAME, str(error)))
        finally:
            del self._asking[key]


def _literal(host: str, port: int) -> Sequence[Any] | None:
    """Return the address that needs no resolver, or None."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return [(stdlib_socket.AF_INET, (host, port))]
    return [(stdlib_socket.AF_INET6, (host, port, 0, 0))]


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
