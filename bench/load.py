"""Arrivals per second and core of the inline load, beside Locust's own FastHttpUser, in one run: ratios, not absolute numbers.

    python bench/load.py [SECONDS]

A small server is pinned to one core and each generator to another. Requests per core are requests divided by the CPU seconds that the
generator used, so that other work on the machine counts against neither. Goals: at least 0.6 × FastHttpUser (which is closed-loop:
it never waits for a clock and measures no intended start), and a schedule lag p99 of at most 10 ms at half of our maximum.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import anyio

from gameday.load.generator import LoadChild
from gameday.schema.experiment import LoadProfile
from gameday.spi.world import Secrets

GOAL_RATIO = 0.6
GOAL_LAG_MS = 10.0
RATES = (2000, 3000, 4000, 5000, 6000, 7000, 8000, 10000, 12000)
USERS = 50
LOCUST = (sys.executable, "-m", "locust", "--headless", "--only-summary", "--exit-code-on-error", "0")
LOCUSTFILE = """
from locust import FastHttpUser, constant, task
class Closed(FastHttpUser):
    wait_time = constant(0)
    @task
    def home(self): self.client.get("/")
"""


class Fast(asyncio.Protocol):
    """Answers every request with a small JSON document and counts them; /count tells."""

    served = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        Fast.served += 1
        body = (
            str(Fast.served).encode()
            if data.startswith(b"GET /count")
            else b'{"products": [{"sku": "A1"}, {"sku": "B2"}]}'
        )
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: bench\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Fast, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def fast_server(core: int) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def served(url: str) -> int:
    with urllib.request.urlopen(f"{url}/count", timeout=5) as answer:
        return int(answer.read())


def closed(url: str, seconds: int, folder: Path) -> float:
    """Run FastHttpUser as fast as it can; return requests per CPU second."""
    locustfile = folder / "closed.py"
    locustfile.write_text(LOCUSTFILE)
    before, used = served(url), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*LOCUST, "-f", locustfile, "-u", str(USERS), "-r", "100", "-H", url, "-t", f"{seconds}s"],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return (served(url) - before) / cpu


async def opened(url: str, rate: float, seconds: float, folder: Path) -> tuple[float, float, float, bool]:
    """Run the open model at one rate; return requests per CPU second, lag p99 (median and worst second) and whether it kept up."""
    profile = LoadProfile.model_validate(
        {"target": url, "rate": f"{rate:g}/s", "timeout": "1s", "requests": [{"name": "home", "get": "/"}]}
    )
    epoch = time.monotonic_ns()
    child = await LoadChild.start(profile, limits_us=[300_000], epoch_ns=epoch, seed=1, logs=folder, secrets=Secrets())
    ticks = []
    try:
        await child.begin((time.monotonic_ns() - epoch) // 1_000_000 + 50)
        async for message in child.messages():
            if message["t"] == "tick":
                ticks.append(message)
            if len(ticks) == seconds:
                await child.stop()
    finally:
        await child.kill()
    whole = ticks[1 : int(seconds)]
    per_core = sum(t["started"] for t in whole) / sum(t["cpu"] for t in whole)
    lags = [t["lag_p99_ms"] for t in whole]
    late = sum(t["late"] for t in whole) / sum(t["started"] for t in whole)
    kept_up = late < 0.01 and sum(t["started"] for t in whole) > 0.98 * rate * len(whole)
    print(
        f"  open {rate:6.0f}/s: cpu {statistics.mean(t['cpu'] for t in whole):.2f}, {per_core:6.0f} requests/core, "
        f"lag p99 {statistics.median(lags):.2f} ms (worst second {max(lags):.2f}), late {late:.2%}"
    )
    return per_core, statistics.median(lags), max(lags), kept_up


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory() as name, fast_server(cores[0]) as url:
        folder = Path(name)
        peer = closed(url, seconds, folder)
        print(f"  FastHttpUser, closed, {USERS} users: {peer:6.0f} requests/core")
        best, top = 0.0, 0.0
        for rate in RATES:
            per_core, _, _, kept_up = anyio.run(opened, url, rate, seconds, folder)
            if not kept_up:
                break
            best, top = per_core, rate
        _, median, worst, _ = anyio.run(opened, url, top / 2, seconds, folder)
    print(
        f"maximum kept up with: {top:.0f}/s; requests per core against FastHttpUser: {best / peer:.2f}x (goal >= {GOAL_RATIO}x)"
    )
    print(f"lag p99 at half of it: {median:.2f} ms, worst second {worst:.2f} ms (goal <= {GOAL_LAG_MS:g} ms)")
    return 0 if best / peer >= GOAL_RATIO and median <= GOAL_LAG_MS else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        asyncio.run(serve())
    else:
        sys.exit(main())
