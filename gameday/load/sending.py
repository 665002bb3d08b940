"""One request from its intended start to its row: rendered, exchanged, judged and counted. Load child only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import gevent

from gameday.load.client import Client
from gameday.load.outcomes import SENDING_ERRORS, kind_of_answer, kind_of_error
from gameday.load.protocol import GENERATOR, Message
from gameday.load.recorder import Recorder
from gameday.load.wire import WireRequest
from gameday.spi.checks import Answer
from gameday.spi.errors import LoadError

_OUR_ERROR = "other"

now_ns = time.monotonic_ns


class Sender:
    """Sends requests of the file, and decides the kind of each."""

    def __init__(
        self,
        *,
        requests: Sequence[WireRequest],
        client: Client,
        recorder: Recorder,
        timeout_ns: int,
        report: Callable[[Message], None],
    ) -> None:
        self._requests = requests
        self._client = client
        self._recorder = recorder
        self._timeout_ns = timeout_ns
        self._report = report

    def send(self, k: int, endpoint: int, intended_ns: int) -> None:
        """Exchange one request and count it, whatever happens: a bug of ours is counted too, and printed by gevent."""
        kind, text = _OUR_ERROR, "an error of the load generator; see logs/load.log"
        try:
            kind, text = self._exchange(self._requests[endpoint], intended_ns)
        finally:
            self._recorder.finished(k, endpoint, kind, now_ns())
            if text and (message := self._recorder.explain(endpoint, kind, text)):
                self._report(message)

    def drain(self, grace_s: float) -> bool:
        """Wait until every request is decided, at most for the timeout and ``grace_s``; return whether all are."""
        end_ns = now_ns() + self._timeout_ns + int(grace_s * 1e9)
        while self._recorder.in_flight and now_ns() < end_ns:
            gevent.sleep(0.005)
        return not self._recorder.in_flight

    def _exchange(self, request: WireRequest, intended_ns: int) -> tuple[str, str]:
        try:
            if request.render is not None:
                request = request.render()
        except LoadError as error:
            return GENERATOR, f"its template failed: {error}"
        try:
            response = self._client.exchange(request, intended_ns + self._timeout_ns)
        except SENDING_ERRORS as error:
            return kind_of_error(error), f"{type(error).__name__}: {error}"
        answer = Answer(
            status=response.status,
            latency_us=(now_ns() - intended_ns) // 1000,
            headers=response.headers,
            body=response.body,
        )
        return kind_of_answer(request, answer)
