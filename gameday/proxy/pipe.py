"""One direction of one connection: bytes in, bytes out in order, perhaps later, with a bounded backlog."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from gameday.proxy.effects import Effect, Fate, Final, Item, Timed, effect_of
from gameday.proxy.toxics import Lane, Toxic

BACKLOG_LIMIT = 4 * 1024 * 1024
"""Bytes that one direction may hold back before it stops reading; under a delay it moves at most this much per delay."""
_ITEM_COST = 256
"""What a held chunk costs beside its bytes, so that a stream of single bytes is bounded in memory too."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A delay of one item alone, for as long as the toxic that asked for it is set."""

    toxic: Toxic
    until: float

    def seconds_after(self, at: float) -> float:
        """Return when an item that came at ``at`` may go on."""
        return max(at, self.until) if self.toxic.on else at


_NEVER = -1
_Entry = tuple[float, float, Item, Hold | None]
"""(due, arrived, what, hold); one that is due waits for those before it."""


class Pipe:
    """The way from ``reader`` to ``writer``; until both are attached everything is held."""

    __slots__ = (
        "_closes_at",
        "_closing",
        "_cost",
        "_effects",
        "_epoch",
        "_fate",
        "_final",
        "_held",
        "_known",
        "_on_final",
        "_queue",
        "_stopped",
        "_timer",
        "finished",
        "lane",
        "reader",
        "swift",
        "write",
        "writer",
    )

    def __init__(self, lane: Lane, fate: Fate, on_final: Callable[[Final], None]) -> None:
        self.reader: asyncio.Transport | None = None
        self.writer: asyncio.Transport | None = None
        self.finished = False
        """Its end of file was passed on, after every byte before it."""
        self.lane = lane
        self.swift = _NEVER
        """The epoch of the lane in which bytes may be given to ``write`` at once: nothing is held back and nothing acts on them."""
        self.write: Callable[[bytes], None] = self.feed
        self._fate = fate
        self._epoch = lane.epoch
        self._on_final = on_final
        self._known: dict[Toxic, tuple[float, Effect | None]] = {}
        """What was drawn for each toxic, and at which share."""
        self._effects: tuple[Effect, ...] = ()
        self._final: Final | None = None
        self._queue: deque[_Entry] | None = None
        """None while nothing is held: the fast path."""
        self._cost = 0
        self._held = False
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._closes_at = 0.0
        if lane.toxics:
            self._draw(fresh=True)
            self._watch()
            self._enlist()

    def feed(self, data: bytes, hold: Hold | None = None) -> None:
        """Take bytes from the reader."""
        if self._epoch != self.lane.epoch:
            self.reschedule()
        if self._queue is None and self.writer is not None and not self._effects and hold is None:
            self.writer.write(data)
        elif self._final is None:
            self._take(data, hold)

    def hasten(self) -> None:
        """Let the next bytes pass at once, if nothing stands in the way."""
        if self._queue is None and self.writer is not None and not self._effects and self._final is None:
            self.write = self.writer.write
            self.swift = self._epoch

    def end(self, final: Final) -> None:
        """Take the end of the stream; a worse end may follow an end of file, nothing follows another."""
        if self._epoch != self.lane.epoch:
            self.reschedule()
        if self._final is None or (self._final is Final.FINISH and final is not Final.FINISH):
            self._final = final
            self._take(final, None)

    def attach(self, writer: asyncio.Transport) -> None:
        """Pass on what was held until the writer was there."""
        self.writer = writer
        self._drain()

    def hold(self) -> None:
        """Stop reading: the writer's buffer is full."""
        self._held = True
        self._throttle()

    def release(self) -> None:
        """Read again: the writer's buffer has room."""
        self._held = False
        self._throttle()

    @property
    def choked(self) -> bool:
        """Whether far more waits for the writer than a reader that reads would leave."""
        waiting = 0 if self.writer is None else self.writer.get_write_buffer_size()
        return self._cost + waiting > BACKLOG_LIMIT

    def reschedule(self) -> None:
        """See the changed toxics: held bytes are timed anew, and with none left they leave at once, in order."""
        self._epoch = self.lane.epoch
        left_behind = self._draw(fresh=False)
        now = monotonic()
        for effect in self._effects:
            effect.rewind(now)
        if self._queue is not None:
            self._queue = deque(self._retimed(self._queue))
            self._drain()
        for final in left_behind:
            if self._final is None or self._final is Final.FINISH:
                self._final = final
            self._append(now, now, final, None)
        self._watch()
        self._enlist()

    def drop(self) -> None:
        """Forget what is held: there is nobody left to write it to."""
        self.swift = _NEVER
        self.write = self.feed
        self._final = Final.RESET
        self._queue = None
        self._cost = 0
        self.writer = None
        for timer in (self._timer, self._closing):
            if timer is not None:
                timer.cancel()
        self._timer = self._closing = None
        self._effects = ()
        self.lane.busy.pop(self, None)

    def _enlist(self) -> None:
        """Be told of changes while there is something to do about them."""
        if self._effects or self._queue is not None:
            self.lane.busy[self] = None
        else:
            self.lane.busy.pop(self, None)

    def _draw(self, *, fresh: bool) -> list[Final]:
        """Bring the effects in line with the lane; return how those that are gone want the connection to end."""
        now = monotonic()
        before, self._known = self._known, {}
        for toxic in self.lane.toxics:
            known = before.get(toxic)
            if known is not None and known[0] == toxic.toxicity:
                self._known[toxic] = known
                del before[toxic]
            else:
                self._known[toxic] = (toxic.toxicity, effect_of(toxic, self._fate, now, fresh=fresh))
        self._effects = tuple(effect for _, effect in self._known.values() if effect is not None)
        finals = [effect.left_behind() for _, effect in before.values() if effect is not None]
        return [final for final in finals if final is not None]

    def _take(self, item: Item, hold: Hold | None) -> None:
        now = monotonic()
        timed: Iterable[Timed] = ((now if hold is None else hold.seconds_after(now), item),)
        for effect in self._effects:
            timed = [left for at, what in timed for left in effect.apply(at, what)]
        for due, what in timed:
            if isinstance(what, Final) and what is not item:
                self._final = what
                self._append(due, due, what, None)
            else:
                self._append(due, now, what, hold)
        self._watch()

    def _append(self, due: float, arrived: float, item: Item, hold: Hold | None) -> None:
        if self._queue is None:
            self._queue = deque()
            self.lane.busy[self] = None
        self._queue.append((due, arrived, item, hold))
        self._cost += _cost(item)
        if len(self._queue) == 1:
            self._drain()
        else:
            self._throttle()

    def _retimed(self, queue: Iterable[_Entry]) -> Iterable[_Entry]:
        for _, arrived, item, hold in queue:
            at = arrived if hold is None else hold.seconds_after(arrived)
            for effect in self._effects:
                at = effect.retime(at, item)
            yield at, arrived, item, hold

    def _drain(self) -> None:
        """Write what is due, and come back for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self.writer is not None and self._queue:
            due, _, item, _ = self._queue[0]
            wait = due - monotonic()
            if wait > 0:
                if wait < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(wait, self._drain)
                break
            self._queue.popleft()
            self._cost -= _cost(item)
            self._pass_on(self.writer, item)
        if not self._queue:
            self._queue = None
            self._enlist()
        self._throttle()

    def _pass_on(self, writer: asyncio.Transport, item: Item) -> None:
        if isinstance(item, bytes):
            writer.write(item)
            return
        if item is Final.FINISH:
            self.finished = True
            if writer.can_write_eof():
                with suppress(OSError):  # a peer that has reset the connection needs no end
                    writer.write_eof()
            else:  # TLS knows no half-close
                item = Final.CLOSE
        self._on_final(item)

    def _throttle(self) -> None:
        """Read only while there is room; a reader that has ended must not be resumed, it would end a second time."""
        stop = self._held or self._cost > BACKLOG_LIMIT
        if self.reader is None or self._final is not None or stop == self._stopped:
            return
        self._stopped = stop
        if stop:
            self.reader.pause_reading()
        else:
            self.reader.resume_reading()

    def _watch(self) -> None:
        """Come back when an effect wants to close a silent connection."""
        times = [effect.closes_at for effect in self._effects if effect.closes_at is not None]
        if not times:
            if self._closing is not None:
                self._closing.cancel()
                self._closing = None
        elif self._closing is None or self._closes_at > min(times):
            if self._closing is not None:
                self._closing.cancel()
            self._closes_at = min(times)
            wait = max(0.0, self._closes_at - monotonic())
            self._closing = asyncio.get_running_loop().call_later(wait, self._close_silent)

    def _close_silent(self) -> None:
        self._closing = None
        now = monotonic()
        if any(effect.closes_at is not None and effect.closes_at <= now for effect in self._effects):
            self._on_final(Final.CLOSE)
        else:
            self._watch()


def _cost(item: Item) -> int:
    return _ITEM_COST + (len(item) if isinstance(item, bytes) else 0)
