"""Which request reaches which handler, and which are turned away first: browsers, strangers, and the late writes of a run."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from gameday.proxy import ownership, toxiproxy
from gameday.proxy.errors import RefusedError
from gameday.proxy.proxies import Proxies
from gameday.proxy.wire import Head, Reply, Request, failure

Handler = Callable[[Proxies, Request], Reply]


class Effect(Enum):
    """What a request does to the proxies, which decides whether it is still allowed when the run is over."""

    READ = auto()
    SET = auto()
    """RefusedError then: a fault must not come back."""
    UNDO = auto()
    """Allowed always: a late revert must succeed."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path; ``*`` stands for any one segment, which the handler gets."""

    method: str
    path: str
    effect: Effect
    handler: Handler

    def match(self, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what stood for each ``*``, or None when it is another path."""
        pattern = self.path.split("/")
        if len(pattern) != len(path) or any(want not in ("*", got) for want, got in zip(pattern, path, strict=True)):
            return None
        return tuple(got for want, got in zip(pattern, path, strict=True) if want == "*")


ROUTES = (
    Route("GET", "version", Effect.READ, toxiproxy.version),
    Route("GET", "proxies", Effect.READ, toxiproxy.list_proxies),
    Route("POST", "proxies", Effect.SET, toxiproxy.create_proxy),
    Route("POST", "populate", Effect.SET, toxiproxy.populate),
    Route("GET", "proxies/*", Effect.READ, toxiproxy.show_proxy),
    Route("POST", "proxies/*", Effect.UNDO, toxiproxy.update_proxy),
    Route("PATCH", "proxies/*", Effect.UNDO, toxiproxy.update_proxy),
    Route("DELETE", "proxies/*", Effect.SET, toxiproxy.delete_proxy),
    Route("GET", "proxies/*/toxics", Effect.READ, toxiproxy.list_toxics),
    Route("POST", "proxies/*/toxics", Effect.SET, toxiproxy.create_toxic),
    Route("GET", "proxies/*/toxics/*", Effect.READ, toxiproxy.show_toxic),
    Route("POST", "proxies/*/toxics/*", Effect.SET, toxiproxy.update_toxic),
    Route("PATCH", "proxies/*/toxics/*", Effect.SET, toxiproxy.update_toxic),
    Route("DELETE", "proxies/*/toxics/*", Effect.UNDO, toxiproxy.delete_toxic),
    Route("POST", "reset", Effect.UNDO, toxiproxy.reset),
    Route("GET", "metrics", Effect.READ, ownership.show_metrics),
    Route("GET", "gameday", Effect.READ, ownership.show_run),
    Route("GET", "gameday/proxies/*", Effect.READ, ownership.show_account),
    Route("POST", "gameday/proxies/*/down/*", Effect.SET, ownership.hold_down),
    Route("DELETE", "gameday/proxies/*/down/*", Effect.UNDO, ownership.release),
    Route("POST", "gameday/proxies/*/*/*/lease", Effect.SET, ownership.renew),
    Route("POST", "gameday/proxies/*/probes/*", Effect.READ, ownership.expect_probe),
    Route("DELETE", "gameday/proxies/*/probes/*", Effect.READ, ownership.forget_probe),
    Route("POST", "gameday/end", Effect.UNDO, ownership.end),
)


class Api:
    """Answers requests on behalf of some proxies; nothing a client sends makes it raise."""

    def __init__(self, proxies: Proxies, token: str = "") -> None:
        self._proxies = proxies
        self._token = token.encode()

    def admit(self, head: Head) -> None:
        """Turn away browsers (any page can send them here) and whoever lacks the token; raises RefusedError."""
        if head.headers.get("user-agent", "").startswith("Mozilla/") or "origin" in head.headers:
            raise RefusedError(403, "User agent not allowed", plain=True)
        if self._token:
            scheme, _, given = head.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode("latin-1"), self._token):
                raise RefusedError(401, "token required")

    def answer(self, request: Request) -> Reply:
        """Answer a request that was admitted."""
        try:
            route, args = _route(request.head)
            if self._proxies.over.is_set() and route.effect is Effect.SET:
                return failure(RefusedError(409, "run is over"))
            return route.handler(self._proxies, replace(request, args=args))
        except RefusedError as error:
            return failure(error)


def _not_found(head: Head) -> RefusedError:
    """Say it as Toxiproxy does, but on our own paths in a way that tells us from it."""
    if head.path[0] == "gameday":
        return RefusedError(404, "not found")
    return RefusedError(404, "404 page not found", plain=True)


def _route(head: Head) -> tuple[Route, tuple[str, ...]]:
    found = [(route, args) for route in ROUTES if (args := route.match(head.path)) is not None]
    for route, args in found:
        if route.method == head.method:
            return route, args
    if found:
        raise RefusedError(405, "", plain=True)
    raise _not_found(head)
