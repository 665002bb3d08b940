"""Measure whether a port is up by connecting to it, from an address that is known before, so that it can be announced."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

from gameday.spi import DriverError

_CONNECT_SECONDS = 1.0
_SILENCE_SECONDS = 0.3
"""A port that takes a connection and does not reset it for this long is up."""


class Knock(Enum):
    """What a connection met."""

    ACCEPTED = auto()
    REFUSED = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A socket that will connect from ``origin``."""

    sock: socket.socket
    address: Any
    origin: str
    """``HOST:PORT``, as the other side will see it."""

    def knock(self) -> Knock:
        """Connect; raise DriverError when there is no answer at all."""
        try:
            self.sock.settimeout(_CONNECT_SECONDS)
            self.sock.connect(self.address)
        except ConnectionRefusedError:
            return Knock.REFUSED
        except ConnectionResetError:
            return Knock.RESET
        except OSError as error:
            raise DriverError(f"no answer from {self.address[0]} port {self.address[1]}: {error}") from error
        try:
            self.sock.settimeout(_SILENCE_SECONDS)
            self.sock.recv(1)
        except ConnectionResetError:
            return Knock.RESET
        except TimeoutError:
            pass
        return Knock.ACCEPTED


@contextmanager
def door(listen: str, control: str) -> Generator[Door]:
    """Yield a door to ``listen``; one that listens on every interface is knocked at the control port's host."""
    try:
        family, address = _resolve(listen, control)
        with socket.socket(family, socket.SOCK_DGRAM) as scout:
            scout.connect(address)  # sends nothing: it only asks which of our addresses leads there
            host = scout.getsockname()[0]
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, 0))
            port = sock.getsockname()[1]
            yield Door(sock=sock, address=address, origin=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except OSError as error:
        raise DriverError(f"cannot connect to {listen}: {error}") from error


def _resolve(listen: str, control: str) -> tuple[socket.AddressFamily, Any]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or _everywhere(host):
        host = urlsplit(control).hostname or ""
    if not port.isdecimal():
        raise DriverError(f"not an address: {listen!r}")
    family, _, _, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    return family, address


def _everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
