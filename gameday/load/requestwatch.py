"""Every request of a locustfile, from its start to its row: its clients are watched, its ``request`` event counts. Load child only.

The event comes when a request is over; what is in flight is known by wrapping the ``request`` method of both HTTP clients. Other clients,
which only fire the event, are counted when they do. A request that takes ``load.timeout`` or longer is a ``timeout``, from that moment on,
whatever comes of it later: a locustfile need not set a timeout for a black hole to show.
"""

from __future__ import annotations

import itertools
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent

from gameday.load.locustkinds import kind_of_failure
from gameday.load.outlet import Put
from gameday.load.protocol import GENERATOR, OK
from gameday.load.recorder import Recorder

NOT_SENT = "(not sent)"
"""The endpoint of an arrival whose task has made no request yet."""
_TOKEN = "gameday"  # noqa: S105 - the name of a key
"""The member of a request's context that says which of ours it is."""
_CONTEXT_AT = {"HttpSession": 4, "FastHttpSession": 10}
"""Which positional argument of ``request`` (after self) the context is."""
_NAME_AT = 2
_ERRORS = 500
"""Different errors that Locust's own statistics keep."""
_TIMEOUT = "timeout"

now_ns = time.monotonic_ns


@dataclass(slots=True)
class _Flight:
    start_ns: int
    name: str
    answered: bool = False


class RequestWatch:
    """Turns requests of Locust's clients into rows of a recorder."""

    def __init__(
        self, recorder: Recorder, *, timeout_ns: int, put: Put, headers: Mapping[str, str], verify: bool
    ) -> None:
        self.recorder = recorder
        self._timeout_ns = timeout_ns
        self._put = put
        self._headers = headers
        self._verify = verify
        self._numbers = itertools.count()
        self._flights: dict[int, _Flight] = {}
        self._waiting: set[int] = set()
        """Arrivals whose task has not begun."""
        self._claims: dict[Any, tuple[int, Callable[[str], object]]] = {}

    def install(self, clients: tuple[type[Any], ...], events: Any) -> None:
        """Wrap ``request`` of these client classes, and listen to Locust's ``request`` and ``user_error`` events."""
        for client in clients:
            client.request = self._wrapped(client.request, _CONTEXT_AT[client.__name__])
        events.request.add_listener(self._on_request)
        events.user_error.add_listener(self._on_user_error)

    def bound(self, stats: Any) -> None:
        """Keep Locust's own statistics, which nothing is judged by, from growing with every new name or error of a long run."""
        count, fail = stats.log_request, stats.log_error

        def log_request(method: str, name: str, *measured: Any) -> None:
            count(method, self.recorder.folded(name), *measured)

        def log_error(method: str, name: str, error: Any) -> None:
            if len(stats.errors) < _ERRORS:
                fail(method, self.recorder.folded(name), error)

        stats.log_request, stats.log_error = log_request, log_error

    def arrive(self, intended_ns: int) -> int:
        """Count an arrival of the open model whose first request is still to come; return its number."""
        k = next(self._numbers)
        self.recorder.arrived(k, intended_ns)
        self._waiting.add(k)
        return k

    def claim(self, k: int, named: Callable[[str], object]) -> bool:
        """Let the next request of this greenlet be the one of arrival ``k``, and tell its name; false when it is too late for that."""
        if k not in self._waiting:
            return False
        now, intended_ns = now_ns(), self.recorder.intended(k)
        if intended_ns is not None and now - intended_ns >= self._timeout_ns:
            self.expire(now)  # nobody looked since: whoever comes to it only now is late by the generator's fault
            return False
        self._waiting.remove(k)
        self._claims[gevent.getcurrent()] = (k, named)
        return True

    def unclaim(self) -> None:
        """End an iteration of this greenlet: forget its arrival if it made no request."""
        claim = self._claims.pop(gevent.getcurrent(), None)
        if claim is not None and self.recorder.intended(claim[0]) is not None:
            self.recorder.withdrawn(claim[0])

    def _claimed(self, name: str) -> int | None:
        """Return the arrival that this request is the first of, if it is that; one whose timeout was over is counted already."""
        claim = self._claims.pop(gevent.getcurrent(), None)
        if claim is None:
            return None
        claim[1](name)
        return claim[0] if self.recorder.intended(claim[0]) is not None else None

    def expire(self, now: int) -> None:
        """Decide every request that is in flight for the timeout or longer."""
        for k in self.recorder.older(now - self._timeout_ns):
            flight = self._flights.get(k)
            if flight is not None and flight.answered:
                continue
            kind = GENERATOR if k in self._waiting else _TIMEOUT  # we ourselves never came to it
            self._waiting.discard(k)
            intended_ns = self.recorder.intended(k) or now
            self._decide(k, flight.name if flight else NOT_SENT, kind, intended_ns + self._timeout_ns)

    def close(self, now: int) -> None:
        """Decide all that is left at the end: broken off by ourselves, unless its timeout was over."""
        self.expire(now)
        for k in self.recorder.older(now):
            self._forget(k)

    def _decide(self, k: int, name: str, kind: str, end_ns: int) -> int:
        self._flights.pop(k, None)
        endpoint = self.recorder.endpoint(name)
        self.recorder.finished(k, endpoint, kind, end_ns)
        return endpoint

    def _forget(self, k: int) -> None:
        """Take note that nothing more will be heard of a request."""
        self._flights.pop(k, None)
        self._waiting.discard(k)
        if self.recorder.intended(k) is not None:
            self.recorder.withdrawn(k)

    def _wrapped(self, original: Any, context_at: int) -> Any:
        def request(session: Any, *args: Any, **kwargs: Any) -> Any:
            k = self._begin(session, args, kwargs)
            if len(args) <= context_at:
                kwargs["context"] = {**(kwargs.get("context") or {}), _TOKEN: k}
            if self._headers:
                kwargs["headers"] = {**self._headers, **(kwargs.get("headers") or {})}
            if not self._verify and hasattr(session, "verify"):
                kwargs.setdefault("verify", False)
            try:
                response = original(session, *args, **kwargs)
            except BaseException:
                self._broken_off(k)
                raise
            if (
                flight := self._flights.get(k)
            ) is not None:  # catch_response: the event comes at the end of the with block
                flight.answered = True
                weakref.finalize(response, self._forget, k).atexit = False
            return response

        return request

    def _begin(self, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        now = now_ns()
        name = kwargs.get("name") or (args[_NAME_AT] if len(args) > _NAME_AT else None) or session.request_name
        name = str(name or kwargs.get("url") or (args[1] if len(args) > 1 else ""))
        k = self._claimed(name)
        if k is None:
            k = next(self._numbers)
            self.recorder.arrived(k, now)
            self.recorder.began()
        self._flights[k] = _Flight(now, name)
        return k

    def _broken_off(self, k: int) -> None:
        """Count a request that ended without an event: killed with its user, or a mistake of the locustfile."""
        intended_ns, now = self.recorder.intended(k), now_ns()
        if intended_ns is not None and now - intended_ns >= self._timeout_ns:
            self._decide(k, self._flights[k].name, _TIMEOUT, now)
        else:
            self._forget(k)

    def _on_request(
        self,
        name: str,
        response_time: float | None,
        exception: BaseException | None = None,
        context: Mapping[str, Any] | None = None,
        response: Any = None,
        **_more: Any,
    ) -> None:
        k = (context or {}).get(_TOKEN)
        took_ns = int((response_time or 0) * 1_000_000)
        if k is None:
            k, start_ns = self._unwatched(str(name), took_ns)
        elif (flight := self._flights.get(k)) is not None:
            start_ns = flight.start_ns
        else:
            return  # its timeout is over: it is counted
        self._finish(k, str(name), start_ns + took_ns, exception, response)

    def _unwatched(self, name: str, took_ns: int) -> tuple[int, int]:
        """Count a request of a client that is not watched, now that it is over."""
        now = now_ns()
        k = self._claimed(name)
        if k is None:
            k = next(self._numbers)
            self.recorder.arrived(k, now - took_ns)
            self.recorder.began()
        return k, now - took_ns

    def _finish(self, k: int, name: str, end_ns: int, exception: Any, response: Any) -> None:
        intended_ns = self.recorder.intended(k)
        if intended_ns is None:
            return
        kind, text = OK, ""
        if exception:
            status = getattr(response, "status_code", 0) or 0
            error = exception if isinstance(exception, BaseException) else RuntimeError(str(exception))
            beneath = getattr(response, "error", None)
            kind = kind_of_failure(error, status, beneath if isinstance(beneath, BaseException) else None)
            text = f"{type(error).__name__}: {error}"
        elif end_ns - intended_ns >= self._timeout_ns:
            kind, text = _TIMEOUT, "answered after load.timeout"
        endpoint = self._decide(k, name, kind, end_ns)
        if text and (message := self.recorder.explain(endpoint, kind, text)):
            self._put(message)

    def _on_user_error(self, exception: BaseException, **_more: Any) -> None:
        text = f"a task of the locustfile raised {type(exception).__name__}: {exception}"
        endpoint = self.recorder.endpoint(NOT_SENT)
        if message := self.recorder.explain(endpoint, f"task {type(exception).__name__}", text):
            self._put(message)
