from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.proxy.config import LINGER_MS, ConfigError, parse_config
from gameday.proxy.spec import ProxySpec

WHOLE: dict[str, Any] = {
    "proxies": [{"name": "payments", "listen": "127.0.0.1:9102", "upstream": "127.0.0.1:9002"}],
    "control": "127.0.0.1:0",
    "token": "t",
    "run": "r1",
    "max_ms": 1000,
    "linger_ms": 0,
    "seed": 7,
}


def test_a_configuration_is_read_and_has_defaults() -> None:
    config = parse_config(json.dumps(WHOLE).encode())
    assert config.proxies == (ProxySpec(name="payments", listen="127.0.0.1:9102", upstream="127.0.0.1:9002"),)
    assert (config.token, config.run, config.max_ms, config.linger_ms, config.seed) == ("t", "r1", 1000, 0, 7)
    bare = parse_config(b"{}")
    assert (bare.proxies, str(bare.control), bare.max_ms, bare.linger_ms) == ((), "127.0.0.1:0", None, LINGER_MS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"proxys": []}, "unknown key 'proxys'"),
        ({"proxies": {}}, "not a list"),
        ({"proxies": [1]}, "not a JSON object"),
        ({"proxies": [{"name": 1}]}, "name is not text"),
        ({"max_ms": -1}, "max_ms"),
        ({"linger_ms": True}, "linger_ms"),
        ({"control": "nowhere:1"}, "control: cannot listen"),
        ({"control": "0.0.0.0:8474", "token": ""}, "give a token"),
    ],
)
def test_what_cannot_be_used_is_told(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_config(json.dumps({**WHOLE, **change}).encode())


def test_other_machines_are_let_in_with_a_token_only() -> None:
    assert not parse_config(json.dumps({**WHOLE, "control": "0.0.0.0:8474"}).encode()).control.loopback


@given(st.binary(max_size=100))
def test_no_bytes_do_more_than_be_refused(line: bytes) -> None:
    with suppress(ConfigError):
        parse_config(line)
