"""The open model: each arrival leaves when the clock says so, whatever became of those before it. Load child only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import gevent

from gameday.load.checks import Answer
from gameday.load.client import Client
from gameday.load.outcomes import SENDING_ERRORS, kind_of_answer, kind_of_error
from gameday.load.protocol import Message
from gameday.load.recorder import Recorder
from gameday.load.schedule import Schedule, mix
from gameday.load.wire import WireRequest

_NAP_S = 0.05
"""How soon a stop is seen when no arrival is due."""
_OUR_ERROR = "other"

FAR_NS = 1 << 62
"""Later than any run: nothing is due."""

now_ns = time.monotonic_ns


class OpenModel:
    """Sends weighted requests on a schedule, and decides the kind of each."""

    def __init__(
        self,
        *,
        requests: Sequence[WireRequest],
        client: Client,
        recorder: Recorder,
        cap: int,
        timeout_ns: int,
        seed: int,
        report: Callable[[Message], None],
    ) -> None:
        self._requests = requests
        self._client = client
        self._recorder = recorder
        self._cap = cap
        self._timeout_ns = timeout_ns
        self._mix = mix([request.weight for request in requests], seed)
        self._report = report
        self._stop_ns: int | None = None
        self.due_ns = FAR_NS
        """When the next arrival is due."""

    def stop(self) -> None:
        """Send nothing that is due after now."""
        self._stop_ns = now_ns()

    def run(self, schedule: Schedule) -> None:
        """Let arrivals leave until stopped; what was due before the stop still leaves."""
        k = 0
        self.due_ns = schedule.base_ns
        while True:
            stop_ns = self._stop_ns
            due = schedule.due(stop_ns or now_ns())
            while k < due:
                self._arrive(k, schedule.intended_ns(k))
                k += 1
            self.due_ns = FAR_NS if stop_ns is not None else schedule.intended_ns(k)
            if stop_ns is not None:
                return
            wait_s = (self.due_ns - now_ns()) / 1e9
            gevent.sleep(min(max(wait_s, 0), _NAP_S))

    def drain(self, grace_s: float) -> bool:
        """Wait until every request is decided, at most for the timeout and ``grace_s``; return whether all are."""
        end_ns = now_ns() + self._timeout_ns + int(grace_s * 1e9)
        while self._recorder.in_flight and now_ns() < end_ns:
            gevent.sleep(0.005)
        return not self._recorder.in_flight

    def _arrive(self, k: int, intended_ns: int) -> None:
        endpoint = next(self._mix)
        if self._recorder.in_flight >= self._cap:
            self._recorder.capped_at(endpoint, intended_ns, now_ns())
            return
        self._recorder.arrived(k, intended_ns)
        gevent.spawn_raw(self._send, k, endpoint, intended_ns)

    def _send(self, k: int, endpoint: int, intended_ns: int) -> None:
        """Exchange one request and count it, whatever happens: a bug of ours is counted too, and printed by gevent."""
        self._recorder.left(intended_ns, now_ns())
        kind, text = _OUR_ERROR, "an error of the load generator; see logs/load.log"
        try:
            kind, text = self._exchange(self._requests[endpoint], intended_ns)
        finally:
            self._recorder.finished(k, endpoint, kind, now_ns())
            if text and (message := self._recorder.explain(endpoint, kind, text)):
                self._report(message)

    def _exchange(self, request: WireRequest, intended_ns: int) -> tuple[str, str]:
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
