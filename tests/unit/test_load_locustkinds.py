"""What Locust's clients say went wrong, as one of our kinds."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from gevent.timeout import Timeout
from geventhttpclient.response import HTTPConnectionClosed
from geventhttpclient.useragent import RetriesExceeded
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from gameday.load.locustkinds import kind_of_failure


def retries(original: BaseException) -> Exception:
    return RetriesExceeded("http://x", 0, original=original)


def wrapped(reason: Exception) -> Exception:
    """As requests wraps what urllib3 gave up with."""
    return requests_errors.ConnectionError(urllib3_errors.MaxRetryError(None, "/x", reason))  # type: ignore[arg-type]


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RuntimeError("x"), 503, "http_5xx"),
        (RuntimeError("x"), 404, "http_4xx"),
        (RuntimeError("not what was expected"), 200, "check"),
        (ConnectionResetError(), 200, "reset"),
        (retries(TimeoutError("timed out")), 0, "timeout"),
        (Timeout(1), 0, "timeout"),
        (requests_errors.ReadTimeout(), 0, "timeout"),
        (wrapped(urllib3_errors.ConnectTimeoutError()), 0, "timeout"),
        (HTTPConnectionClosed("closed"), 0, "reset"),
        (retries(ConnectionResetError()), 0, "reset"),
        (wrapped(caused(urllib3_errors.ProtocolError("Connection aborted."), ConnectionResetError())), 0, "reset"),
        (ConnectionRefusedError(), 0, "refused"),
        (wrapped(caused(urllib3_errors.NewConnectionError(None, "x"), ConnectionRefusedError())), 0, "refused"),  # type: ignore[arg-type]
        (socket.gaierror(-2, "unknown"), 0, "dns"),
        (wrapped(caused(urllib3_errors.NewConnectionError(None, "x"), socket.gaierror(-2, "unknown"))), 0, "dns"),  # type: ignore[arg-type]
        (ssl.SSLCertVerificationError("bad"), 0, "tls"),
        (wrapped(urllib3_errors.SSLError(ssl.SSLCertVerificationError("bad"))), 0, "tls"),
        (OSError(errno.EMFILE, "too many files"), 0, "generator"),
        (wrapped(caused(urllib3_errors.NewConnectionError(None, "x"), OSError(errno.EADDRNOTAVAIL, "x"))), 0, "generator"),  # type: ignore[arg-type]
        (ValueError("anything"), 0, "other"),
    ],
)  # fmt: skip
def test_kinds(error: BaseException, status: int, kind: str) -> None:
    assert kind_of_failure(error, status) == kind


def test_errors_that_go_in_circles_end() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert kind_of_failure(one, 0) == "other"


def test_a_reason_of_the_locustfile_does_not_hide_what_the_client_met() -> None:
    assert kind_of_failure(RuntimeError("no order"), 0, ConnectionRefusedError()) == "refused"
    assert kind_of_failure(RuntimeError("no order"), 200, None) == "check"
