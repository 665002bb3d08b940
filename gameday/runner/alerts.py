"""Every alert of the file, looked at again and again at each of its sources: one task each, and none that can hold up the run.

A look is blocking and runs in a worker thread with a deadline; one that is not back by then is abandoned, and missing, and so are the next
ones until it does come back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from gameday.load.samples import SampleWriter
from gameday.model import AlertLook
from gameday.registry import load_probe
from gameday.runner.context import Context
from gameday.schema.alerts import RULES, alert_sources
from gameday.schema.experiment import Experiment
from gameday.spi import GamedayError, ProbeError, QueryError
from gameday.spi.alert import AlertState, AlertWatch

SOONEST_MS, LATEST_MS = 1_000, 5_000
"""Bounds of the time from one look to the next: half an interval of the rule, where that is known."""
SLACK_SECONDS = 0.25
FINISH_SECONDS = 5.0
"""How long the end of the run waits for a look that is under way."""
_LONGEST = 300
_WATCHES = {RULES: "prometheus_alerts", "alertmanager": "alertmanager"}
"""Kind of source → kind of probe that sees its alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """From where one alert is seen."""

    objective: str
    source: str
    """A name under ``sources:``."""
    watch: AlertWatch


def posts(experiment: Experiment) -> Iterator[Post]:
    """Yield from where each alert of the file is seen: its source, and who evaluates its rule; raise GamedayError for none."""
    kinds = {name: spec.kind or name for name, spec in experiment.sources.items()}
    for name, objective in experiment.objectives.items():
        if objective.alert is None:
            continue
        chosen = alert_sources(objective, experiment.sources)
        if chosen is None:
            raise GamedayError(f"objective {name!r} has no source for its alert", hint="declare it under sources:")
        params = {"value": objective.alert} | ({"labels": dict(objective.labels)} if objective.labels else {})
        for source in dict.fromkeys((chosen.source, chosen.rules)):
            if source is not None:
                watch = load_probe(_WATCHES[kinds[source]], params)
                if not isinstance(watch, AlertWatch):
                    raise GamedayError(f"probes of kind {_WATCHES[kinds[source]]!r} cannot look at alerts")
                yield Post(objective=name, source=source, watch=watch)


@dataclass(slots=True)
class Lookout:
    """One post while it is manned."""

    post: Post
    every_ms: int = SOONEST_MS
    busy: bool = False
    """A thread is at work, waited for or abandoned; only that thread says otherwise."""
    since_ms: float | None = None
    """When the look that is waited for began; None between looks."""


@dataclass(slots=True)
class Lookouts:
    """All posts of one run."""

    ctx: Context
    writer: SampleWriter
    manned: tuple[Lookout, ...]
    ending: anyio.Event = field(default_factory=anyio.Event)

    @classmethod
    def of(cls, ctx: Context, writer: SampleWriter) -> Lookouts:
        """Man every post, and say so in the journal; raise GamedayError when one cannot be manned."""
        manned = tuple(Lookout(post) for post in posts(ctx.experiment))
        for one in manned:
            post = one.post
            ctx.note("alert-watched", {"objective": post.objective, "source": post.source, "probe": post.watch.name})
        return cls(ctx, writer, manned)

    async def watch(self) -> None:
        """Look from every post, at once and then again and again, until ``finish``."""
        async with anyio.create_task_group() as group:
            for one in self.manned:
                group.start_soon(self._follow, one)

    async def _follow(self, one: Lookout) -> None:
        while not self.ending.is_set():
            began = self.ctx.now_ms()
            await self._once(one)
            late = (self.ctx.now_ms() - began) % one.every_ms
            with anyio.move_on_after((one.every_ms - late) / 1000):
                await self.ending.wait()

    async def _once(self, one: Lookout) -> None:
        """Look once; whatever comes of it is one line of the samples."""
        began = self.ctx.now_ms()
        anchor = time.time() - began / 1000
        state, error, wrong = None, f"no answer within {one.post.watch.timeout:g} s", False
        if one.busy:
            error = "the look before has not come back"
        else:
            one.since_ms = began
            try:
                with anyio.move_on_after(one.post.watch.timeout + SLACK_SECONDS):
                    state = await anyio.to_thread.run_sync(self._look, one, abandon_on_cancel=True)
            except ProbeError as failure:
                error, wrong = str(failure), isinstance(failure, QueryError)
            except Exception as failure:  # noqa: BLE001 - a stranger's watch may raise anything; its look is missing
                error = f"{type(failure).__name__}: {failure}"
            finally:
                one.since_ms = None
        blank = AlertLook(
            objective=one.post.objective,
            source=one.post.source,
            at_ms=int(began),
            took_ms=max(0, int(self.ctx.now_ms()) - int(began)),
            every_ms=one.every_ms,
        )
        if state is None:
            said = self.ctx.world.secrets.mask(error)[:_LONGEST] or "no reason given"
            self.writer.write_alert(replace(blank, error=said, wrong=wrong))
            return
        if state.interval:
            one.every_ms = round(min(max(500 * state.interval, SOONEST_MS), LATEST_MS))
        self.writer.write_alert(_seen(replace(blank, every_ms=one.every_ms), state, anchor))

    def _look(self, one: Lookout) -> AlertState:
        """Look in this thread, which may be abandoned meanwhile."""
        one.busy = True
        try:
            return one.post.watch.look(replace(self.ctx.world, source_name=one.post.source))
        finally:
            one.busy = False

    async def await_decided(self, before_ms: float) -> None:
        """Wait until every look that began before that time of the run's clock is over; their deadlines bound this."""
        while any(one.since_ms is not None and one.since_ms < before_ms for one in self.manned):  # noqa: ASYNC110 - a look's end
            await anyio.sleep(0.02)

    async def finish(self) -> None:
        """Look no more; let what is under way come back, for a while."""
        self.ending.set()
        with self.ctx.stop.watching, anyio.move_on_after(FINISH_SECONDS):
            await self.await_decided(float("inf"))


def _seen(blank: AlertLook, state: AlertState, anchor: float) -> AlertLook:
    """Put what was seen on the run's clock."""

    def on_clock(wall: float | None) -> int | None:
        return None if wall is None else round(1000 * (wall - anchor))

    return replace(
        blank,
        state=state.state,
        since_ms=on_clock(state.since),
        evaluated_ms=on_clock(state.evaluated),
        interval_ms=round(1000 * state.interval),
    )
