"""Just enough HTTP/1.1 for a control port: requests are parsed within fixed bounds, replies are JSON. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NoReturn, cast
from urllib.parse import unquote

from gameday.proxy.errors import RefusedError

HEAD_LIMIT = 16 * 1024
BODY_LIMIT = 256 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?")
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
    """Bytes of body, unless it is chunked."""
    chunked: bool = False
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
        found = self._json()
        if not isinstance(found, dict):
            raise RefusedError(400, "bad request body: not a JSON object")
        return cast("dict[str, Any]", found)

    def objects(self) -> list[dict[str, Any]]:
        """Read the body as a JSON list of objects; raises RefusedError."""
        found = self._json()
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in cast("list[object]", found)):
            raise RefusedError(400, "bad request body: not a JSON list of objects")
        return cast("list[dict[str, Any]]", found)

    def _json(self) -> Any:
        if not self.body.strip():
            raise RefusedError(400, "bad request body: EOF")
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, f"bad request body: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered: ``content`` as JSON, or ``text``, or nothing at all."""

    status: int = 200
    content: Any = None
    text: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def encode(self, *, keep_alive: bool) -> bytes:
        """As it goes over the wire."""
        text = go_json(self.content) if self.text is None and self.content is not None else self.text or ""
        body = text.encode(errors="replace")
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        if body:
            lines.append(f"Content-Type: {self.content_type}")
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def go_json(content: Any) -> str:
    """Write JSON as Go does: nothing but what HTML or JavaScript would stumble over is escaped."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPED)


_ESCAPED = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def failure(error: RefusedError) -> Reply:
    """Say no as Toxiproxy says it: with a line end, and as plain text, which Go's library makes of every error."""
    text = error.message if error.plain else go_json({"error": error.message, "status": error.status})
    return Reply(
        status=error.status,
        text=f"{text}\n" if text else "",
        content_type="text/plain; charset=utf-8",
        headers={"X-Content-Type-Options": "nosniff"} if text else {},
    )


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
    chunked = headers.get("transfer-encoding", "").lower()
    if chunked not in ("", "chunked") or (chunked and "content-length" in headers):
        raise RefusedError(411, "send Content-Length, or Transfer-Encoding: chunked")
    connection = headers.get("connection", "").lower()
    return Head(
        method=method,
        path=_segments(target),
        headers=headers,
        length=_length(headers.get("content-length", "0")),
        chunked=bool(chunked),
        keep_alive=version == "HTTP/1.1" and "close" not in connection,
    )


def unchunked(raw: bytes | bytearray) -> tuple[bytes, int] | None:
    """Return a chunked body and how many bytes of ``raw`` it took; None while it is not whole. Raises RefusedError."""
    body = bytearray()
    at = 0
    while (end := raw.find(b"\r\n", at)) >= 0:
        size = _CHUNK.fullmatch(raw, at, end)
        if size is None or len(body) + int(size[1], 16) > BODY_LIMIT:
            raise RefusedError(400, "bad chunk")
        length = int(size[1], 16)
        chunk = raw[end + 2 : end + 4 + length]
        if len(chunk) < length + 2:
            break
        if chunk[length:] != b"\r\n":
            raise RefusedError(400, "bad chunk")
        body += chunk[:length]
        at = end + 4 + length
        if not length:
            return bytes(body), at
    if len(raw) > 2 * BODY_LIMIT:
        raise RefusedError(413, f"more than {BODY_LIMIT} bytes")
    return None


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
