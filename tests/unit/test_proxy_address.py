from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.proxy.address import Address, parse_address, parse_listen


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_an_address_reads_back_what_it_writes(host: object, port: int) -> None:
    address = Address(str(host), port)
    assert parse_address(str(address)) == address
    assert parse_listen(str(address)) == address


@given(st.text() | st.none() | st.integers())
def test_anything_else_is_a_value_error(text: object) -> None:
    for parse in (parse_address, parse_listen):
        with suppress(ValueError):
            parse(text)


@pytest.mark.parametrize(
    "text", ["", ":", ":80", "host", "host:", "host:65536", "host:-1", "ho st:1", "[::1:1", None, 9]
)
def test_an_upstream_needs_host_and_port(text: object) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "means"),
    [("", "127.0.0.1:0"), (":9102", "127.0.0.1:9102"), ("localhost:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2")],
)
def test_nothing_listens_beyond_this_machine_unless_told(text: str, means: str) -> None:
    address = parse_listen(text)
    assert str(address) == means
    assert address.loopback
    assert not parse_listen("0.0.0.0:1").loopback


def test_a_name_is_no_address_to_listen_on() -> None:
    assert parse_address("payments.internal:1").host == "payments.internal"
    with pytest.raises(ValueError, match="cannot listen"):
        parse_listen("payments.internal:1")
