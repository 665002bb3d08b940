"""Addresses as files, command lines and the Toxiproxy API write them: ``HOST:PORT``, IPv6 in brackets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]{0,253})):(?P<port>[0-9]{1,5})")
_LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65_535
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Address:
    """One end of TCP connections; its text is what parse_address reads."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ipaddress.ip_address(self.host).is_loopback


def parse_address(text: object) -> Address:
    """Read an upstream; raise ValueError that says what would do."""
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match["port"]) > _HIGHEST_PORT or not (match["v6"] or match["host"]):
        raise ValueError(f"not an address: {_shown(text)}; write HOST:PORT")
    if match["v6"] is not None:
        return Address(str(ipaddress.IPv6Address(match["v6"])), int(match["port"]))
    return Address(match["host"], int(match["port"]))


def parse_listen(text: object) -> Address:
    """Read an address to listen on: an IP address or ``localhost``; no host means loopback, never every interface.

    Raises ValueError. Names are not looked up: a listening address is this machine's own.
    """
    if isinstance(text, str) and (text == "" or text.startswith(":")):
        text = _LOOPBACK + (text or ":0")
    address = parse_address(text)
    if address.host == "localhost":
        return Address(_LOOPBACK, address.port)
    try:
        ipaddress.ip_address(address.host)
    except ValueError:
        raise ValueError(f"cannot listen on {_shown(text)}; write an IP address or localhost") from None
    return address


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
