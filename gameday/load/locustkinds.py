"""Which kind of outcome a failure is that Locust tells of: its clients wrap and rename what happened. Load child only.

FastHttp reports a timeout as RetriesExceeded with the real error in ``original``, and a connection that was reset or closed as
HTTPConnectionClosed; requests and urllib3 keep theirs in ``reason``, in the arguments or as the cause.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

from gevent.timeout import Timeout
from geventhttpclient.response import HTTPConnectionClosed

from gameday.load.hosts import HostRefusedError
from gameday.load.outcomes import kind_of_error
from gameday.load.protocol import GENERATOR

_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_DEEPEST = 12
_BY_NAME = {
    "NameResolutionError": "dns",
    "ConnectTimeoutError": "timeout",
    "ConnectTimeout": "timeout",
    "ReadTimeoutError": "timeout",
    "ReadTimeout": "timeout",
    "CertificateError": "tls",
    "IncompleteRead": "reset",
    "ChunkedEncodingError": "reset",
}
"""Errors of requests and urllib3, which need not be imported to be told apart."""
_ORDER = (GENERATOR, "dns", "tls", "refused", "timeout", "reset")
"""Where a chain of errors shows several, the first of these is what happened."""


def kind_of_failure(exception: BaseException, status: int, beneath: BaseException | None = None) -> str:
    """Return the kind of a failed request, from what it raised and the status that came back (0 for none).

    ``beneath`` is what the client itself raised, where the locustfile has failed the request for a reason of its own.
    """
    if status >= _SERVER_ERROR:
        return "http_5xx"
    if status >= _CLIENT_ERROR:
        return "http_4xx"
    if status > 0 and not _sending(exception):
        return "check"
    errors = [*_chain(exception), *(_chain(beneath) if beneath is not None else ())]
    kinds = set(map(_kind, errors))
    return next((kind for kind in _ORDER if kind in kinds), "other")


def _sending(exception: BaseException) -> bool:
    """Whether the exchange itself broke, after a status had come."""
    return any(isinstance(one, (OSError, HTTPException, HTTPConnectionClosed, Timeout)) for one in _chain(exception))


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it was made of."""
    waiting: list[BaseException] = [exception]
    seen: set[int] = set()
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        parts: list[Any] = [getattr(one, "original", None), getattr(one, "reason", None), *one.args]
        waiting += [part for part in (*parts, one.__cause__, one.__context__) if isinstance(part, BaseException)]


def _kind(error: BaseException) -> str:
    if named := _BY_NAME.get(type(error).__name__):
        return named
    if isinstance(error, HostRefusedError):
        return GENERATOR
    if isinstance(error, (Timeout, TimeoutError)):
        return "timeout"
    if isinstance(error, HTTPConnectionClosed):
        return "reset"
    if isinstance(error, (socket.gaierror, ssl.SSLError, OSError)):
        return kind_of_error(error)
    return "other"
