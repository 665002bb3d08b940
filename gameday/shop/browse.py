"""How the front lists products: from the catalog, from a cache that a switch turns off, or from the last good list."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, TypeAlias

from gameday.shop.client import Unavailable
from gameday.shop.http import Request, Response
from gameday.shop.metrics import Metrics

Ask: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
"""Asks a service; raises Unavailable when there is no usable answer."""
_ASK = Request(method="GET", path="/products")


class Shared:
    """Whoever asks while a call is under way waits for the answer of that call (single flight)."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._call: asyncio.Task[Response] | None = None

    async def ask(self, request: Request) -> Response:
        """Return the answer of the call that is under way, or of a new one."""
        if self._call is None or self._call.done():
            self._call = asyncio.create_task(self._ask(request))
        return await asyncio.shield(self._call)


class Browse:
    """The catalog's answer; for ``fresh`` seconds its last one, while the cache is on; with ``stale`` its last good one instead of none."""

    def __init__(self, ask: Ask, *, fresh: float | None, stale: bool, metrics: Metrics) -> None:
        self._ask = ask
        self._fresh = fresh
        self._stale = stale
        self._metrics = metrics
        self._last: Response | None = None
        self._answered_at = 0.0
        self._on = fresh is not None

    async def products(self, _: Request) -> Response:
        """List what is for sale: 200, or 503 when the catalog does not answer and nothing may stand in for it."""
        if self._last is not None and self._on and time.monotonic() - self._answered_at < (self._fresh or 0):
            self._metrics.count("shop_cache_hits_total")
            return self._last
        try:
            answer = await self._ask(_ASK)
        except Unavailable:
            return self._instead()
        response = Response(status=answer.status, body=answer.body)
        if response.status == HTTPStatus.OK:
            self._last, self._answered_at = response, time.monotonic()
        return response

    async def cache_on(self, _: Request) -> Response:
        """Answer from the cache; again, it changes nothing. 409 when the shop was started without one."""
        if self._fresh is None:
            return Response.of(HTTPStatus.CONFLICT, error="there is no cache; start the front with --catalog-cache 2s")
        self._on = True
        return Response.of(HTTPStatus.OK, cache=True)

    async def cache_off(self, _: Request) -> Response:
        """Ask the catalog every time; again, it changes nothing."""
        self._on = False
        return Response.of(HTTPStatus.OK, cache=False)

    async def show_cache(self, _: Request) -> Response:
        """Say whether the cache is on."""
        return Response.of(HTTPStatus.OK, cache=self._on)

    def _instead(self) -> Response:
        if not self._stale or self._last is None:
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="the catalog does not answer")
        self._metrics.count("shop_fallbacks_total", dependency="catalog", kind="cache")
        return Response(status=HTTPStatus.OK, body=self._last.body, headers={"x-shop-stale": "1"})
