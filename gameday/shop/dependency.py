"""A call to another service with what protects the caller: a timeout, a limit, retries with backoff, a circuit breaker."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from gameday.shop.breaker import Breaker, State
from gameday.shop.client import Client, Unavailable
from gameday.shop.http import Request, Response
from gameday.shop.log import Log
from gameday.shop.metrics import Metrics
from gameday.shop.retry import Retry, RetryBudget

_SERVER_ERROR = 500
_NOT_ASKED = ("open", "busy")
"""Kinds of failure without an attempt: to try again at once would change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What keeps the trouble of a dependency from becoming its caller's; the defaults protect nothing."""

    timeout: float | None = None
    """Seconds for one attempt."""
    at_once: int | None = None
    """Calls that may wait for it at a time; more fail at once (a bulkhead)."""
    retry: Retry = field(default_factory=Retry)
    budget: RetryBudget | None = None
    breaker: Breaker | None = None


class Dependency:
    """One service that another depends on."""

    def __init__(
        self, name: str, client: Client, *, metrics: Metrics, log: Log, protection: Protection | None = None
    ) -> None:
        self.name = name
        self._client = client
        self._metrics = metrics
        self._log = log
        self._with = protection or Protection()
        self._breaker = self._with.breaker
        self._calls = 0
        metrics.gauge("shop_calls_in_flight", lambda: self._calls, dependency=name)
        if (breaker := self._breaker) is not None:
            metrics.gauge("shop_breaker_state", lambda: breaker.state, dependency=name)

    async def call(self, request: Request) -> Response:
        """Return an answer below 500; raise Unavailable after the last attempt, at once while the breaker is open or too many wait."""
        if self._with.at_once is not None and self._calls >= self._with.at_once:
            self._count("busy")
            raise Unavailable("busy")
        self._calls += 1
        try:
            return await self._attempts(request)
        finally:
            self._calls -= 1

    async def _attempts(self, request: Request) -> Response:
        if self._with.budget is not None:
            self._with.budget.called()
        attempt = 0
        while True:
            try:
                return await self._attempt(request)
            except Unavailable as error:
                attempt += 1
                if error.kind in _NOT_ASKED or not self._may_retry(attempt):
                    raise
            self._metrics.count("shop_retries_total", dependency=self.name)
            await asyncio.sleep(self._with.retry.wait(attempt))

    def _may_retry(self, attempt: int) -> bool:
        budget = self._with.budget
        return attempt <= self._with.retry.count and (budget is None or budget.spend())

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
            response = await self._client.send(request, timeout=self._with.timeout)
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
