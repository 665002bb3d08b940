"""POST one message as JSON to a URL that is a secret: whatever happens is said in words of ours, which cannot hold any of it."""

from __future__ import annotations

import email.utils
import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gameday.spi import NotSentError, Secrets
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange

BODY_LIMIT = 64 * 1024
"""Bytes of an answer that are read; nobody needs what it says."""
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:_]+(?:/[\x21-\x7e]*)?", re.IGNORECASE)
_LOOPBACK = ("localhost", "::1")
_OK, _MOVED, _CLIENT, _SERVER = 200, 300, 400, 500
_AGAIN = (408, 425, 429)
_GONE = {
    401: "it does not know us (401): is the URL right?",
    403: "it refuses us (403): is the URL right?",
    404: "there is no such webhook (404)",
    410: "the webhook was removed (410)",
    413: "the message is too long for it (413)",
}
_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no whole answer in time"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "its name does not resolve"),
    (ConnectionRefusedError, "it refuses connections"),
    (ConnectionError, "it closed the connection"),
    (OSError, "it cannot be reached"),
)


def post_json(
    url: str,
    document: Mapping[str, Any],
    *,
    secrets: Secrets,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    ca: str = "",
) -> None:
    """POST a document, whose answer must be 2xx within ``seconds``; redirects are not followed.

    ``url`` still has its references. Raises NotSentError, and DriverError when a secret is not set.
    """
    _checked(secrets.reveal(url))
    asked = Asked(
        method="POST",
        url=url,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=as_body(document),
    )
    try:
        answer = exchange(asked, timeout=seconds, secrets=secrets, most=BODY_LIMIT, ca=ca)
    except ExchangeError as error:
        raise NotSentError(why(error.__context__)) from None
    _judge(answer.status, answer.headers)


def as_body(document: Mapping[str, Any]) -> str:
    """Write JSON in which no text can be taken for a reference to a secret, so that nobody's title reveals one."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).replace("${", "\\u0024{")


def why(error: BaseException | None) -> str:
    """Say why there was no answer, in words that hold nothing of the URL."""
    return next((said for kind, said in _WHY if isinstance(error, kind)), "its answer is not proper HTTP, or too long")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    return host in _LOOPBACK or host.startswith("127.")


def _checked(url: str) -> None:
    """Refuse what http.client would complain about with the URL in its words, and what would send a secret in the clear."""
    try:
        split = urlsplit(url)
        host, _ = split.hostname or "", split.port
    except ValueError:
        host, split = "", urlsplit("")
    if not host or not _URL.fullmatch(url):
        raise NotSentError("its URL is no proper http or https URL", again=False)
    if split.scheme.lower() == "http" and not is_loopback(host):
        raise NotSentError("its URL is http: a webhook beyond this machine needs https", again=False)


def _judge(status: int, headers: Mapping[str, str]) -> None:
    if _OK <= status < _MOVED:
        return
    if _MOVED <= status < _CLIENT:
        raise NotSentError(f"it redirects ({status}), which is not followed", again=False)
    if status in _AGAIN or status >= _SERVER:
        raise NotSentError(f"it answers {status}", after=_after(headers.get("retry-after", "")))
    raise NotSentError(_GONE.get(status, f"it answers {status}"), again=False)


def _after(text: str) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date; None for anything else."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
