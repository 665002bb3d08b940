"""The worker: makes payments later that could not be made at once. ``POST /jobs {"order": …, "sku": …}``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus

from gameday.shop.client import Unavailable
from gameday.shop.dependency import Dependency
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import add_dependency, dependency, duration, number, parser
from gameday.shop.orders import Order, read_order
from gameday.shop.service import Service, run

FIRST_WAIT = 0.1
LONGEST_WAIT = 1.0
"""Seconds between attempts to deliver one payment: the wait doubles up to the longest."""


class Worker:
    """A bounded queue in memory, and what drains it."""

    def __init__(self, payments: Dependency, capacity: int, metrics: Metrics, log: Log) -> None:
        self._payments = payments
        self._capacity = capacity
        self._metrics = metrics
        self._log = log
        self._queue: asyncio.Queue[Order] = asyncio.Queue()
        self._undelivered = 0
        metrics.gauge("payment_queue_depth", lambda: self._undelivered)

    async def accept(self, request: Request) -> Response:
        """Queue a payment: 202, or 503 while the queue is full."""
        order = read_order(request)
        if self._undelivered >= self._capacity:
            self._metrics.count("shop_jobs_rejected_total", why="full")
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="the queue is full")
        self._undelivered += 1
        self._queue.put_nowait(order)
        return Response.of(HTTPStatus.ACCEPTED, order=order.order, status="queued")

    async def drain(self) -> None:
        """Deliver one payment after the other, for ever."""
        while True:
            await self._deliver(await self._queue.get())
            self._undelivered -= 1

    async def _deliver(self, order: Order) -> None:
        wait = FIRST_WAIT
        while not await self._settled(order):
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _settled(self, order: Order) -> bool:
        """Try once; return whether there is nothing left to do for this order."""
        try:
            response = await self._payments.call(order.post("/charges"))
        except Unavailable:
            return False
        if response.status == HTTPStatus.OK:
            self._metrics.count("shop_jobs_delivered_total")
        else:
            self._metrics.count("shop_jobs_rejected_total", why="refused")
            self._log.warning("payment-refused", order=order.order, status=response.status)
        return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve and deliver until told to end."""
    options = parser("worker", "Makes payments later.")
    options.add_argument(
        "--capacity", type=number, default=10_000, metavar="N", help="payments that may wait (default %(default)s)"
    )
    options.add_argument(
        "--consumers", type=number, default=4, metavar="N", help="payments made at a time (default %(default)s)"
    )
    options.add_argument(
        "--boot", type=duration, default=0.0, metavar="1s", help="time to start, before it listens (default: none)"
    )
    add_dependency(options, "payments")
    chosen = options.parse_args(arguments)
    time.sleep(chosen.boot)
    metrics, log = Metrics(), Log("worker")
    worker = Worker(dependency(chosen, "payments", metrics, log), chosen.capacity, metrics, log)
    service = Service({("POST", "/jobs"): worker.accept}, metrics)
    run(service, host=chosen.host, port=chosen.port, log=log, background=(worker.drain,) * chosen.consumers)


if __name__ == "__main__":
    main()
