"""Real processes to break: started as a run starts them, and ended with everything that they left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gameday.model import ProcessRef
from gameday.spi import World
from gameday.spi.processes import identify, marked, reap, send, start_process
from gameday.spi.world import ProcessSpec

SLEEP = (sys.executable, "-c", "import time; time.sleep(120)")
SLOW_TO_END = """
import signal, sys, time
def end(*_):
    print("ending", flush=True)
    time.sleep(0.2)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""
"""Code of a process that says ``ready``, and on SIGTERM takes a moment to end."""


def world_of(folder: Path, *names: str, argv: tuple[str, ...] = SLEEP, restart: bool = False) -> World:
    """Describe a run with these processes under ``system:``; none is started."""
    specs = {
        name: ProcessSpec(name=name, argv=argv, log=str(folder / f"system-{name}.log"), restart=restart)
        for name in names
    }
    return World(run_id=f"test-{uuid.uuid4().hex[:12]}", system=specs)


@contextmanager
def running(world: World) -> Generator[World]:
    """Start every process under ``system:``; end whatever carries the run's marks when done."""
    started = [start_process(spec, world.run_id, world.secrets) for spec in world.system.values()]
    try:
        yield world
    finally:
        end = time.monotonic() + 5
        while left := marked(world.run_id, leaders=False):
            assert time.monotonic() < end, f"would not end: {left}"
            for _, ref in left:
                send(ref, signal.SIGKILL)
            for ref in started:
                reap(ref)
        for ref in started:
            reap(ref)


@contextmanager
def stranger(*argv: str) -> Generator[ProcessRef]:
    """Start a process that no run knows of."""
    with subprocess.Popen(argv or SLEEP, start_new_session=True) as process:
        ref = identify(process.pid)
        assert ref is not None
        try:
            yield ref
        finally:
            process.kill()
