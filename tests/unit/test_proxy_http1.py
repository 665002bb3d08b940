"""The HTTP parser of the proxy: every byte out as it came in, no two ways to read a message, no input that breaks it."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.proxy.http1 import HEAD_LIMIT, REQUEST_START, Body, Messages, NotHttpError, with_fields

GET = b"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


def requests_in(chunks: list[bytes]) -> tuple[bytes, list[str], bytes]:
    """All that comes out, the targets of the requests, and their content."""
    messages, out, content = Messages(), b"", b""
    targets: list[str] = []
    for chunk in chunks:
        messages.push(chunk)
        while True:
            if messages.at_start:
                head = messages.request()
                if head is None:
                    break
                out += head.raw
                targets.append(head.target)
            for is_content, piece in messages.pieces():
                out += piece
                content += piece if is_content else b""
            if not messages.at_start:
                break
    return out + messages.rest(), targets, content


@given(st.lists(st.sampled_from([GET, POST, CHUNKED]), max_size=6), st.data())
def test_any_chunking_reads_the_same(stream: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(stream)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=20)))
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    out, targets, content = requests_in(chunks)
    assert out == whole
    assert len(targets) == len(stream)
    assert content == b"".join({GET: b"", POST: b"hello", CHUNKED: b"hello0123456789"}[one] for one in stream)


def test_heads_are_read() -> None:
    messages = Messages()
    messages.push(GET)
    head = messages.request()
    assert head is not None
    assert (head.method, head.target, head.path, head.body, head.length) == ("GET", "/a?b=c", "/a", Body.LENGTH, 0)
    assert not head.closes
    assert messages.idle


@pytest.mark.parametrize(
    ("raw", "closes"),
    [
        (b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_who_wants_the_connection_closed(raw: bytes, closes: bool) -> None:
    messages = Messages()
    messages.push(raw)
    head = messages.request()
    assert head is not None
    assert head.closes is closes


@pytest.mark.parametrize(
    ("method", "raw", "body", "length"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Body.LENGTH, 3),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Body.LENGTH, 0),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", Body.LENGTH, 0),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Body.LENGTH, 0),
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\n", Body.LENGTH, 0),
        ("GET", b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n", Body.CHUNKED, 0),
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", Body.UNTIL_CLOSE, 0),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\n", Body.UNTIL_CLOSE, 0),
    ],
)
def test_how_an_answer_ends(method: str, raw: bytes, body: Body, length: int) -> None:
    messages = Messages()
    messages.push(raw)
    head = messages.response(method)
    assert head is not None
    assert (head.body, head.length) == (body, length)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 2000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"a" * (HEAD_LIMIT + 1),
    ],
)
def test_what_is_not_unambiguous_is_not_read(raw: bytes) -> None:
    with pytest.raises(NotHttpError):
        requests_in([raw])


@pytest.mark.parametrize(
    "raw", [b"HTTP/2 200\r\n\r\n", b"SSH-2.0-x", b"HTTP/1.1 99 x\r\n\r\n", b"\x4a\x00\x00\x00\x0a"]
)
def test_what_is_no_answer_is_not_waited_for(raw: bytes) -> None:
    messages = Messages()
    messages.push(raw)
    with pytest.raises(NotHttpError):
        messages.response("GET")


@pytest.mark.parametrize("at", range(1, len(GET)))
def test_a_head_in_parts_is_waited_for(at: int) -> None:
    assert requests_in([GET[:at], GET[at:]])[1] == ["/a?b=c"]


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_bytes_do_more_than_be_refused(chunks: list[bytes]) -> None:
    try:
        out, _, _ = requests_in(chunks)
    except NotHttpError:
        return
    assert out == b"".join(chunks)


def test_mutations_of_messages_end_in_bytes_or_refusal_and_in_bounded_time() -> None:
    rng = random.Random(5)
    seeds = [GET, POST, CHUNKED, GET + POST, CHUNKED * 3]
    began = time.process_time()
    for _ in range(2000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 3)] = rng.choice(
                [b"", b"\r", b"\n", b"\r\n", b"0", b"\0", b" " * 300, b":", data[:at]]
            )
        cut = rng.randrange(len(data) + 1)
        try:
            out, _, _ = requests_in([bytes(data[:cut]), bytes(data[cut:])])
        except NotHttpError:
            continue
        assert out == bytes(data)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nContent-Length:" + b" " * 60_000 + b"x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 15_000 + b"\r\n",
        b"GET /" + b"a" * 60_000,
    ],
)
def test_the_longest_head_takes_no_time(raw: bytes) -> None:
    began = time.process_time()
    for _ in range(5):
        messages = Messages()
        messages.push(raw)
        with suppress(NotHttpError):
            messages.request()
    assert time.process_time() - began < 2, "a head must not cost the square of its length"


def test_fields_are_set_and_removed() -> None:
    raw = b"HTTP/1.1 200 OK\r\nA: 1\r\nb: 2\r\nC: 3\r\na: 4\r\n\r\n"
    changed = with_fields(raw, {"B": "9"}, ("a",))
    assert changed == b"HTTP/1.1 200 OK\r\nC: 3\r\nB: 9\r\n\r\n"
    assert REQUEST_START.match(GET)
    assert not REQUEST_START.match(ANSWER)
