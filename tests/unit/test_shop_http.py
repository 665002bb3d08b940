"""The wire of the shop: what it reads, and what it refuses to read."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.shop.client import Client
from gameday.shop.http import (
    MAX_BODY,
    MAX_HEAD,
    ProtocolError,
    Request,
    Response,
    encode_request,
    encode_response,
    keeps_alive,
    read_request,
    read_response,
)


def request_from(raw: bytes) -> Request | None:
    async def read() -> Request | None:
        reader = asyncio.StreamReader(limit=MAX_HEAD)
        reader.feed_data(raw)
        reader.feed_eof()
        return await read_request(reader)

    return asyncio.run(read())


def response_from(raw: bytes) -> Response:
    async def read() -> Response:
        reader = asyncio.StreamReader(limit=MAX_HEAD)
        reader.feed_data(raw)
        reader.feed_eof()
        return await read_response(reader)

    return asyncio.run(read())


@given(st.binary(max_size=400))
def test_a_request_comes_out_as_it_went_in(body: bytes) -> None:
    sent = Request(method="POST", path="/jobs", headers={"x-a": "b: c"}, body=body)
    got = request_from(encode_request(sent, "127.0.0.1:1"))
    assert got is not None
    assert (got.method, got.path, got.body, got.headers["x-a"]) == ("POST", "/jobs", body, "b: c")


@given(st.binary(max_size=400), st.integers(100, 599))
def test_an_answer_comes_out_as_it_went_in(body: bytes, status: int) -> None:
    got = response_from(encode_response(Response(status=status, body=body, content_type="text/plain"), close=True))
    assert (got.status, got.body, got.content_type) == (status, body, "text/plain")
    assert not keeps_alive(got.headers)


def test_the_end_of_the_connection_is_not_an_error_but_half_a_request_is() -> None:
    assert request_from(b"") is None
    for raw in (b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"):
        with pytest.raises(ConnectionResetError):
            request_from(raw)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\nx", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (f"POST / HTTP/1.1\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode(), 413),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_HEAD + b"\r\n\r\n", 431),
    ],
)
def test_what_is_refused(raw: bytes, status: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        request_from(raw)
    assert refused.value.status == status


@given(st.binary(max_size=200))
def test_hostile_bytes_never_raise_anything_else(raw: bytes) -> None:
    for tail in (b"", b"\r\n\r\n"):
        with suppress(ProtocolError, ConnectionResetError):
            request_from(raw + tail)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_only_a_json_object_is_a_body(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        Request(method="POST", path="/", body=body).json()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80", "http://", "http://a/path"])
def test_a_client_needs_a_base_url(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Client(url)
