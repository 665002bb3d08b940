from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gameday.model import ProcessRef
from gameday.spi import ProbeError, QueryError, World
from gameday.spi.processes import marked, reap, send, start_process
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers import process_probe
from gameday_drivers.process_probe import ProcessProbe
from tests.fakes.victims import running, world_of

OPENER = """
import os, signal, sys, threading, time
kept = []
def more(*_):
    kept.append(open(os.devnull))
    kept.append(bytearray(os.urandom(1)) * (32 << 20))
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print("more", flush=True)
signal.signal(signal.SIGUSR1, more)
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""
BUSY = """
import os, sys, time
share, children = float(sys.argv[1]), int(sys.argv[2])
for _ in range(children):
    if os.fork() == 0:
        break
print("ready", flush=True)
while True:
    end = time.process_time() + share * 0.02
    began = time.monotonic()
    while time.process_time() < end:
        pass
    time.sleep(max(0, 0.02 - (time.monotonic() - began)))
"""
FORKER = """
import os, time
print("ready", flush=True)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.06
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
    print("done", flush=True)
    time.sleep(0.06)
"""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[World]:
    with running(world_of(tmp_path, "victim", argv=(sys.executable, "-c", OPENER))) as world:
        await_said(tmp_path, "ready")
        yield world


def await_said(folder: Path, word: str, times: int = 1) -> None:
    log = folder / "system-victim.log"
    assert eventually(lambda: log.read_text().count(word) >= times)


def victim(world: World) -> ProcessRef:
    return marked(world.run_id, "victim")[0][1]


def proc(world: World, name: str) -> str:
    return Path(f"/proc/{victim(world).pid}/{name}").read_text()


def status(world: World, name: str) -> int:
    return next(int(line.split()[1]) for line in proc(world, "status").splitlines() if line.startswith(name + ":"))


class VictimContract(ProbeContract):
    given: ClassVar[dict[str, Any]]

    def expected(self, world: World) -> float:
        raise NotImplementedError

    @pytest.fixture
    def world(self, system: World) -> World:
        return system

    @pytest.fixture
    def source(self, world: World, tmp_path: Path) -> Source:
        def change() -> None:
            send(victim(world), signal.SIGUSR1)
            await_said(tmp_path, "more")

        def end() -> None:
            send(victim(world), signal.SIGKILL)
            assert eventually(lambda: not marked(world.run_id))

        return Source(
            probe=ProcessProbe(value="victim", timeout_=2_000, **self.given),
            expected=lambda: self.expected(world),
            change=change,
            silence=end,
            spoil=end,
        )


class TestFds(VictimContract):
    given: ClassVar = {"fds": True}

    def expected(self, world: World) -> float:
        return len(list(Path(f"/proc/{victim(world).pid}/fd").iterdir()))


class TestThreads(VictimContract):
    given: ClassVar = {"threads": True}

    def expected(self, world: World) -> float:
        return status(world, "Threads")


class TestMemory(VictimContract):
    given: ClassVar = {"memory": True}
    tolerance = 4.0 * 2**20

    def expected(self, world: World) -> float:
        return status(world, "VmRSS") * 1024


def ticks(refs: list[ProcessRef]) -> float:
    """CPU time by the kernel's other count of it, in seconds."""
    fields = [Path(f"/proc/{ref.pid}/stat").read_text().rpartition(")")[2].split() for ref in refs]
    return sum(int(user) + int(system) for *_, user, system in (row[:13] for row in fields)) / 100


@pytest.mark.slow
@pytest.mark.parametrize(("children", "tree"), [(0, False), (2, False), (2, True)])
def test_cpu_is_a_share_of_one_core(tmp_path: Path, children: int, *, tree: bool) -> None:
    argv = (sys.executable, "-c", BUSY, "0.25", str(children))
    with running(world_of(tmp_path, "victim", argv=argv)) as world:
        await_said(tmp_path, "ready", 1 + children)
        refs = [ref for _, ref in marked(world.run_id, leaders=not tree)]
        assert len(refs) == (1 + children if tree else 1)
        before, began = ticks(refs), time.monotonic()
        found = ProcessProbe(value="victim", cpu=True, tree=tree, window=1_200).read(world)
        used = (ticks(refs) - before) / (time.monotonic() - began)
    assert used > 0.05, "a victim that does nothing proves nothing"
    assert found == pytest.approx(used, rel=0.2, abs=0.02)


@pytest.mark.slow
def test_cpu_of_children_that_have_ended_is_counted(tmp_path: Path) -> None:
    """Each uses 60 ms of CPU: whoever looks at the living alone sees about none of it."""
    with running(world_of(tmp_path, "victim", argv=(sys.executable, "-c", FORKER))) as world:
        await_said(tmp_path, "done")
        assert ProcessProbe(value="victim", cpu=True, window=500).read(world) < 0.1
        log = tmp_path / "system-victim.log"
        before, began = log.read_text().count("done"), time.monotonic()
        found = ProcessProbe(value="victim", cpu=True, tree=True, window=1_200).read(world)
        ended, seconds = log.read_text().count("done") - before, time.monotonic() - began
    assert ended > 2, "a victim that does nothing proves nothing"
    assert found == pytest.approx(ended * 0.065 / seconds, rel=0.25, abs=0.065)


def test_an_idle_process_has_hardly_any_cpu(system: World) -> None:
    assert ProcessProbe(value="victim", cpu=True, window=100).read(system) < 0.2


class Clock:
    """Stands in for the module ``time``: what happens in the window happens while it is slept through."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def sleep(self, seconds: float) -> None:
        self.act()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("tree", [False, True])
def test_a_process_that_ends_or_starts_anew_in_the_middle_is_no_reading(
    system: World, monkeypatch: pytest.MonkeyPatch, *, tree: bool, again: bool
) -> None:
    def act() -> None:
        ref = victim(system)
        send(ref, signal.SIGKILL)
        assert eventually(lambda: reap(ref) is not None), (
            "its marks are gone before it is: the kernel drops the memory first"
        )
        if again:
            start_process(system.system["victim"], system.run_id, system.secrets)

    monkeypatch.setattr(process_probe, "time", Clock(act))
    with pytest.raises(ProbeError, match="ended in the middle"):
        ProcessProbe(value="victim", cpu=True, tree=tree).read(system)


def test_children_are_counted_with_the_tree(tmp_path: Path) -> None:
    with running(world_of(tmp_path, "victim", argv=("sh", "-c", "sleep 60 & sleep 60 & echo ready; wait"))) as world:
        await_said(tmp_path, "ready")
        assert eventually(lambda: ProcessProbe(value="victim", threads=True, tree=True).read(world) == 3)
        assert ProcessProbe(value="victim", threads=True).read(world) == 1


def test_by_pidfile(system: World, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{victim(system).pid}\n")
    assert ProcessProbe(value={"pidfile": str(tmp_path / "pid")}, threads=True).read(system) == 1
    (tmp_path / "pid").write_text("")
    with pytest.raises(ProbeError, match="no usable pid"):
        ProcessProbe(value={"pidfile": str(tmp_path / "pid")}, threads=True).read(system)


def test_a_name_that_is_not_under_system_is_a_wrong_question(system: World) -> None:
    with pytest.raises(QueryError, match="no process 'shop' under system"):
        ProcessProbe(value="shop", fds=True).read(system)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": ""}, "^value is empty"),
        ({"value": {"pid": "7"}}, "^value must be a name"),
        ({"value": {"pidfile": 7}}, "^value must be a name"),
        ({"value": {"match": "("}}, "^value: match is not a regular expression"),
        ({"cpu": False}, "^value needs exactly one of cpu"),
        ({"fds": True}, "^value needs exactly one of cpu"),
        ({"cpu": False, "fds": True, "window": 100}, "^window is for cpu"),
        ({"window": 6_000}, "^window must be shorter"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    filled: dict[str, Any] = {"value": "victim", "cpu": True, **given}
    with pytest.raises(ValueError, match=words):
        ProcessProbe(**filled)
