"""HTTP/1.1 messages in a stream of bytes: where each begins, what of it is body, and where it ends. Pure.

Every byte that goes in comes out unchanged and in order. It is strict, because a proxy that reads a message otherwise than its two
sides do would aim faults at the wrong bytes: what it is not sure of is NotHttpError, and the stream is passed on unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

HEAD_LIMIT = 64 * 1024
"""Bytes of a message before its body."""
_LINE_LIMIT = 1024
"""Bytes of the line that gives a chunk's size."""
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_RESPONSE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?\r\n")
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb":[^\r\n\0]*\r\n)*\r\n")
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding):([^\r\n]*)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?")
_MAY_BE_REQUEST = re.compile(
    _TOKEN + rb"(?: [\x21-\x7e\x80-\xff]*(?: (?:HTTP/1\.[01](?:\r.*)?|H|HT|HTT|HTTP|HTTP/|HTTP/1|HTTP/1\.)?)?)?",
    re.DOTALL,
)
_MAY_BE_RESPONSE = re.compile(rb"H(?:T(?:T(?:P(?:/(?:1.*)?)?)?)?)?", re.DOTALL)
REQUEST_START = re.compile(rb"[A-Z]{3,16} [\x21-\x7e\x80-\xff]+ HTTP/1\.[01]\r\n")
"""What the beginning of a request looks like, for whoever comes upon a connection that is under way."""
_INTERIM, _SWITCHING, _BODILESS = range(100, 200), 101, (204, 304)


class NotHttpError(Exception):
    """This is not HTTP/1.1, or not unambiguous."""


class Body(Enum):
    """How the end of a body is known."""

    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


@dataclass(slots=True)
class RequestHead:
    """Everything before a request's body."""

    raw: bytes
    method: str
    target: str
    body: Body
    length: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def closes(self) -> bool:
        """Whether the client wants the connection closed behind the answer."""
        said = {token.strip().lower() for value in field_values(self.raw, "connection") for token in value.split(",")}
        if self.raw.split(b"\r\n", 1)[0].endswith(b"1.0"):
            return "keep-alive" not in said
        return "close" in said


@dataclass(slots=True)
class ResponseHead:
    """Everything before a response's body."""

    raw: bytes
    status: int
    body: Body
    length: int

    @property
    def interim(self) -> bool:
        """Whether another response follows for the same request."""
        return self.status in _INTERIM and self.status != _SWITCHING


class Messages:
    """The messages of one direction: give it bytes, take heads and pieces of bodies."""

    __slots__ = ("_at", "_body", "_data", "_left", "at_start")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._body = Body.LENGTH
        self._left = 0
        """Bytes of the body, or of this chunk with its line end; -1: a size line comes, -2: trailers."""
        self.at_start = True
        """The last message is whole and the next has not begun."""

    def push(self, data: bytes) -> None:
        """Take bytes."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def rest(self) -> bytes:
        """Take back the bytes that were pushed and not taken."""
        rest, self._data, self._at = self._data[self._at :], b"", 0
        return rest

    @property
    def idle(self) -> bool:
        """Whether it holds nothing and is between messages."""
        return self.at_start and self._at >= len(self._data)

    def request(self) -> RequestHead | None:
        """Take the next request's head; None while it is not whole."""
        raw = self._head(_MAY_BE_REQUEST)
        if raw is None:
            return None
        match = _REQUEST.match(raw)
        if match is None or not _FIELDS.fullmatch(raw, match.end()):
            raise NotHttpError
        codings, lengths = _framing(raw)
        if codings:
            if codings != [b"chunked"] or lengths or match[3] == b"0":
                raise NotHttpError
            self._begin(raw, Body.CHUNKED, -1)
        else:
            self._begin(raw, Body.LENGTH, _length(lengths) or 0)
        return RequestHead(raw, match[1].decode(), match[2].decode("latin-1"), self._body, max(0, self._left))

    def response(self, method: str) -> ResponseHead | None:
        """Take the head of the response to a request of that method; None while it is not whole."""
        raw = self._head(_MAY_BE_RESPONSE)
        if raw is None:
            return None
        match = _RESPONSE.match(raw)
        if match is None or not _FIELDS.fullmatch(raw, match.end()):
            raise NotHttpError
        status = int(match[2])
        codings, lengths = _framing(raw)
        if status in _INTERIM or status in _BODILESS or method == "HEAD":
            self._begin(raw, Body.LENGTH, 0)
        elif codings:
            if lengths or match[1] == b"0":
                raise NotHttpError
            if codings == [b"chunked"]:
                self._begin(raw, Body.CHUNKED, -1)
            else:
                self._begin(raw, Body.UNTIL_CLOSE, 0)
        else:
            length = _length(lengths)
            self._begin(raw, Body.UNTIL_CLOSE if length is None else Body.LENGTH, length or 0)
        return ResponseHead(raw, status, self._body, max(0, self._left))

    def pieces(self) -> Iterator[tuple[bool, bytes]]:
        """Take what is there of the body: (whether it is content, bytes); what is not content frames it."""
        while not self.at_start and self._at < len(self._data):
            if self._body is Body.UNTIL_CLOSE:
                yield True, self.rest()
            elif self._body is Body.LENGTH or self._left > 0:
                yield from self._content()
            else:
                line = self._line()
                if line is None:
                    return
                yield False, line

    def _head(self, may_be: re.Pattern[bytes]) -> bytes | None:
        """Take a head; what cannot become one is not waited for, because whoever sent it may wait for an answer."""
        end = self._data.find(b"\r\n\r\n", self._at)
        if end < 0 or end - self._at > HEAD_LIMIT:
            here = self._data[self._at :]
            if here and (len(here) > HEAD_LIMIT or not may_be.fullmatch(here)):
                raise NotHttpError
            return None
        return self._data[self._at : end + 4]

    def _begin(self, raw: bytes, body: Body, left: int) -> None:
        """Take the head, which is one, and expect its body."""
        self._at += len(raw)
        self._body = body
        self._left = left
        self.at_start = body is Body.LENGTH and not left

    def _content(self) -> Iterator[tuple[bool, bytes]]:
        """Take bytes of a body of known length, or of a chunk, the last two of which are its line end."""
        framing = 2 if self._body is Body.CHUNKED else 0
        content = self._data[self._at : self._at + max(0, self._left - framing)]
        if content:
            self._at += len(content)
            self._left -= len(content)
            yield True, content
        if framing and 0 < self._left <= framing and self._at < len(self._data):
            ending = self._data[self._at : self._at + self._left]
            if not b"\r\n"[-self._left :].startswith(ending):
                raise NotHttpError
            self._at += len(ending)
            self._left -= len(ending)
            yield False, ending
        if not self._left:
            if framing:
                self._left = -1
            else:
                self.at_start = True

    def _line(self) -> bytes | None:
        """Take the line that gives a chunk's size, or one of the trailers."""
        limit = _LINE_LIMIT if self._left == -1 else HEAD_LIMIT
        end = self._data.find(b"\r\n", self._at, self._at + limit)
        if end < 0:
            if len(self._data) - self._at >= limit:
                raise NotHttpError
            return None
        line = self._data[self._at : end]
        if self._left == -1:
            match = _CHUNK.fullmatch(line)
            if match is None:
                raise NotHttpError
            size = int(match[1], 16)
            self._left = size + 2 if size else -2
        elif not line:
            self.at_start = True
        elif not _FIELDS.fullmatch(line + b"\r\n\r\n"):
            raise NotHttpError
        self._at = end + 2
        return line + b"\r\n"


def _framing(raw: bytes) -> tuple[list[bytes], list[bytes]]:
    codings: list[bytes] = []
    lengths: list[bytes] = []
    for name, value in _FRAMING.findall(raw.lower()):
        if name[:1] == b"t":
            codings += [coding.strip(b" \t") for coding in value.split(b",")]
        else:
            lengths.append(value.strip(b" \t"))
    return codings, lengths


def _length(values: list[bytes]) -> int | None:
    if not values:
        return None
    if len(values) > 1 or not _LENGTH.fullmatch(values[0]):
        raise NotHttpError
    return int(values[0])


def field_values(raw: bytes, name: str) -> list[str]:
    """Return the values of a header field in a head, in order."""
    found: list[str] = []
    for line in raw.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.decode("latin-1").lower() == name.lower():
            found.append(value.strip(b" \t").decode("latin-1"))
    return found


def with_fields(raw: bytes, changed: dict[str, str], removed: tuple[str, ...]) -> bytes:
    """Return a head with some of its header fields set to something else or taken out."""
    gone = {name.lower() for name in (*changed, *removed)}
    lines = raw[:-4].split(b"\r\n")
    kept = [lines[0], *(line for line in lines[1:] if line.partition(b":")[0].decode("latin-1").lower() not in gone)]
    kept += [f"{name}: {value}".encode("latin-1") for name, value in changed.items()]
    return b"\r\n".join(kept) + b"\r\n\r\n"
