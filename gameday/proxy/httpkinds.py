"""The kinds of toxics that act on HTTP/1.1 requests, and which requests they match."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from http import HTTPStatus
from typing import Any, ClassVar, cast

from gameday.proxy.attributes import Attributes, attribute, fraction, milliseconds, one_of, text, whole
from gameday.proxy.http1 import RequestHead, field_values
from gameday.proxy.kinds import DISTRIBUTIONS

_FRAMING = frozenset({"content-length", "transfer-encoding"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff\t]{0,4096}")
_METHOD = re.compile(r"[A-Z]{0,32}")
_MOST_FIELDS = 32
_LOWEST, _HIGHEST = 200, 599


def fields(value: object) -> dict[str, str]:
    """Read header fields: names to values."""
    if not isinstance(value, dict):
        raise ValueError("is an object of header fields")  # noqa: TRY004 - all checks raise ValueError
    found = cast("dict[object, object]", value)
    if len(found) > _MOST_FIELDS:
        raise ValueError(f"is an object of at most {_MOST_FIELDS} header fields")
    for name, content in found.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"has a name that no header field can have: {name!r:.80}")
        if not isinstance(content, str) or not _VALUE.fullmatch(content):
            raise ValueError(f"has a value that no header field can have: {content!r:.80}")
    return cast("dict[str, str]", dict(found))


def changes(value: object) -> dict[str, str]:
    """Read header fields to set; those that frame the body cannot be, for then nobody could tell where it ends."""
    return _unframed(fields(value))


def names(value: object) -> tuple[str, ...]:
    """Read names of header fields to take out."""
    if not isinstance(value, list | tuple):
        raise ValueError("is a list of header fields")  # noqa: TRY004 - all checks raise ValueError
    listed = cast("list[object]", value)
    return tuple(_unframed(fields(dict.fromkeys(listed, ""))))


def _unframed(found: dict[str, str]) -> dict[str, str]:
    if _FRAMING & {name.lower() for name in found}:
        raise ValueError("cannot change Content-Length or Transfer-Encoding")
    return found


def method_name(value: object) -> str:
    """Read a request method."""
    if not isinstance(value, str) or not _METHOD.fullmatch(value):
        raise ValueError("is a request method in capitals, or nothing for any")
    return value


def status_code(value: object) -> int:
    """Read a status that ends a request."""
    if isinstance(value, bool) or not isinstance(value, int) or not _LOWEST <= value <= _HIGHEST:
        raise ValueError(f"is a status from {_LOWEST} to {_HIGHEST}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpKind(Attributes):
    """What all of them have: the requests they are for. Their toxicity is the share of those requests."""

    method: str = attribute(method_name, "", ours=True)
    """Empty matches any."""
    path: str = attribute(text, "", ours=True)
    """A pattern with ``*`` and ``?`` for the path without its query; empty matches any."""
    headers: Mapping[str, str] | None = attribute(fields, None, ours=True)
    """Header fields that the request must have, each with a pattern for its value."""

    def matcher(self) -> Matcher:
        """Return what tells the requests that it is for."""
        return Matcher(
            self.method,
            re.compile(translate(self.path)) if self.path else None,
            tuple((name, re.compile(translate(value))) for name, value in (self.headers or {}).items()),
        )


@dataclass(frozen=True, slots=True)
class Matcher:
    """Tells whether a request is meant."""

    method: str
    path: re.Pattern[str] | None
    headers: tuple[tuple[str, re.Pattern[str]], ...]

    def __call__(self, head: RequestHead) -> bool:
        """Whether it is."""
        if self.method and head.method != self.method:
            return False
        if self.path is not None and not self.path.match(head.path):
            return False
        return all(any(wanted.match(value) for value in field_values(head.raw, name)) for name, wanted in self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAbort(HttpKind):
    """Answer with a status of one's own; the dependency never hears of the request."""

    TYPE: ClassVar[str] = "http_abort"
    status: int = attribute(status_code, 503)
    body: str = attribute(text, "")
    set: Mapping[str, str] | None = attribute(changes, None, ours=True)
    """Header fields of the answer."""

    def reply(self) -> bytes:
        """Return the whole answer."""
        return own_reply(self.status, self.body, dict(self.set or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDelay(HttpKind):
    """Hold a request back for a time as ``latency`` draws it."""

    TYPE: ClassVar[str] = "http_delay"
    latency: int = attribute(milliseconds, 0)
    jitter: int = attribute(milliseconds, 0)
    distribution: str = attribute(one_of(DISTRIBUTIONS), "uniform", ours=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCorrupt(HttpKind):
    """Invert a share of the bytes of the answer's body, at least one; its length and its framing stay."""

    TYPE: ClassVar[str] = "http_corrupt"
    share: float = attribute(fraction, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTruncate(HttpKind):
    """Close the connection when so many bytes of the answer's body have passed."""

    TYPE: ClassVar[str] = "http_truncate"
    bytes: int = attribute(whole, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader(HttpKind):
    """Set or remove header fields of the request or of the answer."""

    TYPE: ClassVar[str] = "http_header"
    on: str = attribute(one_of(("response", "request")), "response")
    set: Mapping[str, str] | None = attribute(changes, None)
    remove: tuple[str, ...] = attribute(names, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRateLimit(HttpKind):
    """Let ``rate`` requests a second through, ``burst`` at once; answer the others with 429 and Retry-After."""

    TYPE: ClassVar[str] = "http_rate_limit"
    rate: int = attribute(whole, 0)
    burst: int = attribute(whole, 1)
    status: int = attribute(status_code, 429)

    def reply(self) -> bytes:
        """Return the whole answer."""
        return own_reply(self.status, "", {"Retry-After": "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpThrottle(HttpKind):
    """Let the answer's body pass at ``rate`` × 1000 bytes a second; with a rate of nothing, it never comes."""

    TYPE: ClassVar[str] = "http_throttle"
    rate: int = attribute(whole, 0)


HTTP_KINDS: tuple[type[HttpKind], ...] = (
    HttpAbort,
    HttpDelay,
    HttpCorrupt,
    HttpTruncate,
    HttpHeader,
    HttpRateLimit,
    HttpThrottle,
)


def own_reply(status: int, body: str, headers: Mapping[str, str]) -> bytes:
    """Write an answer that the dependency has not given."""
    phrase = HTTPStatus(status).phrase if status in _STATUSES else "Fault"
    content = body.encode()
    shown: dict[str, Any] = {"Content-Type": "text/plain; charset=utf-8", **headers}
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in shown.items())]
    if status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines.append(f"Content-Length: {len(content)}")
    else:
        content = b""
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


_STATUSES = frozenset(int(one) for one in HTTPStatus)
