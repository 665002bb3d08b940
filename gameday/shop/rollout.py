"""A canary: a new version of a service that gets a share of the calls, until it is rolled back by hand or by its breaker."""

from __future__ import annotations

from http import HTTPStatus

from gameday.shop.client import Unavailable
from gameday.shop.dependency import Dependency
from gameday.shop.http import ProtocolError, Request, Response
from gameday.shop.metrics import Metrics


class Rollout:
    """Sends ``percent`` of the calls to the canary, evenly spread, and the rest to the stable version.

    While the canary's breaker is open, all go to the stable one.
    """

    def __init__(self, stable: Dependency, canary: Dependency | None, metrics: Metrics) -> None:
        self._stable = stable
        self._canary = canary
        self._percent = 0
        self._calls = 0
        if canary is not None:
            metrics.gauge("shop_canary_percent", lambda: self._percent)

    async def call(self, request: Request) -> Response:
        """Ask one of the two; raise Unavailable when that one gives no usable answer."""
        self._calls += 1
        if self._canary is None or self._calls * self._percent % 100 >= self._percent:
            return await self._stable.call(request)
        try:
            return await self._canary.call(request)
        except Unavailable as error:
            if error.kind != "open":
                raise
            return await self._stable.call(request)

    async def roll_out(self, request: Request) -> Response:
        """Give the canary a share: ``{"percent": 20}``; again, it changes nothing. 409 when there is none."""
        percent = request.json().get("percent")
        if not isinstance(percent, int) or not 0 < percent <= 100:  # noqa: PLR2004 - percent
            raise ProtocolError(HTTPStatus.BAD_REQUEST, "percent must be a whole number from 1 to 100")
        if self._canary is None:
            return Response.of(HTTPStatus.CONFLICT, error="there is no canary; start the front with --canary URL")
        self._percent = percent
        return Response.of(HTTPStatus.OK, percent=percent)

    async def roll_back(self, _: Request) -> Response:
        """Send everything to the stable version; again, it changes nothing."""
        self._percent = 0
        return Response.of(HTTPStatus.OK, percent=0)

    async def show(self, _: Request) -> Response:
        """Say what share the canary has: 200, or 404 when it has none."""
        return Response.of(HTTPStatus.OK if self._percent else HTTPStatus.NOT_FOUND, percent=self._percent)
