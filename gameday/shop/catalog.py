"""The catalog: what the shop sells. ``GET /products``; ``PUT /sale`` and ``DELETE /sale`` begin and end a sale at half price."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus

from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.options import duration, parser
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
    """Answers after ``delay`` seconds, the time that a database would take."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._sale = False

    async def products(self, _: Request) -> Response:
        """List everything."""
        await asyncio.sleep(self._delay)
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
    chosen = options.parse_args(arguments)
    catalog = Catalog(chosen.delay)
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
