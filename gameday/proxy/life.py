"""The life of a proxy process: whose it is, what it does when its run is lost, and when it ends.

Its stdin is a pipe that only the runner holds. The first line is the configuration, which one line on stdout answers:
``{"ready": true, "control": "http://HOST:PORT", "listens": {name: "HOST:PORT"}}`` or ``{"error": …}`` (exit code 1).

- ``{"cmd": "end"}`` on stdin, or SIGTERM: faults off, ports closed, connections closed, exit code 0.
- End of file on stdin: the runner is lost. Faults are off at once and cannot be set again; traffic passes through, for we sit in
  its way; the process ends when no connection has been open for ``linger_ms``.
- ``POST /gameday/end``: as the loss of the runner, and the ports are free at once; the process ends with its last connection.
- Ten minutes after ``max_ms`` it ends in any case.

It leads a session of its own and ignores SIGINT and SIGHUP: a Ctrl-C or a closed terminal is the runner's to handle.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, cast

from gameday.proxy.api import Api
from gameday.proxy.config import CONFIG_LIMIT, Config, ConfigError, parse_config
from gameday.proxy.errors import RefusedError
from gameday.proxy.log import Log, to_stderr
from gameday.proxy.process import log_crashes, raise_descriptor_limit, run_on, start_control
from gameday.proxy.proxies import Proxies

_GRACE_MS = 10 * 60 * 1000
_DRAIN_SECONDS = 60.0
_FLUSH_SECONDS = 1.0
_POLL_SECONDS = 0.02


def main() -> int:
    """Run a proxy process; return its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(PermissionError):  # it leads a process group already
        os.setsid()
    raise_descriptor_limit()
    try:
        line, rest = _first_line()
        config = parse_config(line)
        run_on(config.loop, _serve(config, rest))
    except (ConfigError, OSError) as error:
        with contextlib.suppress(OSError):
            _say({"error": str(error)})
        return 1
    return 0


async def _serve(config: Config, rest: bytes) -> None:
    log = Log(to_stderr)
    log_crashes(log)
    proxies = Proxies(run=config.run, seed=config.seed, log=log)
    for spec in config.proxies:
        try:
            proxies.create(spec)
        except RefusedError as error:
            raise ConfigError(f"proxy {spec.name}: {error.message}") from error
    control = await start_control(Api(proxies, config.token), config.control)
    life = Life(proxies, config)
    await life.listen_to_runner(rest)
    listens = {name: str(proxy.listen) for name, proxy in proxies.named.items()}
    _say({"ready": True, "control": f"http://{control}", "listens": listens})
    await life.until_end()


class Life:
    """Waits for whichever end comes first, and carries it out."""

    def __init__(
        self, proxies: Proxies, config: Config, *, grace_ms: int = _GRACE_MS, drain_seconds: float = _DRAIN_SECONDS
    ) -> None:
        self._proxies = proxies
        self._linger = config.linger_ms / 1000
        self._longest = None if config.max_ms is None else (config.max_ms + grace_ms) / 1000
        self._drain_seconds = drain_seconds
        self._told_to_end = asyncio.Event()

    async def listen_to_runner(self, rest: bytes) -> None:
        """Watch stdin, of which ``rest`` was read already, and SIGTERM; raises ConfigError."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._told_to_end.set)
        runner = _Runner(on_lost=self._proxies.end_run, on_end=self._told_to_end.set)
        try:
            await loop.connect_read_pipe(lambda: runner, sys.stdin)
        except ValueError as error:
            raise ConfigError("stdin is not a pipe") from error
        runner.data_received(rest)

    async def until_end(self) -> None:
        """Serve until the end; then faults off, ports closed, and connections closed behind what was written to them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._longest):
                await self._first_end()
        self._proxies.end_run()
        self._proxies.stop_listening()
        self._proxies.close_links()
        await self._until_idle(_FLUSH_SECONDS)

    async def _first_end(self) -> None:
        waits = [asyncio.create_task(wait) for wait in (self._ended_by_runner(), self._deserted(), self._drained())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _ended_by_runner(self) -> None:
        await self._told_to_end.wait()

    async def _deserted(self) -> None:
        """Wait until the run is over and no connection has been open for the linger time."""
        loop = asyncio.get_running_loop()
        await self._proxies.over.wait()
        since = loop.time()
        while (left := max(since, self._proxies.busy_at) + self._linger - loop.time()) > 0:  # noqa: ASYNC110 - sleeps as long as is left
            await asyncio.sleep(left)

    async def _drained(self) -> None:
        """Wait until somebody asked for the end, and for the open connections."""
        await self._proxies.ending.wait()
        await self._until_idle(self._drain_seconds)

    async def _until_idle(self, seconds: float) -> None:
        """Wait until no connection is open, at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._proxies.connections:  # noqa: ASYNC110 - only at the end, and bounded
                    await asyncio.sleep(_POLL_SECONDS)


class _Runner(asyncio.Protocol):
    """The runner, as its pipe shows it: lines, and the end of file when it is gone."""

    def __init__(self, *, on_lost: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._on_end = on_end
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self._buffer = self._buffer[-CONFIG_LIMIT:]
        if any(_command(line) == "end" for line in lines):
            self._on_end()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._on_lost()


def _command(line: bytes) -> object:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", raw).get("cmd") if isinstance(raw, dict) else None


def _first_line() -> tuple[bytes, bytes]:
    """Read stdin up to its first newline; return that line and what came with it. Raises ConfigError."""
    read = b""
    while b"\n" not in read:
        chunk = os.read(0, 65_536)
        if not chunk or len(read) > CONFIG_LIMIT:
            raise ConfigError("no configuration on stdin: one line of JSON is expected")
        read += chunk
    line, _, rest = read.partition(b"\n")
    return line, rest


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
