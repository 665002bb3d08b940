"""The load of one run: its messages to the samples file, its pulses to the guard, its loss to an abort."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from gameday.guard import Guard
from gameday.load.samples import SampleWriter
from gameday.model import Json, Reason
from gameday.runner.context import Context
from gameday.spi import LoadError

KEPT = frozenset({"agg", "tick", "log", "bye"})
SHOWN = frozenset({"pulse", "agg", "tick"})


class Generator(Protocol):
    """A running load generator: see gameday.load.generator.LoadChild."""

    pid: int

    async def begin(self, at_ms: int) -> None:
        """Send the first arrival at that time of the run's clock."""
        ...

    def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Every message until the end of the stream; raises LoadError when it is lost."""
        ...

    async def set_rate(self, rate: float) -> None:
        """Go on at another rate; LoadError in the closed model."""
        ...

    async def set_users(self, users: int) -> None:
        """Go on with another number of users; LoadError in the open model."""
        ...

    async def stop(self) -> None:
        """Ask for the end; the stream then ends by itself."""
        ...

    async def kill(self) -> None:
        """End it now."""
        ...


@dataclass(slots=True)
class LoadFeed:
    """Reads the generator's stream for as long as it flows."""

    ctx: Context
    generator: Generator
    writer: SampleWriter
    guard: Guard
    watcher: Callable[[Json], None] | None = None
    """Who looks on: is shown each ``pulse``, ``agg`` and ``tick`` and must not block."""
    decided_ms: int = -1
    """Every arrival intended before this time of the run's clock is decided and written."""
    bye: dict[str, Any] | None = None
    ended: anyio.Event = field(default_factory=anyio.Event)
    finished: bool = False

    async def read(self) -> None:
        """Consume the stream to its end; its loss stops the run."""
        try:
            async for message in self.generator.messages():
                self._take(message)
        except LoadError as error:
            self.ctx.note("load-lost", {"error": str(error)})
            self.ctx.abort(Reason.LOAD_GENERATOR, f"the load stream was lost: {error}")
        finally:
            self.ended.set()

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind in KEPT:
            self.writer.write(message)
        if kind == "pulse":
            self._pulse(message)
        elif kind == "tick":
            self.decided_ms = int(message["at_ms"]) - int(message["oldest_in_flight_ms"])
        elif kind == "bye":
            self.bye = message
        if kind in SHOWN and self.watcher is not None:
            self.watcher(message)

    def _pulse(self, message: dict[str, Any]) -> None:
        trip = self.guard.feed(message)
        if trip is not None:
            self.ctx.abort(Reason.GUARD, f"{trip.rule}: {trip.detail}")

    async def change(self, *, rate: float | None = None, users: int | None = None) -> None:
        """Change the load while it is on, and say so in the journal; LoadError where the model has no such thing."""
        if rate is not None:
            await self.generator.set_rate(rate)
            self.ctx.note("load-changed", {"rate": rate})
        if users is not None:
            await self.generator.set_users(users)
            self.ctx.note("load-changed", {"users": users})

    async def await_decided(self, before_ms: float, seconds: float) -> bool:
        """Wait, with load on, until every arrival intended before that time is decided; at most ``seconds``."""
        with anyio.move_on_after(seconds):
            while self.decided_ms < before_ms and not self.ended.is_set():  # noqa: ASYNC110 - a tick a second
                await anyio.sleep(0.05)
        return self.decided_ms >= before_ms

    async def finish(self, seconds: float) -> None:
        """Stop the arrivals, let what is in flight be decided, and close the samples; only the first call does anything."""
        if self.finished:
            return
        self.finished = True
        with anyio.CancelScope(shield=True):
            if not self.ended.is_set():
                await self.generator.stop()
                with anyio.move_on_after(seconds):
                    await self.ended.wait()
            await self.generator.kill()
            self.writer.close()
            bye = self.bye or {}
            self.ctx.note("load-stopped", {key: bye.get(key) for key in ("offered", "completed", "drained")})
