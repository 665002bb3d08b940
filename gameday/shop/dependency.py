"""A call to another service with what protects the caller: a timeout, retries with backoff, and a circuit breaker."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from gameday.shop.breaker import Breaker, State
from gameday.shop.client import Client, Unavailable
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How many more attempts, and how long before the first of them; each next wait is twice as long."""

    count: int = 0
    backoff: float = 0.05
    """Seconds; the real wait is drawn between half of it and all of it, so that callers do not come back in step."""

    def wait(self, attempt: int) -> float:
        """Seconds to wait before the attempt with this number; the first retry is 1."""
        return self.backoff * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing


class Dependency:
    """One service that another depends on; the defaults protect nothing."""

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        metrics: Metrics,
        log: Log,
        timeout: float | None = None,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.name = name
        self._client = client
        self._metrics = metrics
        self._log = log
        self._timeout = timeout
        self._retry = retry or Retry()
        self._breaker = breaker
        if breaker is not None:
            metrics.gauge("shop_breaker_state", lambda: breaker.state, dependency=name)

    async def call(self, request: Request) -> Response:
        """Return an answer below 500; raise Unavailable after the last attempt, at once while the breaker is open."""
        attempt = 0
        while True:
            try:
                return await self._attempt(request)
            except Unavailable as error:
                attempt += 1
                if error.kind == "open" or attempt > self._retry.count:
                    raise
            self._metrics.count("shop_retries_total", dependency=self.name)
            await asyncio.sleep(self._retry.wait(attempt))

    async def _attempt(self, request: Request) -> Response:
        if self._breaker is not None and not self._breaker.allows(time.monotonic()):
            self._count("open")
            raise Unavailable("open")
        answered = False
        try:
            response = await self._send(request)
            answered = True
        finally:  # even when it was cancelled: a try that nobody reports would keep the breaker half-open for ever
            self._report(answered=answered)
        return response

    async def _send(self, request: Request) -> Response:
        try:
            response = await self._client.send(request, timeout=self._timeout)
        except Unavailable as error:
            self._count(error.kind)
            raise
        if response.status >= _SERVER_ERROR:
            self._count("http_5xx")
            raise Unavailable("http_5xx")
        self._count("ok")
        return response

    def _count(self, outcome: str) -> None:
        self._metrics.count("shop_dependency_calls_total", dependency=self.name, outcome=outcome)

    def _report(self, *, answered: bool) -> None:
        if self._breaker is None:
            return
        before = self._breaker.state
        if answered:
            self._breaker.succeeded()
        else:
            self._breaker.failed(time.monotonic())
        if State.CLOSED in (before, self._breaker.state) and before is not self._breaker.state:
            self._log.warning(f"breaker-{self._breaker.state.name.lower()}", dependency=self.name)
