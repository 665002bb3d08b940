"""Ask every witness of a run: at the gate about the baseline, and after the recovery phase about all of it.

Whoever is asked is asked in a thread, with a deadline; what it says, or why it says nothing, is one line of the samples. Nothing here
can hold up a revert: at the gate nothing is injected yet, and at the end everything is undone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from gameday.journal.reader import read_journal
from gameday.load.samples import SampleWriter
from gameday.model import Testimony, Track
from gameday.registry import load_probe
from gameday.runner.alerts import posts
from gameday.runner.context import Context
from gameday.schema.experiment import Experiment
from gameday.schema.sources import source_of
from gameday.spi import ProbeError, QueryError
from gameday.spi.witness import Evidence, Line, Witness

BEFORE_MS = 120_000
"""How long before the run the stretch begins that is asked about: a series that is new in the run is then known to be new."""
RETRY_SECONDS = 5.0
"""For how long a witness that does not answer at the end of a run is asked again."""
LONGEST_INTERVAL_MS = 30_000
"""Two intervals of a witness are waited for at the end of a run; each counts as no more than this."""
SLACK_SECONDS = 0.25
CLOCK_MS = 1_000
"""How far the wall clock may move against the run's clock before times cannot be told any more."""
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Summoned:
    """One witness of a run, and what it speaks for."""

    name: str
    """An SLI, or an objective."""
    of: str
    """Which of the two: ``sli`` or ``objective``."""
    witness: Witness
    source: str = ""
    """The source that it asks."""


def summon(experiment: Experiment) -> Iterator[Summoned]:
    """Yield every witness that the file needs; raise GamedayError when one cannot be made."""
    for name, sli in experiment.slis.items():
        if sli.is_ratio:
            probe = load_probe(sli.kind, sli.params)
            if isinstance(probe, Witness):
                yield Summoned(name=name, of="sli", witness=probe, source=source_of(experiment, sli.kind, sli.source))
    for post in posts(experiment):
        if isinstance(post.watch, Witness):
            yield Summoned(name=post.objective, of="objective", witness=post.watch, source=post.source)


@dataclass(slots=True)
class Witnesses:
    """All witnesses of one run."""

    ctx: Context
    writer: SampleWriter
    summoned: tuple[Summoned, ...]
    intervals_ms: dict[str, int] = field(default_factory=dict[str, int])
    """How far apart the samples of each were when it was last asked, by what it speaks for."""

    @classmethod
    def of(cls, ctx: Context, writer: SampleWriter) -> Witnesses:
        """Summon them, and say in the journal who they are; raise GamedayError when one cannot be made."""
        summoned = tuple(summon(ctx.experiment))
        for one in summoned:
            ctx.note("witness-summoned", {"name": one.name, "kind": one.witness.name, "source": one.source})
        return cls(ctx, writer, summoned)

    async def at_gate(self, to_ms: int) -> None:
        """Ask about the baseline, which ended at ``to_ms``."""
        await self._hear(to_ms, retry_seconds=0)

    async def at_end(self, to_ms: int) -> None:
        """Ask about the whole run: two intervals after its last phase ended, and again for RETRY_SECONDS where nobody answers.

        A second signal ends the waiting; what was not heard by then is missing.
        """
        if not self.summoned:
            return
        with self.ctx.stop.watching:
            slowest = max((*self.intervals_ms.values(), 0))
            await self.ctx.until(to_ms + 2 * min(slowest, LONGEST_INTERVAL_MS))
            await self._hear(to_ms, retry_seconds=RETRY_SECONDS)

    async def _hear(self, to_ms: int, *, retry_seconds: float) -> None:
        if not self.summoned:
            return
        anchor = await anyio.to_thread.run_sync(_anchor, self.ctx)
        async with anyio.create_task_group() as group:
            for one in self.summoned:
                group.start_soon(self._hear_one, one, anchor, to_ms, retry_seconds)

    async def _hear_one(self, one: Summoned, anchor: float, to_ms: int, retry_seconds: float) -> None:
        end = anyio.current_time() + retry_seconds
        said = await self._ask(one, anchor, to_ms)
        while said.error and not said.wrong and anyio.current_time() < end:
            await anyio.sleep(min(1.0, retry_seconds))
            said = await self._ask(one, anchor, to_ms)
        self.writer.write_testimony(said)

    async def _ask(self, one: Summoned, anchor: float, to_ms: int) -> Testimony:
        """Ask once, in a thread that is left behind when it does not come back."""
        ctx, at_ms = self.ctx, int(self.ctx.now_ms())
        blank = Testimony(name=one.name, of=one.of, at_ms=at_ms, from_ms=-BEFORE_MS, to_ms=to_ms)
        error, wrong = f"no answer within {one.witness.timeout:g} s", False
        try:
            with anyio.move_on_after(one.witness.timeout + SLACK_SECONDS):
                found = await anyio.to_thread.run_sync(self._fetch, one, anchor, at_ms, abandon_on_cancel=True)
                if found.interval is not None:
                    self.intervals_ms[f"{one.of} {one.name}"] = round(1000 * found.interval)
                return _testimony(blank, found, anchor)
        except ProbeError as failure:
            error, wrong = str(failure), isinstance(failure, QueryError)
        except Exception as failure:  # noqa: BLE001 - a stranger's witness may raise anything; its evidence is missing
            error = f"{type(failure).__name__}: {failure}"
        return replace(blank, error=ctx.world.secrets.mask(error)[:_LONGEST] or "no reason given", wrong=wrong)

    def _fetch(self, one: Summoned, anchor: float, at_ms: int) -> Evidence:
        moved = abs((time.time() - anchor) * 1000 - self.ctx.now_ms())
        if moved > CLOCK_MS:
            raise ProbeError(
                f"the wall clock was set by {moved / 1000:.1f} s while the run was on: its times mean nothing"
            )
        world = replace(self.ctx.world, source_name=one.source)
        return one.witness.fetch(world, anchor - BEFORE_MS / 1000, anchor + at_ms / 1000)


def _anchor(ctx: Context) -> float:
    """Return the wall clock's seconds at zero of the run's clock, as the journal's first record has it."""
    first = read_journal(ctx.folder.journal).events[0]
    return first.wall - first.at_ms / 1000


def _testimony(blank: Testimony, found: Evidence, anchor: float) -> Testimony:
    """Put what was found on the run's clock."""
    zero = anchor + found.ahead
    facts = dict(found.facts)
    if found.interval is not None:
        facts["interval_ms"] = round(1000 * found.interval)
    facts["ahead_ms"] = round(1000 * found.ahead)
    parts = {part: tuple(_track(line, zero) for line in lines) for part, lines in found.parts.items()}
    return replace(blank, parts=parts, facts=facts)


def _track(line: Line, zero: float) -> Track:
    samples = tuple((round(1000 * (wall - zero)), value) for wall, value in line.samples)
    return Track(labels=dict(line.labels), samples=samples)
