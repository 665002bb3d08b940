"""What every part of the shop has in common: routes with metrics, ``/healthz``, ``/gauges``, and an end by signal."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from gameday.shop.http import ProtocolError, Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import CONTENT_TYPE, Metrics
from gameday.shop.server import Handler, Server

Routes: TypeAlias = Mapping[tuple[str, str], Handler]
"""(method, path) → what answers it."""
Background: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Work that goes on for as long as the service."""


class Service:
    """Routes requests and keeps the account of them."""

    def __init__(self, routes: Routes, metrics: Metrics) -> None:
        self._metrics = metrics
        self._routes: Routes = {
            **routes,
            ("GET", "/healthz"): self._health,
            ("GET", "/metrics"): self._show,
            ("GET", "/gauges"): self._gauges,
        }
        self._paths = {path for _, path in self._routes}

    async def handle(self, request: Request) -> Response:
        """Answer one request; a known path with another method is 405, an unknown one 404."""
        started = time.perf_counter()
        known = request.path in self._paths
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            response = Response.of(
                HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND, error="no such thing here"
            )
        else:
            response = await _answer(handler, request)
        route = request.path if known else "other"
        self._metrics.count("shop_requests_total", route=route, code=str(int(response.status)))
        self._metrics.observe("shop_request_seconds", time.perf_counter() - started, route=route)
        return response

    async def _health(self, _: Request) -> Response:
        return Response.of(HTTPStatus.OK, status="ok")

    async def _show(self, _: Request) -> Response:
        return Response(status=HTTPStatus.OK, body=self._metrics.render().encode(), content_type=CONTENT_TYPE)

    async def _gauges(self, _: Request) -> Response:
        return Response.of(HTTPStatus.OK, **self._metrics.gauges())


async def _answer(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except ProtocolError as error:
        return Response.of(error.status, error=str(error))


async def _serve(service: Service, host: str, port: int, log: Log, background: tuple[Background, ...]) -> int:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    server = Server(service.handle)
    try:
        log.info("listening", host=host, port=await server.start(host, port))
    except OSError as error:
        log.warning("cannot-listen", host=host, port=port, error=str(error))
        return 1
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for work in background]
        await stop.wait()
        await server.stop()
        for task in tasks:
            task.cancel()
    return 0


def run(service: Service, *, host: str, port: int, log: Log, background: tuple[Background, ...] = ()) -> None:
    """Serve until SIGTERM or SIGINT, and exit; with 1 when the address cannot be used."""
    sys.exit(asyncio.run(_serve(service, host, port, log, background)))
