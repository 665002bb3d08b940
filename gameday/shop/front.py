"""The front: what customers talk to. ``GET /products`` asks catalog, ``POST /checkout {"sku": …}`` asks payments.

``GET``, ``PUT`` and ``DELETE`` of ``/cache`` show the cache of products, turn it on and off; of ``/canary`` show what share of
the catalog's calls goes to its new version, roll that out (``{"percent": 20}``) and back.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Sequence
from http import HTTPStatus

from gameday.shop.browse import Browse, Shared
from gameday.shop.client import Unavailable
from gameday.shop.dependency import Dependency
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import add_dependency, dependency, parser, timeout
from gameday.shop.orders import Order, read_order
from gameday.shop.rollout import Rollout
from gameday.shop.service import Routes, Service, run


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
    add_dependency(options, "canary", required=False)
    options.add_argument(
        "--catalog-cache",
        type=timeout,
        default=None,
        metavar="2s",
        help="answer from the last list for so long (default: none)",
    )
    options.add_argument(
        "--catalog-share",
        choices=("no", "yes"),
        default="no",
        help="whoever asks while a call is under way shares its answer (default: %(default)s)",
    )
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
    rollout = Rollout(catalog, dependency(chosen, "canary", metrics, log) if chosen.canary else None, metrics)
    ask = Shared(rollout.call).ask if chosen.catalog_share == "yes" else rollout.call
    browse = Browse(ask, fresh=chosen.catalog_cache, stale=chosen.catalog_fallback == "cache", metrics=metrics)
    checkout = Checkout(payments, queue=worker if chosen.payments_fallback == "queue" else None, metrics=metrics)
    routes: Routes = {
        ("GET", "/products"): browse.products,
        ("POST", "/checkout"): checkout.checkout,
        ("GET", "/cache"): browse.show_cache,
        ("PUT", "/cache"): browse.cache_on,
        ("DELETE", "/cache"): browse.cache_off,
        ("GET", "/canary"): rollout.show,
        ("PUT", "/canary"): rollout.roll_out,
        ("DELETE", "/canary"): rollout.roll_back,
    }
    run(Service(routes, metrics), host=chosen.host, port=chosen.port, log=log)


if __name__ == "__main__":
    main()
