"""All that a run measures, as one: the load, where there is any, and the probes, into one file of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from gameday.guard import Guard
from gameday.load.samples import SampleWriter
from gameday.model import Json
from gameday.runner.alerts import Lookouts
from gameday.runner.context import Context
from gameday.runner.loadfeed import LoadFeed
from gameday.runner.probes import Probes
from gameday.runner.witnesses import Witnesses
from gameday.schema.experiment import LoadProfile

GATE_SLACK_SECONDS = 5.0
"""How much longer than a request's timeout the gate waits for the last baseline arrival, and how long for the last reading."""
DRAIN_SLACK_SECONDS = 3.0


@dataclass(slots=True, kw_only=True)
class Measuring:
    """What measures while a run is on."""

    ctx: Context
    writer: SampleWriter
    guard: Guard
    probes: Probes
    witnesses: Witnesses
    lookouts: Lookouts
    feed: LoadFeed | None = None
    """None for a system with its own traffic."""

    @classmethod
    async def start(cls, ctx: Context, helpers: TaskGroup, watcher: Callable[[Json], None]) -> Measuring:
        """Start what measures; raise LoadError or GamedayError when it cannot. Nothing is asked of the system before ``begin``."""
        writer, guard = SampleWriter(ctx.folder.samples), Guard.of(ctx.experiment)
        try:
            probes, witnesses = Probes.of(ctx, writer, guard, watcher), Witnesses.of(ctx, writer)
            measuring = cls(
                ctx=ctx,
                writer=writer,
                guard=guard,
                probes=probes,
                witnesses=witnesses,
                lookouts=Lookouts.of(ctx, writer),
            )
            if ctx.experiment.load is not None:
                measuring.feed = await measuring.start_load(ctx.experiment.load, watcher)
        except BaseException:
            writer.close()
            raise
        if measuring.feed is not None:
            helpers.start_soon(measuring.feed.read)
        helpers.start_soon(measuring.probes.read)
        helpers.start_soon(measuring.lookouts.watch)
        return measuring

    async def begin(self, at_ms: int) -> None:
        """Begin the load at that time of the run's clock."""
        if self.feed is not None:
            await self.feed.generator.begin(at_ms)

    async def await_decided(self) -> None:
        """Wait until everything that was asked for before now is decided, or cannot be any more; what comes later goes on."""
        edge_ms = self.ctx.now_ms()
        with anyio.move_on_after(GATE_SLACK_SECONDS):
            await self.probes.await_decided(edge_ms)
            await self.lookouts.await_decided(edge_ms)
        if self.feed is not None:
            await self.feed.await_decided(edge_ms, self._timeout_seconds + GATE_SLACK_SECONDS)

    def arm(self) -> None:
        """Let the abort rules act."""
        self.guard.arm()

    async def end(self) -> None:
        """End in order: let what is under way be decided, unless a second signal says that nobody waits for it."""
        await self.lookouts.finish()
        await self.probes.finish(wait=not self.ctx.stop.watching.cancel_called)
        if self.feed is not None:
            await self.feed.finish(self._timeout_seconds + DRAIN_SLACK_SECONDS)

    async def close(self) -> None:
        """End at once what has not ended, and close the samples; safe after ``end``."""
        if self.feed is not None:
            await self.feed.finish(0)
        self.writer.close()

    async def start_load(self, profile: LoadProfile, watcher: Callable[[Json], None]) -> LoadFeed:
        """Start the load child; raise LoadError when it cannot."""
        from gameday.load.generator import LoadChild  # noqa: PLC0415 - heavy, and not every system's load is ours
        from gameday.load.limits import check_open_files  # noqa: PLC0415 - heavy

        ctx = self.ctx
        check_open_files(profile)
        child = await LoadChild.start(
            profile,
            limits_us=ctx.experiment.latency_limits_us,
            epoch_ns=ctx.journal.epoch_ns,
            seed=ctx.seed,
            logs=ctx.folder.logs,
            secrets=ctx.world.secrets,
            data=ctx.experiment.data,
            base=ctx.base,
        )
        ctx.note("load-started", {"pid": child.pid})
        return LoadFeed(ctx=ctx, generator=child, writer=self.writer, guard=self.guard, watcher=watcher)

    @property
    def _timeout_seconds(self) -> float:
        return self.ctx.experiment.profile.timeout / 1000
