"""One direction of one connection: bytes in, the same bytes out in order, perhaps later, with a bounded backlog."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from gameday.proxy.faults import Draw, Exposure, Lane

BACKLOG_LIMIT = 4 * 1024 * 1024
"""Bytes that one direction may hold back before it stops reading; under a delay it moves at most this much per delay."""
_ITEM_COST = 256
"""What a held chunk costs beside its bytes, so that a stream of single bytes is bounded in memory too."""


class Final(Enum):
    """How a direction ends; it keeps its place behind the bytes before it."""

    FINISH = auto()
    """End of file: the other direction goes on (half-close)."""
    RESET = auto()
    """The source is gone: its connection was reset, or could not be written."""


class Pipe:
    """The way from ``reader`` to ``writer``; until both are attached everything is held."""

    __slots__ = (
        "_cost",
        "_draw",
        "_exposure",
        "_final",
        "_held",
        "_lane",
        "_on_final",
        "_queue",
        "_stopped",
        "_timer",
        "finished",
        "reader",
        "writer",
    )

    def __init__(self, lane: Lane, draw: Draw, on_final: Callable[[Final], None]) -> None:
        self.reader: asyncio.Transport | None = None
        self.writer: asyncio.Transport | None = None
        self.finished = False
        """Its end of file was passed on, after every byte before it."""
        self._lane = lane
        self._draw = draw
        self._on_final = on_final
        self._exposure: Exposure | None = None
        self._final: Final | None = None
        self._queue: deque[tuple[float, float, bytes | Final]] | None = None
        """(arrived, due, what); one that is due waits for those before it. None while nothing is held: the fast path."""
        self._cost = 0
        self._held = False
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the reader."""
        if self._queue is None and self.writer is not None and not self._lane.toxics:
            self.writer.write(data)
        elif self._final is None:
            self._hold(data)

    def end(self, final: Final) -> None:
        """Take the end of the stream; a reset may follow an end of file, nothing follows a reset."""
        if self._final is None or (self._final is Final.FINISH and final is Final.RESET):
            self._final = final
            self._hold(final)

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

    def reschedule(self) -> None:
        """Give held bytes the delay that is in force now; with none left they leave at once, in order."""
        if self._exposure is not None:
            self._exposure.forget()
        if self._queue is None:
            return
        self._queue = deque((arrived, arrived + self._delay(item), item) for arrived, _, item in self._queue)
        self._drain()

    def drop(self) -> None:
        """Forget what is held: there is nobody left to write it to."""
        self._final = Final.RESET
        self._queue = None
        self._cost = 0
        self.writer = None
        self._disarm()

    def _hold(self, item: bytes | Final) -> None:
        now = asyncio.get_running_loop().time()
        if self._queue is None:
            self._queue = deque()
        self._queue.append((now, now + self._delay(item), item))
        self._cost += _cost(item)
        if len(self._queue) == 1:
            self._drain()
        else:
            self._throttle()

    def _delay(self, item: bytes | Final) -> float:
        if not self._lane.toxics:
            return 0.0
        if self._exposure is None:
            self._exposure = Exposure(self._lane, self._draw)
        return self._exposure.delay(data=isinstance(item, bytes))

    def _drain(self) -> None:
        """Write what is due, and come back for the rest."""
        self._disarm()
        loop = asyncio.get_running_loop()
        while self.writer is not None and self._queue:
            due, item = self._queue[0][1:]
            if due > loop.time():
                self._timer = loop.call_at(due, self._drain)
                break
            self._queue.popleft()
            self._cost -= _cost(item)
            self._pass_on(self.writer, item)
        if not self._queue:
            self._queue = None
        self._throttle()

    def _pass_on(self, writer: asyncio.Transport, item: bytes | Final) -> None:
        if isinstance(item, bytes):
            writer.write(item)
            return
        if item is Final.FINISH:
            with suppress(OSError):  # a peer that has reset the connection needs no end
                writer.write_eof()
            self.finished = True
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

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _cost(item: bytes | Final) -> int:
    return _ITEM_COST + (len(item) if isinstance(item, bytes) else 0)
