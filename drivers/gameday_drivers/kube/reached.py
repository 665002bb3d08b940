"""Whether something in the cluster can be reached from here: by a connection, or by an answer where a connection says nothing."""

from __future__ import annotations

import re
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

from gameday.spi import DriverError, Secrets
from gameday_drivers.http_exchange import Asked, ExchangeError, exchange

REACH_SECONDS = 1.0
"""What is not made or answered within this time is not reached."""
_ADDRESS = re.compile(r"([^\s:/]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})")
_URL = re.compile(r"https?://[^\s@/]+(/\S*)?")


def is_reachable_name(address: str) -> bool:
    """Whether it is HOST:PORT or a URL without a user in it."""
    return bool(_ADDRESS.fullmatch(address) or _URL.fullmatch(address))


def is_reached(address: str) -> bool:
    """Measure whether HOST:PORT takes connections, or a URL is answered by less than 500; DriverError without such a host.

    Load balancers and port forwards take connections for pods that cannot be reached; only an answer comes from the pods,
    and their own 502 to 504 does not.
    """
    try:
        if _URL.fullmatch(address):
            return _is_answered(address)
        host, _, port = address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS):
            return True
    except socket.gaierror as error:
        raise DriverError(f"there is no host for {address}") from error
    except (OSError, OverflowError):
        return False


def _is_answered(url: str) -> bool:
    socket.getaddrinfo(urlsplit(url).hostname, None)  # a name that is not known now is no proof of anything
    try:
        answer = exchange(Asked(method="GET", url=url), timeout=REACH_SECONDS, secrets=Secrets())
    except ExchangeError:
        return False
    return answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
