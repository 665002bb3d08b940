"""Runs the real load child against the real stall server, for tests: never imports locust in this process."""

from __future__ import annotations

import json
import math
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from gameday.load.generator import LoadChild
from gameday.load.protocol import Message
from gameday.schema.experiment import LoadProfile
from gameday.spi.world import Secrets

During = Callable[[LoadChild], Coroutine[Any, Any, None]]
STALL_SERVER = Path(__file__).with_name("stall_server.py")
EVERYTHING = STALL_SERVER.with_name("load_everything.py")
TASKS = STALL_SERVER.with_name("load_tasks.py")
"""Locustfiles."""


@contextmanager
def stall_server(*arguments: str) -> Generator[str]:
    """Start the server and yield its host and port."""
    process = subprocess.Popen([sys.executable, str(STALL_SERVER), *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def server_stats(address: str, *, cafile: Path | None = None) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=str(cafile)) if cafile else None
    with urllib.request.urlopen(
        f"{'https' if cafile else 'http'}://{address}/stats", timeout=5, context=context
    ) as answer:
        return dict(json.loads(answer.read()))


def profile(target: str, rate: str, requests: Sequence[Mapping[str, Any]], **more: Any) -> LoadProfile:
    return LoadProfile.model_validate({"target": target, "rate": rate, "requests": requests, "timeout": "1s", **more})


def locust_profile(address: str, **more: Any) -> LoadProfile:
    """Return the load of a locustfile: by default the one that uses everything of Locust."""
    document = {"target": f"http://{address}", "timeout": "1s", "locustfile": str(EVERYTHING), **more}
    return LoadProfile.model_validate(document)


@dataclass
class Heard:
    """Every message of one run, and its counts."""

    messages: list[Message] = field(default_factory=list[Message])
    stop_s: float = 0.0
    """From the stop to the end of the stream."""
    stopped_ms: float = math.inf
    """When it was told to stop, as ``at_ms`` counts."""

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["t"] == kind]

    def ticks_on(self) -> list[Message]:
        """Return the ticks of before the stop: after it the users leave, some of them before a next tick."""
        return [tick for tick in self.of("tick") if tick["at_ms"] < self.stopped_ms]

    @property
    def bye(self) -> Message:
        return self.of("bye")[0]

    def counts(self) -> dict[str, Counter[str]]:
        """Return endpoint → kind → count."""
        found: dict[str, Counter[str]] = {}
        for message in self.of("agg"):
            for _, endpoint, kind, count, _ in message["rows"]:
                found.setdefault(endpoint, Counter())[kind] += count
        return found

    def slower(self, limit_us: int, kind: str = "ok") -> int:
        return sum(row[4].get(str(limit_us), 0) for m in self.of("agg") for row in m["rows"] if row[2] == kind)

    @property
    def rows(self) -> int:
        return sum(sum(kinds.values()) for kinds in self.counts().values())


def run_load(
    load: LoadProfile,
    seconds: float,
    logs: Path,
    *,
    limits_us: Sequence[int] = (300_000,),
    secrets: Secrets | None = None,
    during: During | None = None,
    data: Mapping[str, Sequence[Any]] | None = None,
    base: Path | None = None,
) -> Heard:
    """Let arrivals leave for ``seconds``, stop, and return all that was heard; ``during`` runs beside it once begun."""
    return anyio.run(_run, load, seconds, logs, limits_us, secrets or Secrets(), during, data, base)


async def _run(  # noqa: PLR0917 - anyio.run hands on by position
    load: LoadProfile,
    seconds: float,
    logs: Path,
    limits_us: Sequence[int],
    secrets: Secrets,
    during: During | None,
    data: Mapping[str, Sequence[Any]] | None,
    base: Path | None,
) -> Heard:
    epoch = time.monotonic_ns()
    heard = Heard()
    child = await LoadChild.start(
        load, limits_us=limits_us, epoch_ns=epoch, seed=1, logs=logs, secrets=secrets, data=data, base=base
    )
    try:
        await child.begin((time.monotonic_ns() - epoch) // 1_000_000 + 50)
        stopped = 0.0
        async with anyio.create_task_group() as group:

            async def stop() -> None:
                nonlocal stopped
                await anyio.sleep(seconds)
                stopped = time.monotonic()
                heard.stopped_ms = stopped * 1000 - epoch / 1e6
                await child.stop()

            group.start_soon(stop)
            if during is not None:
                group.start_soon(during, child)
            async for message in child.messages():
                heard.messages.append(message)
            heard.stop_s = time.monotonic() - stopped
    finally:
        await child.kill()
    return heard
