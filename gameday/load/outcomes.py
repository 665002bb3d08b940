"""Which kind of outcome an answer or an error is: the closed list of docs/run-folder.md."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import HTTPException

from gameday.load.protocol import GENERATOR, OK
from gameday.load.wire import WireRequest
from gameday.spi.checks import Answer, failed_check

_OURS = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
"""The generator's own machine has run out of something: never the system's failure."""
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


class TooLateError(Exception):
    """Its timeout was over before the generator came to send it: the generator's failure."""


class OversizedError(Exception):
    """The answer is longer than what is read."""


SENDING_ERRORS = (OSError, HTTPException, TooLateError, OversizedError)
"""Everything that can go wrong with one request; anything else is a bug."""


def kind_of_error(error: Exception) -> str:  # noqa: PLR0911 - one line for each kind
    """Return the kind of a request that got no whole answer."""
    match error:
        case TooLateError():
            return GENERATOR
        case socket.gaierror():
            return "dns"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "reset"
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionError():
            return "reset"
        case OSError(errno=number) if number in _OURS:
            return GENERATOR
        case _:
            return "other"


def kind_of_answer(request: WireRequest, answer: Answer) -> tuple[str, str]:
    """Return the kind of a whole answer, and what is wrong with it in words (empty when it is ok).

    2xx and 3xx are ok and 4xx and 5xx are not, unless a check names the status: then the checks alone decide.
    """
    failure = failed_check(request.checks, answer)
    failed = answer.status >= _CLIENT_ERROR and not request.judges_status
    if failure is None and not failed:
        return OK, ""
    text = f"status {answer.status}" if failure is None else f"status {answer.status}, does not meet {failure.text}"
    if answer.status >= _SERVER_ERROR:
        return "http_5xx", text
    return ("http_4xx" if answer.status >= _CLIENT_ERROR else "check"), text
