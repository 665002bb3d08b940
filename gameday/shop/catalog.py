"""The catalog: what the shop sells. ``GET /products``; ``PUT /sale`` and ``DELETE /sale`` begin and end a sale at half price."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import nullcontext
from http import HTTPStatus

from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import duration, limit, parser
from gameday.shop.service import Service, run

PRODUCTS = (
    ("A1", "Storm lantern", 3900),
    ("B2", "Fire blanket", 1900),
    ("C3", "Spare rope, 20 m", 2400),
)
_LISTS = tuple(
    json.dumps(
        {"products": [{"sku": sku, "name": name, "cents": cents // part} for sku, name, cents in PRODUCTS]}
    ).encode()
    for part in (1, 2)
)
"""The answer without and with a sale."""


class Catalog:
    """Answers after ``delay`` seconds, the time that a database would take.

    With ``at_once``, so many lists are read at a time and the others wait in line: it carries at_once / delay of them per second.
    Of those, every ``broken``-th is a 500, as from a version with a bug; 0: none.
    """

    def __init__(self, delay: float, *, at_once: int | None = None, broken: int = 0) -> None:
        self._delay = delay
        self._turn = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
        self._broken = broken
        self._asked = 0
        self._sale = False

    async def products(self, _: Request) -> Response:
        """List everything."""
        self._asked += 1
        is_broken = bool(self._broken) and self._asked % self._broken == 0
        async with self._turn:
            await asyncio.sleep(self._delay)
        if is_broken:
            return Response.of(HTTPStatus.INTERNAL_SERVER_ERROR, error="no such column: cents")
        return Response(status=HTTPStatus.OK, body=_LISTS[self._sale])

    async def begin_sale(self, _: Request) -> Response:
        """Halve the prices; again, it changes nothing."""
        self._sale = True
        return Response.of(HTTPStatus.OK, sale=True)

    async def end_sale(self, _: Request) -> Response:
        """Ask the usual prices; again, it changes nothing."""
        self._sale = False
        return Response.of(HTTPStatus.OK, sale=False)

    async def show_sale(self, _: Request) -> Response:
        """Say whether there is a sale: 200, or 404."""
        return Response.of(HTTPStatus.OK if self._sale else HTTPStatus.NOT_FOUND, sale=self._sale)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    options = parser("catalog", "What the shop sells.")
    options.add_argument("--delay", type=duration, default=0.002, metavar="2ms", help="time to answer (default 2ms)")
    options.add_argument(
        "--at-once",
        type=limit,
        default=None,
        metavar="N",
        help="lists read at a time; more wait in line (default: no limit)",
    )
    options.add_argument(
        "--broken", type=limit, default=None, metavar="N", help="answer every N-th request with 500 (default: none)"
    )
    chosen = options.parse_args(arguments)
    catalog = Catalog(chosen.delay, at_once=chosen.at_once, broken=chosen.broken or 0)
    routes = {
        ("GET", "/products"): catalog.products,
        ("GET", "/sale"): catalog.show_sale,
        ("PUT", "/sale"): catalog.begin_sale,
        ("DELETE", "/sale"): catalog.end_sale,
    }
    service = Service(routes, Metrics())
    run(service, host=chosen.host, port=chosen.port, log=Log("catalog"))


if __name__ == "__main__":
    main()
