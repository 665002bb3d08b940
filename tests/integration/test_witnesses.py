"""Witnesses: asked at the gate and after the phases, in threads that nothing waits for, each answer and each failure written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from gameday.journal.writer import Journal
from gameday.load.samples import SampleWriter, read_gauges, read_samples
from gameday.load.testimony import read_testimonies
from gameday.model import GaugeSample
from gameday.runner.context import Context, Stop
from gameday.runner.witnesses import RETRY_SECONDS, Summoned, Witnesses
from gameday.spi import Evidence, Line, ProbeError, QueryError, Secrets, World

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class FakeWitness:
    """A witness that does as the test says."""

    do: Callable[[float, float], Any]
    timeout: float = 0.3
    name: str = "fake"
    asked: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])

    def fetch(self, world: World, from_wall: float, to_wall: float) -> Evidence:
        self.asked.append((from_wall, to_wall, world.source_name))
        return cast("Evidence", self.do(from_wall, to_wall))


@dataclass
class Folder:
    journal: Path


class FakeContext:
    """What witnesses see of a run."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal.create(folder / "journal.ndjson")
        self.journal.write("opened", {})
        self.folder = Folder(folder / "journal.ndjson")
        self.world = World(run_id="r", secrets=Secrets(values={"token": "s3cret"}))
        self.stop = Stop()

    def now_ms(self) -> float:
        return (time.monotonic_ns() - self.journal.epoch_ns) / 1e6

    async def until(self, at_ms: float) -> None:
        while (left := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110 - time itself is awaited
            await anyio.sleep(left / 1_000)


@dataclass
class Bench:
    """Some witnesses of one run."""

    folder: Path
    witnesses: dict[str, FakeWitness]

    def __post_init__(self) -> None:
        self.context = FakeContext(self.folder)
        self.writer = SampleWriter(self.folder / "samples.ndjson")
        summoned = tuple(Summoned(name=n, of="sli", witness=w, source="p") for n, w in self.witnesses.items())
        self.all = Witnesses(cast("Context", self.context), self.writer, summoned)

    def close(self) -> None:
        self.writer.close()
        self.context.journal.close()

    def said(self) -> list[Any]:
        return list(read_testimonies(self.folder / "samples.ndjson"))


Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Bench] = []

    def bench(**witnesses: FakeWitness) -> Bench:
        made.append(Bench(tmp_path, witnesses))
        return made[-1]

    yield bench
    for one in made:
        one.close()


def give(found: Any) -> Callable[[float, float], Any]:
    return lambda _from, _to: found


def fail(error: Exception) -> Callable[[float, float], Any]:
    def do(_from: float, _to: float) -> Any:
        raise error

    return do


async def test_what_is_said_is_put_on_the_runs_clock(make: Make) -> None:
    line = Line(labels={"job": "a"}, samples=[(time.time() + 40, 5.0), (time.time() + 41, 6.0)])
    found = Evidence(parts={"bad": [], "total": [line]}, interval=1.0, ahead=40.0, facts={"more": 1})
    bench = make(api=FakeWitness(give(found)))
    await bench.all.at_gate(500)
    (said,) = bench.said()
    assert (said.name, said.of, said.to_ms, said.error) == ("api", "sli", 500, "")
    assert said.parts["bad"] == ()
    (track,) = said.parts["total"]
    assert [value for _, value in track.samples] == [5.0, 6.0]
    assert track.samples[1][0] - track.samples[0][0] == pytest.approx(1_000, abs=1)
    assert abs(track.samples[0][0]) < 2_000, "forty seconds ahead are taken off"
    assert said.facts == {"more": 1, "interval_ms": 1_000, "ahead_ms": 40_000}
    (asked,) = bench.witnesses["api"].asked
    assert asked[2] == "p"
    assert asked[1] - asked[0] == pytest.approx(120, abs=2)


@pytest.mark.parametrize(
    ("do", "error", "wrong"),
    [
        (fail(ProbeError("refused with s3cret")), "refused with ***", False),
        (fail(QueryError("no such thing")), "no such thing", True),
        (fail(RuntimeError("boom")), "RuntimeError: boom", False),
        (give(None), "AttributeError", False),
        (give(Evidence(parts={"total": [Line(samples=[("x", 1)])]})), "TypeError", False),  # type: ignore[list-item]
    ],
)
async def test_a_failure_is_a_line_of_its_own(make: Make, do: Any, error: str, wrong: bool) -> None:
    bench = make(api=FakeWitness(do))
    await bench.all.at_gate(500)
    (said,) = bench.said()
    assert said.error.startswith(error)
    assert (said.wrong, dict(said.parts)) == (wrong, {})


async def test_one_that_hangs_is_left_behind_and_keeps_nobody(make: Make) -> None:
    ended = threading.Event()
    bench = make(hangs=FakeWitness(lambda _from, _to: ended.wait(30)), answers=FakeWitness(give(Evidence())))
    began = time.monotonic()
    await bench.all.at_gate(500)
    assert time.monotonic() - began < 5
    assert {said.name: said.error for said in bench.said()} == {"hangs": "no answer within 0.3 s", "answers": ""}
    ended.set()


async def test_at_the_end_two_intervals_are_waited_for_and_silence_is_asked_again(make: Make) -> None:
    answers = iter([ProbeError("not yet"), Evidence(interval=0.3)])

    def do(_from: float, _to: float) -> Any:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    bench = make(api=FakeWitness(do))
    bench.all.intervals_ms["api"] = 300
    end_ms = int(bench.context.now_ms())
    bench.writer.close()
    await bench.all.at_end(end_ms)
    (said,) = bench.said()
    assert said.error == ""
    assert len(bench.witnesses["api"].asked) == 2
    assert said.at_ms - end_ms >= 600 + 900


async def test_what_is_wrong_is_not_asked_again(make: Make) -> None:
    bench = make(api=FakeWitness(fail(QueryError("no such counter"))))
    began = time.monotonic()
    await bench.all.at_end(0)
    assert len(bench.witnesses["api"].asked) == 1
    assert time.monotonic() - began < RETRY_SECONDS


async def test_a_second_signal_waits_for_nobody(make: Make) -> None:
    bench = make(api=FakeWitness(give(Evidence())))
    bench.all.intervals_ms["api"] = 30_000
    bench.context.stop.watching.cancel()
    began = time.monotonic()
    await bench.all.at_end(int(bench.context.now_ms()))
    assert time.monotonic() - began < 2
    assert bench.said() == []


async def test_a_wall_clock_that_was_set_makes_every_time_meaningless(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make(api=FakeWitness(give(Evidence())))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 3_600)
    await bench.all.at_gate(500)
    (said,) = bench.said()
    assert "the wall clock was set by 3600" in said.error


def test_its_lines_disturb_no_others_and_damage_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "samples.ndjson"
    good = b'{"t":"witness","name":"a","at_ms":1,"from_ms":0,"to_ms":1,"parts":{"total":[{"labels":{},"samples":[[1,2.0]]}]},"facts":{}}\n'
    bad = [
        b'{"t":"witness","name":"a","at_ms":1,"from_ms":0,"to_ms":1,"parts":{"total":[{"labels":{},"samples":[[2,2.0],[1,3.0]]}]}}\n',
        b'{"t":"witness","name":"a","at_ms":1,"from_ms":0,"to_ms":1,"parts":{"total":[{"labels":{},"samples":[[1,NaN]]}]}}\n',
        b'{"t":"witness","name":"a"}\n',
        b'{"t":"witness",rubbish\n',
    ]
    path.write_bytes(good + b"".join(bad) + good[:-1])
    with SampleWriter(path) as writer:
        writer.write_gauge(GaugeSample(sli="q", at_ms=1, value=2.0))
    assert len(read_testimonies(path)) == 1
    path.write_bytes(good + b'{"t":"gauge","sli":"q","at_ms":1,"took_ms":0,"value":2.0}\n')
    assert len(read_gauges(path)) == 1
    assert read_samples(path).rows == ()
