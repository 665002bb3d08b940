"""The probes of a run: read at their interval, in threads that nothing waits for, each reading and each hole written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from gameday.guard import Guard
from gameday.load.samples import SampleWriter, read_gauges, read_samples
from gameday.model import GaugeSample, Reason
from gameday.runner.context import Context
from gameday.runner.probes import Probes, Reader
from gameday.schema.experiment import Sli
from gameday.schema.grammar import parse_abort
from gameday.spi import ProbeError, QueryError, Secrets, StaleError, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class FakeContext:
    """What the probes see of a run."""

    world: World = field(default_factory=lambda: World(run_id="r", secrets=Secrets(values={"token": "s3cret"})))
    run_id: str = "r"
    began: float = field(default_factory=time.monotonic)
    aborts: list[tuple[Reason, str]] = field(default_factory=list[tuple[Reason, str]])

    def now_ms(self) -> float:
        return (time.monotonic() - self.began) * 1_000

    def abort(self, reason: Reason, detail: str) -> None:
        self.aborts.append((reason, detail))


@dataclass
class FakeProbe:
    """A probe that does as the test says."""

    do: Callable[[], Any]
    timeout: float = 0.2
    name: str = "fake"
    reads: int = 0

    def read(self, world: World) -> float:
        self.reads += 1
        return cast("float", self.do())


@dataclass
class Bench:
    """Some SLIs, read for a while."""

    folder: Path
    probes: dict[str, FakeProbe]
    every: int = 50
    guard: Guard = field(default_factory=lambda: Guard((), None))
    context: FakeContext = field(default_factory=FakeContext)
    watched: list[Any] = field(default_factory=list[Any])

    async def run(self, seconds: float, *, wait: bool = True) -> dict[str, list[GaugeSample]]:
        file = self.folder / "samples.ndjson"
        writer = SampleWriter(file)
        sli = Sli.model_validate({"command": ["true"], "every": f"{self.every}ms"})
        readers = tuple(Reader(name=name, sli=sli, probe=probe) for name, probe in self.probes.items())
        probes = Probes(
            ctx=cast("Context", self.context),
            writer=writer,
            guard=self.guard,
            watcher=self.watched.append,
            readers=readers,
        )
        async with anyio.create_task_group() as group:
            group.start_soon(probes.read)
            await anyio.sleep(seconds)
            await probes.finish(wait=wait)
            group.cancel_scope.cancel()
        writer.close()
        found = read_gauges(file)
        return {name: [s for s in found if s.sli == name] for name in self.probes}


def fail(error: Exception) -> float:
    raise error


async def test_every_reading_is_written_at_its_interval(tmp_path: Path) -> None:
    values = iter(range(1_000))
    bench = Bench(tmp_path, {"a": FakeProbe(lambda: next(values)), "b": FakeProbe(lambda: 7)})
    samples = await bench.run(1.0)
    assert [s.value for s in samples["a"]] == list(range(len(samples["a"])))
    assert {s.value for s in samples["b"]} == {7.0}
    for found in samples.values():
        assert 3 <= len(found) <= 21
        slots = [s.at_ms // 50 for s in found]
        assert slots == sorted(set(slots)), "two readings in one interval"
    assert {message["t"] for message in bench.watched} == {"gauge"}
    assert read_samples(tmp_path / "samples.ndjson").ticks == ()


async def test_what_cannot_be_read_is_a_hole_that_says_why(tmp_path: Path) -> None:
    probes = {
        "gone": FakeProbe(lambda: fail(ProbeError("refused by s3cret"))),
        "wrong": FakeProbe(lambda: fail(QueryError("no such member"))),
        "stale": FakeProbe(lambda: fail(StaleError("4 minutes old"))),
        "bug": FakeProbe(lambda: fail(ZeroDivisionError("oops"))),
        "text": FakeProbe(lambda: "7"),
        "nan": FakeProbe(lambda: float("nan")),
        "true": FakeProbe(lambda: True),
    }
    samples = await Bench(tmp_path, probes).run(0.3)
    said = {name: {(s.value, s.error, s.wrong) for s in found} for name, found in samples.items()}
    assert said["gone"] == {(None, "refused by ***", False)}
    assert said["wrong"] == {(None, "no such member", True)}
    assert {(s.error, s.wrong, s.stale) for s in samples["stale"]} == {("4 minutes old", False, True)}
    assert said["bug"] == {(None, "ZeroDivisionError: oops", False)}
    assert said["text"] == {(None, "the probe returned '7', which is not a number", True)}
    assert all(value is None for name in ("nan", "true") for value, _, _ in said[name])


async def test_a_read_that_hangs_holds_one_thread_and_nothing_else(tmp_path: Path) -> None:
    release = threading.Event()
    before = threading.active_count()
    hung, fine = FakeProbe(lambda: release.wait(30) and 1.0), FakeProbe(lambda: 1.0)
    bench = Bench(tmp_path, {"hung": hung, "fine": fine})
    start = time.monotonic()
    try:
        samples = await bench.run(1.5, wait=False)
        assert time.monotonic() - start < 6, "the run was held up"
        assert threading.active_count() - before <= 4, "30 intervals, and not a thread each"
    finally:
        release.set()
    assert hung.reads == 1
    assert [s.value for s in samples["hung"]] == [None] * len(samples["hung"])
    assert {s.error for s in samples["hung"]} == {"no answer within 0.2 s", "the read before has not come back"}
    assert len([s for s in samples["fine"] if s.value == 1.0]) >= 5


async def test_a_probe_that_comes_back_is_read_again(tmp_path: Path) -> None:
    release = threading.Event()
    slow = FakeProbe(lambda: release.wait(30) and 5.0)
    threading.Timer(0.8, release.set).start()
    samples = await Bench(tmp_path, {"slow": slow}).run(1.6)
    values = [s.value for s in samples["slow"]]
    assert values[0] is None
    assert values[-1] == 5.0
    assert values == sorted(values, key=lambda value: value is not None)


async def test_the_end_lets_a_read_come_back(tmp_path: Path) -> None:
    def read() -> float:
        time.sleep(0.3)
        return 5.0

    slow = FakeProbe(read, timeout=2)
    samples = await Bench(tmp_path, {"slow": slow}, every=10_000).run(0.1)
    assert [(s.value, s.took_ms >= 300) for s in samples["slow"]] == [(5.0, True)]


async def test_an_abort_rule_on_a_gauge_stops_the_run(tmp_path: Path) -> None:
    guard = Guard([parse_abort("max(queue) < 10 for 300ms")], None)
    guard.arm()
    bench = Bench(tmp_path, {"queue": FakeProbe(lambda: 11)}, guard=guard)
    await bench.run(0.8)
    reason, detail = bench.context.aborts[0]
    assert reason is Reason.GUARD
    assert detail.startswith("max(queue) < 10 for 300ms: queue is 11, and was not < 10 for 0.")
