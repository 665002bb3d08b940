"""No request of a locustfile leaves for a host that may not be loaded, not by a redirect either. Load child only.

Both of Locust's HTTP clients are stopped where each exchange begins: a refused one is the generator's failure, so that the run
proves nothing, and its message names the host. Clients of other kinds are the locustfile's own business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from locust.clients import HttpSession
from locust.contrib.fasthttp import LocustUserAgent
from requests.exceptions import ConnectionError as RequestsError

from gameday.load.hosts import HostRefusedError, may_load


def guard_hosts(patterns: Sequence[str]) -> None:
    """Let both clients of this process send only to hosts that match."""
    sessions: Any = HttpSession
    agents: Any = LocustUserAgent
    send, open_url = sessions.send, agents._urlopen  # noqa: SLF001 - where each begins an exchange

    def guarded_send(session: Any, request: Any, **kwargs: Any) -> Any:
        try:
            _check(str(request.url), patterns)
        except HostRefusedError as error:
            raise RequestsError(error) from error  # what HttpUser takes for one that failed
        return send(session, request, **kwargs)

    def guarded_open(agent: Any, request: Any) -> Any:
        _check(str(request.url), patterns)
        return open_url(agent, request)

    sessions.send, agents._urlopen = guarded_send, guarded_open  # noqa: SLF001 - as above


def _check(url: str, patterns: Sequence[str]) -> None:
    host = urlsplit(url).hostname or ""
    if not may_load(host, patterns):
        raise HostRefusedError(host)
