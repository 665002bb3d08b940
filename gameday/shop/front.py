"""The front: what customers talk to. ``GET /products`` asks catalog, ``POST /checkout {"sku": …}`` asks payments."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Sequence
from http import HTTPStatus

from gameday.shop.client import Unavailable
from gameday.shop.dependency import Dependency
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import add_dependency, dependency, parser
from gameday.shop.orders import Order, read_order
from gameday.shop.service import Service, run


class Browse:
    """The catalog's answer, or with ``cache`` its last good one."""

    def __init__(self, catalog: Dependency, *, cache: bool, metrics: Metrics) -> None:
        self._catalog = catalog
        self._cache = cache
        self._metrics = metrics
        self._last: Response | None = None

    async def products(self, _: Request) -> Response:
        """List what is for sale: 200, or 503 when the catalog does not answer and nothing may stand in for it."""
        try:
            answer = await self._catalog.call(Request(method="GET", path="/products"))
        except Unavailable:
            return self._stale()
        response = Response(status=answer.status, body=answer.body)
        if response.status == HTTPStatus.OK:
            self._last = response
        return response

    def _stale(self) -> Response:
        if not self._cache or self._last is None:
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="the catalog does not answer")
        self._metrics.count("shop_fallbacks_total", dependency="catalog", kind="cache")
        return Response(status=HTTPStatus.OK, body=self._last.body, headers={"x-shop-stale": "1"})


class Checkout:
    """Pays at once, or with a ``queue`` promises to pay later."""

    def __init__(self, payments: Dependency, *, queue: Dependency | None, metrics: Metrics) -> None:
        self._payments = payments
        self._queue = queue
        self._metrics = metrics

    async def checkout(self, request: Request) -> Response:
        """Buy one article: 200 paid, 202 queued, or 503 when neither is possible."""
        order = read_order(request, order=uuid.uuid4().hex)
        try:
            answer = await self._payments.call(order.post("/charges"))
        except Unavailable:
            return await self._pay_later(order)
        return Response(status=answer.status, body=answer.body)

    async def _pay_later(self, order: Order) -> Response:
        if self._queue is None:
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="payments does not answer")
        try:
            answer = await self._queue.call(order.post("/jobs"))
        except Unavailable:
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="neither payments nor the queue answers")
        self._metrics.count("shop_fallbacks_total", dependency="payments", kind="queue")
        return Response(status=answer.status, body=answer.body)


def _options() -> argparse.ArgumentParser:
    options = parser("front", "What customers talk to.")
    for name in ("catalog", "payments", "worker"):
        add_dependency(options, name)
    options.add_argument(
        "--catalog-fallback",
        choices=("none", "cache"),
        default="none",
        help="answer from the last good list (default: none)",
    )
    options.add_argument(
        "--payments-fallback",
        choices=("none", "queue"),
        default="none",
        help="let the worker pay later (default: none)",
    )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    chosen = _options().parse_args(arguments)
    metrics, log = Metrics(), Log("front")
    catalog, payments, worker = (dependency(chosen, name, metrics, log) for name in ("catalog", "payments", "worker"))
    browse = Browse(catalog, cache=chosen.catalog_fallback == "cache", metrics=metrics)
    checkout = Checkout(payments, queue=worker if chosen.payments_fallback == "queue" else None, metrics=metrics)
    service = Service({("GET", "/products"): browse.products, ("POST", "/checkout"): checkout.checkout}, metrics)
    run(service, host=chosen.host, port=chosen.port, log=log)


if __name__ == "__main__":
    main()
