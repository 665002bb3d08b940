"""Send messages beside whatever goes on, each channel from a thread of its own: a receiver that hangs holds up nobody.

Each message is tried a few times, later after each failure, or when the receiver asks for it (Retry-After), within bounds. Whoever posts
never waits and is never told of a failure; what became of each message is an Outcome.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Full, Queue

from gameday.notify.channels import Route
from gameday.spi import GamedayError, Notice, NotSentError, Secrets

TRY_SECONDS = 5.0
"""How long one try may take."""
PAUSES = (0.25, 1.0, 4.0)
"""Seconds between the tries; one try more than there are pauses."""
LONGEST_PAUSE = 30.0
"""Seconds, at most, that a receiver may ask us to wait."""
SETTLE_SECONDS = 2.0
"""How long the end of a run, or of several, waits for what is on its way."""
BACKLOG = 20
"""Messages that may wait for one channel; a further one is dropped, which is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message on one channel."""

    channel: str
    event: str
    outcome: str
    """``delivered``; ``failed``: refused, or every try failed; ``late``: still on its way when nobody waited longer; ``dropped``."""
    tries: int = 0
    error: str = ""
    """Why, in words of ours, which hold no secret."""

    def to_json(self) -> dict[str, str | int]:
        """As the journal's ``notified`` has it."""
        said: dict[str, str | int] = {"channel": self.channel, "event": self.event, "outcome": self.outcome}
        return {**said, "tries": self.tries, **({"error": self.error} if self.error else {})}

    def __str__(self) -> str:
        times = f" ({self.tries} tries)" if self.tries > 1 else ""
        return f"{self.channel}, {self.event}: {self.outcome}{times}" + (f": {self.error}" if self.error else "")


@dataclass(slots=True)
class _Lane:
    """One channel's queue and thread."""

    route: Route
    queue: Queue[Notice] = field(default_factory=lambda: Queue(BACKLOG))
    thread: threading.Thread | None = None
    last: tuple[str, int, str] = ("", 0, "")
    """Id of the message that is on its way, how often it was tried, and what came of the last try."""

    def start(self, work: Callable[[_Lane], None]) -> None:
        """Start its thread, once."""
        if self.thread is None:
            self.thread = threading.Thread(target=work, args=(self,), name=f"notify {self.route.label}", daemon=True)
            self.thread.start()


class Outbox:
    """Takes messages in without ever blocking, and knows what became of them."""

    def __init__(
        self,
        routes: Sequence[Route],
        secrets: Secrets,
        *,
        told: Callable[[Outcome], None] = lambda _outcome: None,
        pauses: Sequence[float] = PAUSES,
        try_seconds: float = TRY_SECONDS,
    ) -> None:
        """``told`` is called for each outcome, from the channel's thread or from ``settle``; it must not raise."""
        self._lanes = [_Lane(route=route) for route in routes]
        self._secrets, self._told = secrets, told
        self._pauses, self._try_seconds = tuple(pauses), try_seconds
        self._changed = threading.Condition()
        self._open: dict[tuple[str, str], Notice] = {}
        self._telling: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, str]] = set()
        self._outcomes: list[Outcome] = []
        self._closed = threading.Event()

    def post(self, notice: Notice) -> None:
        """Send a message to every channel that wants its event; the same message twice is sent once."""
        clean = notice.masked(self._secrets.mask)
        for lane in self._lanes:
            if lane.route.channel.wants(clean.event, clean.verdict):
                self._enqueue(lane, clean)

    def _enqueue(self, lane: _Lane, notice: Notice) -> None:
        known = (lane.route.label, notice.id)
        with self._changed:
            if known in self._seen:
                return
            self._seen.add(known)
            self._open[known] = notice
        if self._closed.is_set():
            self._settled(lane, notice, Outcome(channel=known[0], event=notice.event, outcome="late"))
            return
        try:
            lane.queue.put_nowait(notice)
            lane.start(self._work)
        except (Full, RuntimeError) as error:
            said = f"{BACKLOG} others wait" if isinstance(error, Full) else "no thread can be started"
            self._settled(lane, notice, Outcome(channel=known[0], event=notice.event, outcome="dropped", error=said))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return what is known by now, in the order in which it came."""
        with self._changed:
            return tuple(self._outcomes)

    def on_their_way(self) -> tuple[Outcome, ...]:
        """Return what is not settled yet, as ``pending``, with what came of the last try."""
        with self._changed:
            left = [(known, notice) for known, notice in self._open.items() if known not in self._telling]
        return tuple(self._unsettled(label, notice, "pending") for (label, _), notice in left)

    def _unsettled(self, label: str, notice: Notice, outcome: str) -> Outcome:
        tried, tries, error = self._lane(label).last
        if tried != notice.id:
            tries, error = 0, ""
        return Outcome(channel=label, event=notice.event, outcome=outcome, tries=tries, error=error)

    def _lane(self, label: str) -> _Lane:
        return next(lane for lane in self._lanes if lane.route.label == label)

    def settle(self, seconds: float = SETTLE_SECONDS) -> tuple[Outcome, ...]:
        """Wait at most ``seconds`` for what is on its way, let nothing more begin, and return all that was not delivered."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, max(0.0, seconds))
            left = dict(self._open)
        self._closed.set()
        for (label, _), notice in left.items():
            self._settled(self._lane(label), notice, self._unsettled(label, notice, "late"))
        return tuple(one for one in self.outcomes() if one.outcome != "delivered")

    def _settled(self, lane: _Lane, notice: Notice, outcome: Outcome) -> None:
        """Note an outcome; only the first of a message counts. It is told before anybody stops waiting for it."""
        known = (lane.route.label, notice.id)
        with self._changed:
            if known not in self._open or known in self._telling:
                return
            self._telling.add(known)
            self._outcomes.append(outcome)
        self._told(outcome)
        with self._changed:
            del self._open[known]
            self._telling.remove(known)
            self._changed.notify_all()

    def _work(self, lane: _Lane) -> None:
        while True:
            notice = lane.queue.get()
            outcome = self._deliver(lane, notice)
            if outcome is None:
                return
            self._settled(lane, notice, outcome)

    def _deliver(self, lane: _Lane, notice: Notice) -> Outcome | None:
        """Try until it is taken, or cannot be; None when nobody waits for it any longer."""
        lane.last = (notice.id, 0, "")
        for tried, pause in enumerate((*self._pauses, None), start=1):
            if self._closed.is_set():
                return None
            said = self._try(lane.route, notice)
            outcome = "failed" if said else "delivered"
            error = str(said) if said else ""
            lane.last = (notice.id, tried, error)
            if said is None or not said.again or pause is None:
                return Outcome(channel=lane.route.label, event=notice.event, outcome=outcome, tries=tried, error=error)
            if self._closed.wait(min(LONGEST_PAUSE, max(pause, said.after or 0.0))):
                return None
        return None

    def _try(self, route: Route, notice: Notice) -> NotSentError | None:
        try:
            route.notifier.send(notice, self._secrets, self._try_seconds)
        except NotSentError as error:
            return error
        except GamedayError as error:
            return NotSentError(self._secrets.mask(str(error)), again=False)
        except Exception as error:  # noqa: BLE001 - a stranger's notifier may raise anything, and its text may hold a secret
            return NotSentError(f"a bug in {route.label}: {type(error).__name__}", again=False)
        return None


def settle_all(boxes: Sequence[Outbox], seconds: float = SETTLE_SECONDS) -> tuple[Outcome, ...]:
    """Settle several, all of them together within ``seconds``; return what was not delivered."""
    end = time.monotonic() + seconds
    return tuple(outcome for box in boxes for outcome in box.settle(max(0.0, end - time.monotonic())))
