"""Payments: charges an order, once however often it is sent. ``POST /charges {"order": …, "sku": …}``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from http import HTTPStatus

from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import duration, limit, parser
from gameday.shop.orders import read_order
from gameday.shop.service import Service, run

REMEMBERED = 100_000
"""Orders kept to recognise one that is sent again; the oldest are forgotten first."""


class Payments:
    """Answers after ``delay`` seconds, the time that a bank would take.

    With ``at_once``, so many charges are made at a time and the others wait in line, first come, first served: it carries
    at_once / delay charges per second. It does not learn that a caller has given up, and makes that charge all the same.
    """

    def __init__(self, delay: float, metrics: Metrics, *, at_once: int | None = None) -> None:
        self._delay = delay
        self._metrics = metrics
        self._charged: dict[str, None] = {}
        self._turn = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
        self._open = 0
        metrics.gauge("shop_charges_open", lambda: self._open)

    async def charge(self, request: Request) -> Response:
        """Charge an order unless that was done already: callers may safely try again after a timeout."""
        order = read_order(request).order
        self._open += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._delay)
        finally:
            self._open -= 1
        if order not in self._charged:
            self._charged[order] = None
            self._metrics.count("shop_charges_total")
        while len(self._charged) > REMEMBERED:
            del self._charged[next(iter(self._charged))]
        return Response.of(HTTPStatus.OK, order=order, status="paid")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    options = parser("payments", "Charges orders.")
    options.add_argument("--delay", type=duration, default=0.005, metavar="5ms", help="time to charge (default 5ms)")
    options.add_argument(
        "--at-once",
        type=limit,
        default=None,
        metavar="N",
        help="charges made at a time; more wait in line (default: no limit)",
    )
    chosen = options.parse_args(arguments)
    metrics = Metrics()
    payments = Payments(chosen.delay, metrics, at_once=chosen.at_once)
    run(
        Service({("POST", "/charges"): payments.charge}, metrics),
        host=chosen.host,
        port=chosen.port,
        log=Log("payments"),
    )


if __name__ == "__main__":
    main()
