"""HTTP/1.1 messages, as much as the shop needs: Content-Length bodies, kept-alive connections, bounds on everything."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MAX_HEAD = 16 * 1024
"""Bytes of a request or status line with its headers."""
MAX_BODY = 256 * 1024
"""Bytes of one body."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)(?: .*)?", re.ASCII)
_LENGTH = re.compile(r"\d{1,12}", re.ASCII)


class ProtocolError(Exception):
    """What came over the connection is not what we speak; ``status`` is the answer to it."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    """Without the query."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; raise ProtocolError (400) for anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
        if not isinstance(value, dict):
            raise ProtocolError(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
        return value  # pyright: ignore[reportUnknownVariableType] - the keys of a JSON object are strings


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer, read or written whole."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Beside those that every message has; names in lower case when it was read."""

    @classmethod
    def of(cls, status: int, /, **members: object) -> Response:
        """Answer with a JSON object."""
        return cls(status=status, body=json.dumps(members).encode())


def encode_request(request: Request, host: str) -> bytes:
    """Write a request for the connection to ``host``."""
    head = [f"{request.method} {request.path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(request.body)}"]
    return _encode(head, request.headers, request.body)


def encode_response(response: Response, *, close: bool = False) -> bytes:
    """Write an answer; ``close`` announces that the connection ends with it."""
    head = [
        f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, '')}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
    ]
    if close:
        head.append("Connection: close")
    return _encode(head, response.headers, response.body)


def _encode(head: list[str], headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [*head, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + _END + body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one request, or None at the end of the connection; raise ProtocolError when it is not one or too large."""
    head = await _read_head(reader)
    if head is None:
        return None
    line, headers = head
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(HTTPStatus.BAD_REQUEST, "not an HTTP/1 request")
    path = match[2].partition("?")[0]
    return Request(method=match[1], path=path, headers=headers, body=await _read_body(reader, headers))


async def read_response(reader: asyncio.StreamReader) -> Response:
    """Read one answer; raise ConnectionResetError at the end of the connection, ProtocolError when it is not one."""
    head = await _read_head(reader)
    if head is None:
        raise ConnectionResetError("closed before the answer")
    line, headers = head
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(HTTPStatus.BAD_GATEWAY, "not an HTTP/1 answer")
    body = await _read_body(reader, headers)
    return Response(status=int(match[1]), body=body, content_type=headers.get("content-type", ""), headers=headers)


def keeps_alive(headers: Mapping[str, str]) -> bool:
    """Whether the connection goes on after the message with these headers."""
    return headers.get("connection", "").lower() != "close"


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    try:
        raw = await reader.readuntil(_END)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise ConnectionResetError("closed within a message") from error
    except asyncio.LimitOverrunError as error:
        raise ProtocolError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too large") from error
    line, *fields = raw[: -len(_END)].decode("latin-1").split("\r\n")
    return line, _headers(fields)


def _headers(fields: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in fields:
        name, colon, value = text.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip() or (key == "content-length" and key in headers):
            raise ProtocolError(HTTPStatus.BAD_REQUEST, "malformed headers")
        headers[key] = value.strip()
    return headers


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise ProtocolError(HTTPStatus.LENGTH_REQUIRED, "only bodies with a Content-Length are understood")
    text = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(text):
        raise ProtocolError(HTTPStatus.BAD_REQUEST, "the Content-Length is not a number")
    if int(text) > MAX_BODY:
        raise ProtocolError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"bodies end at {MAX_BODY} bytes")
    try:
        return await reader.readexactly(int(text))
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("closed within a message") from error
