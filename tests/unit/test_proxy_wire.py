from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.proxy.errors import RefusedError
from gameday.proxy.wire import BODY_LIMIT, Head, Reply, Request, parse_head

HEAD = b"POST /proxies/a%2Fb?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nAuthorization:  Bearer t "


def test_a_request_is_read() -> None:
    assert parse_head(HEAD) == Head(
        method="POST",
        path=("proxies", "a/b"),
        headers={"host": "h", "content-length": "3", "authorization": "Bearer t"},
        length=3,
        keep_alive=True,
    )
    assert not parse_head(HEAD + b"\r\nConnection: close").keep_alive
    assert not parse_head(b"GET / HTTP/1.0").keep_alive


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"G@T / HTTP/1.1", 400),
        (b"GET version HTTP/1.1", 400),
        (b"GET /\xff HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 505),
        (b"GET / HTTP/1.1\r\nno colon", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n folded", 400),
        (b"GET / HTTP/1.1\r\nHost : h", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip", 411),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2", 411),
        (b"GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b", 400),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as told:
        parse_head(raw)
    assert told.value.status == status


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda junk: HEAD[: len(junk)] + junk + HEAD[len(junk) :]))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    with suppress(RefusedError):
        assert 0 <= parse_head(raw).length <= BODY_LIMIT


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b"1" * 10_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError, match="bad request body"):
        Request(head=parse_head(HEAD), body=body).fields()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_a_reply_is_framed_by_its_length(content: dict[str, object]) -> None:
    head, _, body = Reply(content=content).encode(keep_alive=True).partition(b"\r\n\r\n")
    assert json.loads(body) == content
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")


def test_a_reply_without_content_has_no_body() -> None:
    assert Reply(status=204).encode(keep_alive=False) == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
