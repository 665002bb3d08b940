"""The configuration that whoever starts a proxy process writes to its stdin: one line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from gameday.proxy.address import Address, parse_listen
from gameday.proxy.spec import ProxySpec, read_spec

CONFIG_LIMIT = 1024 * 1024
"""Bytes of that line."""
LINGER_MS = 60_000
LOOPS = ("asyncio", "uvloop", "auto")
"""``auto`` is uvloop where it is installed."""
_KEYS = frozenset({"proxies", "control", "token", "run", "max_ms", "linger_ms", "seed", "loop"})


class ConfigError(Exception):
    """The configuration cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a proxy process is told at its start."""

    proxies: tuple[ProxySpec, ...]
    control: Address
    token: str
    """What the control port asks for; empty asks for nothing."""
    run: str
    max_ms: int | None
    """The longest the run can last; ten minutes later this process ends, whatever is open."""
    linger_ms: int
    """After a lost run: how long no connection must have been open before this process ends."""
    seed: int | None
    """Of jitter and toxicity."""
    loop: str = "asyncio"
    """One of LOOPS."""


def parse_config(line: bytes) -> Config:
    """Read the configuration; raise ConfigError."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the configuration is not one line of JSON: {error}") from error
    fields = _fields(raw, "the configuration")
    unknown = sorted(set(fields) - _KEYS)
    if unknown:
        raise ConfigError(f"the configuration has an unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    token = _text(fields, "token")
    linger = _whole(fields, "linger_ms")
    loop = _text(fields, "loop") or "asyncio"
    if loop not in LOOPS:
        raise ConfigError(f"loop is one of {', '.join(LOOPS)}")
    return Config(
        proxies=read_proxies(fields.get("proxies", []), strict=True),
        control=read_control(fields.get("control", ""), token),
        token=token,
        run=_text(fields, "run"),
        max_ms=_whole(fields, "max_ms"),
        linger_ms=LINGER_MS if linger is None else linger,
        seed=_whole(fields, "seed"),
        loop=loop,
    )


def read_control(text: object, token: str) -> Address:
    """Read the address of the control port; raise ConfigError, also when strangers could reach it without a token."""
    try:
        address = parse_listen(text)
    except ValueError as error:
        raise ConfigError(f"control: {error}") from error
    if not address.loopback and not token:
        raise ConfigError(f"control: other machines can reach {address}; give a token")
    return address


def read_proxies(raw: object, *, strict: bool) -> tuple[ProxySpec, ...]:
    """Read a list of proxies, as Toxiproxy's configuration file has it; raise ConfigError."""
    if not isinstance(raw, list):
        raise ConfigError("proxies is not a list")
    try:
        return tuple(read_spec(_fields(entry, "a proxy"), strict=strict) for entry in cast("list[object]", raw))
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _fields(raw: object, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ConfigError(f"{what} is not a JSON object")
    return cast("dict[str, Any]", raw)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ConfigError(f"{name} is not text")
    return value


def _whole(fields: dict[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ConfigError(f"{name} is not a whole number, zero or more")
    return value
