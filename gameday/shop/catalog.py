"""The catalog: what the shop sells. ``GET /products``."""

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
    {"sku": "A1", "name": "Storm lantern", "cents": 3900},
    {"sku": "B2", "name": "Fire blanket", "cents": 1900},
    {"sku": "C3", "name": "Spare rope, 20 m", "cents": 2400},
)


class Catalog:
    """Answers after ``delay`` seconds, the time that a database would take."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._body = json.dumps({"products": PRODUCTS}).encode()

    async def products(self, _: Request) -> Response:
        """List everything."""
        await asyncio.sleep(self._delay)
        return Response(status=HTTPStatus.OK, body=self._body)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    options = parser("catalog", "What the shop sells.")
    options.add_argument("--delay", type=duration, default=0.002, metavar="2ms", help="time to answer (default 2ms)")
    chosen = options.parse_args(arguments)
    catalog = Catalog(chosen.delay)
    service = Service({("GET", "/products"): catalog.products}, Metrics())
    run(service, host=chosen.host, port=chosen.port, log=Log("catalog"))


if __name__ == "__main__":
    main()
