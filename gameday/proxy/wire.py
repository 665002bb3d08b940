"""Just enough HTTP/1.1 for a control port: requests are parsed within fixed bounds, replies are JSON. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn, cast
from urllib.parse import unquote

from gameday.proxy.proxies import RefusedError

HEAD_LIMIT = 16 * 1024
BODY_LIMIT = 256 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,9}")
_REQUEST_LINE_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Everything before the body."""

    method: str
    path: tuple[str, ...]
    """Segments, decoded: ``/proxies/a%2Fb`` is ``("proxies", "a/b")``."""
    headers: dict[str, str]
    """Names in lower case."""
    length: int
    """Bytes of body."""
    keep_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A whole request as a handler sees it."""

    head: Head
    body: bytes = b""
    args: tuple[str, ...] = ()
    """What stood in the place of the route's variable segments."""

    def fields(self) -> dict[str, Any]:
        """Read the body as a JSON object; raises RefusedError."""
        try:
            found = json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, f"bad request body: {error}") from error
        if not isinstance(found, dict):
            raise RefusedError(400, "bad request body: not a JSON object")
        return cast("dict[str, Any]", found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered; ``content`` None is no body at all."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def encode(self, *, keep_alive: bool) -> bytes:
        """As it goes over the wire."""
        body = b"" if self.content is None else json.dumps(self.content, separators=(",", ":")).encode()
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        if self.content is not None:
            lines.append("Content-Type: application/json")
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def failure(error: RefusedError) -> Reply:
    """Say no as Toxiproxy says it."""
    return Reply(status=error.status, content={"error": error.message, "status": error.status})


def parse_head(raw: bytes) -> Head:
    """Read the bytes before the empty line; raises RefusedError."""
    lines = raw.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != _REQUEST_LINE_PARTS or not _TOKEN.fullmatch(parts[0]):
        raise RefusedError(400, "not an HTTP request")
    method, target, version = parts
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise RefusedError(505, "speak HTTP/1.1")
    headers = _headers(lines[1:])
    if "transfer-encoding" in headers:
        raise RefusedError(411, "send Content-Length, not Transfer-Encoding")
    connection = headers.get("connection", "").lower()
    return Head(
        method=method,
        path=_segments(target),
        headers=headers,
        length=_length(headers.get("content-length", "0")),
        keep_alive=version == "HTTP/1.1" and "close" not in connection,
    )


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise RefusedError(400, "bad header")
        name, value = name.lower(), value.strip(" \t")
        if name in headers and name in ("content-length", "authorization", "transfer-encoding"):
            raise RefusedError(400, f"{name} given twice")
        headers[name] = value
    return headers


def _segments(target: str) -> tuple[str, ...]:
    path = target.partition("?")[0]
    if not path.startswith("/") or not target.isascii() or not target.isprintable():
        raise RefusedError(400, "bad request target")
    return tuple(unquote(segment, errors="replace") for segment in path[1:].rstrip("/").split("/"))


def _length(text: str) -> int:
    if not _LENGTH.fullmatch(text):
        raise RefusedError(400, "bad Content-Length")
    if int(text) > BODY_LIMIT:
        raise RefusedError(413, f"more than {BODY_LIMIT} bytes")
    return int(text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
