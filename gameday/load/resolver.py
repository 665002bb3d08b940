"""Names to addresses, without stopping the event loop. Load child only."""

from __future__ import annotations

import socket as stdlib_socket
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import gevent
import gevent.socket
from gevent.event import AsyncResult

_RESOLVE_NS = 1_000_000_000
"""Names are resolved anew after this, so that a failover by DNS is seen."""

now_ns = time.monotonic_ns


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
