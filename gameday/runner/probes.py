"""Every gauge of the file, read again and again: one task each, one read at a time, and none that can hold up the run.

A read is blocking and runs in a worker thread with a deadline. One that is not back by then is abandoned: its reading is missing,
and until it does come back the next ones are missing too, so that a probe which hangs holds one thread and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import isfinite

import anyio
import anyio.to_thread

from gameday.guard import Guard
from gameday.load.samples import SampleWriter
from gameday.model import GaugeSample, Json, Reason
from gameday.registry import load_probe
from gameday.runner.context import Context
from gameday.schema.experiment import Sli
from gameday.spi import Probe, ProbeError, QueryError, StaleError, World
from gameday.spi.probe import MARK
from gameday.spi.processes import marked
from gameday.undo.fencing import stop_groups

SLACK_SECONDS = 0.25
"""How much longer than its own time-out a read is waited for."""
FINISH_SECONDS = 5.0
"""How long the end of the run waits for reads that are under way."""
_LONGEST = 300


@dataclass(slots=True)
class Reader:
    """One SLI while it is read."""

    name: str
    sli: Sli
    probe: Probe
    busy: bool = False
    """A thread is at work, waited for or abandoned; only that thread says otherwise."""
    since_ms: float | None = None
    """When the read that is waited for began; None between reads."""

    def read(self, world: World) -> object:
        """Read in this thread, which may be abandoned meanwhile."""
        self.busy = True
        try:
            return self.probe.read(replace(world, source_name=self.sli.source or ""))
        finally:
            self.busy = False


@dataclass(slots=True)
class Probes:
    """All SLIs of a run."""

    ctx: Context
    writer: SampleWriter
    guard: Guard
    watcher: Callable[[Json], None]
    readers: tuple[Reader, ...]
    ending: anyio.Event = field(default_factory=anyio.Event)

    @classmethod
    def of(cls, ctx: Context, writer: SampleWriter, guard: Guard, watcher: Callable[[Json], None]) -> Probes:
        """Make the probe of each gauge, and say in the journal how it will be read; raise GamedayError when one cannot be made."""
        slis = ctx.experiment.slis.items()
        gauges = [(name, sli) for name, sli in slis if not sli.is_ratio]
        readers = tuple(Reader(name=name, sli=sli, probe=load_probe(sli.kind, sli.params)) for name, sli in gauges)
        for reader in readers:
            timeout_ms = round(1000 * reader.probe.timeout)
            data = {
                "sli": reader.name,
                "probe": reader.sli.kind,
                "every_ms": reader.sli.every,
                "timeout_ms": timeout_ms,
            }
            ctx.note("probe-started", data)
        return cls(ctx=ctx, writer=writer, guard=guard, watcher=watcher, readers=readers)

    async def read(self) -> None:
        """Read every SLI at once and then at its interval, until ``finish``."""
        async with anyio.create_task_group() as group:
            for reader in self.readers:
                group.start_soon(self._follow, reader)

    async def _follow(self, reader: Reader) -> None:
        begin, every = self.ctx.now_ms(), reader.sli.every
        while not self.ending.is_set():
            await self._once(reader)
            due = begin + (int((self.ctx.now_ms() - begin) // every) + 1) * every
            with anyio.move_on_after(max(0.0, due - self.ctx.now_ms()) / 1000):
                await self.ending.wait()

    async def _once(self, reader: Reader) -> None:
        """Read once; whatever comes of it is one sample."""
        began = self.ctx.now_ms()
        value, error, kind = None, f"no answer within {reader.probe.timeout:g} s", ProbeError
        if reader.busy:
            error = "the read before has not come back"
        else:
            reader.since_ms = began
            try:
                with anyio.move_on_after(reader.probe.timeout + SLACK_SECONDS):
                    found = await anyio.to_thread.run_sync(reader.read, self.ctx.world, abandon_on_cancel=True)
                    value = _number(found)
            except ProbeError as failure:
                error, kind = str(failure), type(failure)
            except Exception as failure:  # noqa: BLE001 - a stranger's probe may raise anything; its reading is missing
                error = f"{type(failure).__name__}: {failure}"
            finally:
                reader.since_ms = None
        self._keep(reader, (began, self.ctx.now_ms()), value, (error, kind))

    def _keep(
        self, reader: Reader, times: tuple[float, float], value: float | None, why: tuple[str, type[ProbeError]]
    ) -> None:
        (began, ended), (error, kind) = times, why
        said = self.ctx.world.secrets.mask(error)[:_LONGEST]
        sample = GaugeSample(
            sli=reader.name,
            at_ms=int(began),
            took_ms=max(0, int(ended) - int(began)),
            value=value,
            error=said if value is None else "",
            wrong=issubclass(kind, QueryError) and value is None,
            stale=issubclass(kind, StaleError) and value is None,
        )
        self.writer.write_gauge(sample)
        trip = self.guard.feed_gauge(sample)
        if trip is not None:
            self.ctx.abort(Reason.GUARD, f"{trip.rule}: {trip.detail}")
        self.watcher({"t": "gauge", "sli": sample.sli, "at_ms": sample.at_ms, "value": value, "error": sample.error})

    async def await_decided(self, before_ms: float) -> None:
        """Wait until every read that began before that time of the run's clock is over; their deadlines bound this."""
        while any(r.since_ms is not None and r.since_ms < before_ms for r in self.readers):  # noqa: ASYNC110 - a read's end
            await anyio.sleep(0.02)

    async def finish(self, *, wait: bool = True) -> None:
        """Read no more; with ``wait``, let what is under way come back, for a while. Then end what is left of it."""
        self.ending.set()
        with anyio.move_on_after(FINISH_SECONDS if wait else 0):
            await self.await_decided(float("inf"))
        if any(reader.busy for reader in self.readers):
            await anyio.to_thread.run_sync(_end_commands, self.ctx.run_id)


def _number(value: object) -> float:
    """Return what a probe read, if it is a number; raise QueryError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise QueryError(f"the probe returned {value!r:.60}, which is not a number")
    return float(value)


def _end_commands(run_id: str) -> None:
    """End what a read that never came back has started."""
    stop_groups([ref for name, ref in marked(run_id) if name.startswith(MARK)])
