"""Takes in webhooks and passes them on to payments. ``POST /webhooks {"order": …, "sku": …}``, ``POST /redrive``.

What cannot be delivered becomes a dead letter, which is kept, and put back into the queue on demand.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from gameday.shop.client import Unavailable
from gameday.shop.dependency import Dependency
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import add_dependency, dependency, duration, number, parser, timeout
from gameday.shop.orders import Order, read_order
from gameday.shop.service import Background, Service, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How many are kept, how hard the delivery of one webhook is tried, and what becomes of it then."""

    capacity: int
    """Those that wait and the dead letters together."""
    attempts: int
    backoff: float
    """Seconds between attempts."""
    keep: bool
    """Whether what cannot be delivered is kept as a dead letter; otherwise it is dropped, and lost."""


class Intake:
    """A queue in memory, what drains it, and the dead letters. The account of every webhook is kept: none may be lost."""

    def __init__(self, payments: Dependency, delivery: Delivery, metrics: Metrics, log: Log) -> None:
        self._payments = payments
        self._delivery = delivery
        self._metrics = metrics
        self._log = log
        self._queue: asyncio.Queue[Order] = asyncio.Queue()
        self._dead: deque[Order] = deque()
        self._taken = self._delivered = self._waiting = 0
        metrics.gauge("webhook_queue_depth", lambda: self._waiting)
        metrics.gauge("dead_letters", lambda: len(self._dead))
        metrics.gauge("webhooks_undelivered", lambda: self._waiting + len(self._dead))
        metrics.gauge("webhooks_lost", lambda: self._taken - self._delivered - self._waiting - len(self._dead))

    async def take(self, request: Request) -> Response:
        """Take one in: 202, or 503 when there is no room: whoever sends it keeps it then. Nobody waits for its delivery."""
        order = read_order(request)
        if self._waiting + len(self._dead) >= self._delivery.capacity:
            return Response.of(HTTPStatus.SERVICE_UNAVAILABLE, error="there is no room for more")
        self._taken += 1
        self._enqueue(order)
        return Response.of(HTTPStatus.ACCEPTED, order=order.order, status="taken")

    async def redrive(self, _: Request) -> Response:
        """Put the dead letters back into the queue: 200 with their number."""
        return Response.of(HTTPStatus.OK, redriven=self._redrive())

    async def drain(self) -> None:
        """Deliver one webhook after the other, for ever."""
        while True:
            order = await self._queue.get()
            if await self._deliver(order):
                self._delivered += 1
                self._metrics.count("shop_webhooks_total", outcome="delivered")
            else:
                self._give_up(order)
            self._waiting -= 1

    async def redrive_every(self, seconds: float) -> None:
        """Put the dead letters back into the queue again and again, for ever."""
        while True:
            await asyncio.sleep(seconds)
            self._redrive()

    def _enqueue(self, order: Order) -> None:
        self._waiting += 1
        self._queue.put_nowait(order)

    def _redrive(self) -> int:
        number = len(self._dead)
        while self._dead:
            self._enqueue(self._dead.popleft())
        return number

    def _give_up(self, order: Order) -> None:
        kept = self._delivery.keep
        if kept:
            self._dead.append(order)
        self._metrics.count("shop_webhooks_total", outcome="dead-letter" if kept else "dropped")
        self._log.warning("webhook-given-up", order=order.order, kept=kept)

    async def _deliver(self, order: Order) -> bool:
        for attempt in range(self._delivery.attempts):
            if attempt:
                await asyncio.sleep(self._delivery.backoff)
            try:
                return (await self._payments.call(order.post("/charges"))).status == HTTPStatus.OK
            except Unavailable:
                continue
        return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve and deliver until told to end."""
    options = parser("webhooks", "Takes in webhooks and passes them on.")
    options.add_argument(
        "--capacity", type=number, default=20_000, metavar="N", help="webhooks that may be kept (default %(default)s)"
    )
    options.add_argument(
        "--consumers", type=number, default=16, metavar="N", help="webhooks delivered at a time (default %(default)s)"
    )
    options.add_argument("--attempts", type=number, default=3, metavar="N", help="tries for each (default %(default)s)")
    options.add_argument(
        "--backoff", type=duration, default=0.1, metavar="100ms", help="between two tries (default 100ms)"
    )
    options.add_argument(
        "--dead-letters",
        choices=("keep", "drop"),
        default="keep",
        help="what becomes of what cannot be delivered (default %(default)s)",
    )
    options.add_argument(
        "--redrive",
        type=timeout,
        default=None,
        metavar="1s",
        help="put dead letters back into the queue so often (default: only when POST /redrive is called)",
    )
    add_dependency(options, "payments")
    chosen = options.parse_args(arguments)
    metrics, log = Metrics(), Log("webhooks")
    delivery = Delivery(
        capacity=chosen.capacity,
        attempts=chosen.attempts,
        backoff=chosen.backoff,
        keep=chosen.dead_letters == "keep",
    )
    intake = Intake(dependency(chosen, "payments", metrics, log), delivery, metrics, log)
    work: tuple[Background, ...] = (intake.drain,) * chosen.consumers
    if chosen.redrive is not None:
        work = (*work, lambda: intake.redrive_every(chosen.redrive))
    service = Service({("POST", "/webhooks"): intake.take, ("POST", "/redrive"): intake.redrive}, metrics)
    run(service, host=chosen.host, port=chosen.port, log=log, background=work)


if __name__ == "__main__":
    main()
