"""The configuration that whoever starts a proxy process writes to its stdin: one line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from gameday.proxy.address import Address, parse_listen

CONFIG_LIMIT = 1024 * 1024
"""Bytes of that line."""
LINGER_MS = 60_000
_KEYS = frozenset({"proxies", "control", "token", "run", "max_ms", "linger_ms", "seed"})
_PROXY_KEYS = frozenset({"name", "listen", "upstream"})


class ConfigError(Exception):
    """The configuration cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a proxy process is told at its start."""

    proxies: tuple[tuple[str, str, str], ...]
    """(name, listen, upstream) of each."""
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


def parse_config(line: bytes) -> Config:
    """Read the configuration; raise ConfigError."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the configuration is not one line of JSON: {error}") from error
    fields = _fields(raw, _KEYS, "the configuration")
    token = _text(fields, "token")
    linger = _whole(fields, "linger_ms")
    return Config(
        proxies=_proxies(fields.get("proxies", [])),
        control=_control(fields.get("control", ""), token),
        token=token,
        run=_text(fields, "run"),
        max_ms=_whole(fields, "max_ms"),
        linger_ms=LINGER_MS if linger is None else linger,
        seed=_whole(fields, "seed"),
    )


def _control(text: object, token: str) -> Address:
    try:
        address = parse_listen(text)
    except ValueError as error:
        raise ConfigError(f"control: {error}") from error
    if not address.loopback and not token:
        raise ConfigError(f"control: other machines can reach {address}; give a token")
    return address


def _proxies(raw: object) -> tuple[tuple[str, str, str], ...]:
    if not isinstance(raw, list):
        raise ConfigError("proxies is not a list")
    listed = cast("list[object]", raw)
    entries = [_fields(entry, _PROXY_KEYS, "a proxy") for entry in listed]
    return tuple((_text(entry, "name"), _text(entry, "listen"), _text(entry, "upstream")) for entry in entries)


def _fields(raw: object, known: frozenset[str], what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ConfigError(f"{what} is not a JSON object")
    fields = cast("dict[str, Any]", raw)
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ConfigError(f"{what} has an unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return fields


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
