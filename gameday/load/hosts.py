"""Which hosts may be loaded: the target's own, or those that ``load.allow_hosts`` names, whoever sends the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit


class HostRefusedError(ConnectionError):
    """A request to a host that may not be loaded; FastHttp takes it for one that failed."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host or 'this URL'} may not be loaded; if it may, list it under load.allow_hosts")


def host_patterns(config: Mapping[str, Any]) -> list[str]:
    """Return the patterns of hosts that a load's configuration allows, in lower case."""
    allowed = config["allow_hosts"]
    return (
        [urlsplit(str(config["target"])).hostname or ""] if allowed is None else [str(one).lower() for one in allowed]
    )


def may_load(host: str, patterns: Sequence[str]) -> bool:
    """Whether a host is one of those."""
    return any(fnmatchcase(host.lower(), pattern) for pattern in patterns)
