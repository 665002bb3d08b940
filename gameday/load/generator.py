"""The parent's end of the load child: started, begun, heard, stopped and, if it comes to that, killed.

Start it from the main thread: the kernel kills the child when the *thread* that started it ends, not only the process.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from gameday.load.limits import check_port
from gameday.load.lines import LineReader
from gameday.load.preflight import load_config
from gameday.load.protocol import Message, encode, parse_message
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from gameday.spi.world import Secrets

READY_S = 20.0
"""How long the child may take to become ready; half a second is usual."""
SILENCE_S = 3.5
"""Once begun, a pulse comes every 100 ms: a child that is silent for this long is lost."""
WORKERS_S = 60.0
"""How long the workers of ``load.workers`` may take to connect."""
_DRAIN_S = 1.0
"""How much longer than the timeout the last requests may take after a stop."""
_DRAIN_MANY_S = 2.5
"""The same where several processes tell of them, or Locust has to stop its users."""
_AHEAD_MS = 50
"""How soon a change of rate or users takes effect: the same moment for every process."""
_TERM_S = 0.5
_EXIT_S = 2.0
_GLANCE_S = 0.25
_TAIL = 2_000
"""Characters of its log that an error shows."""
_NOT_INHERITED = ("LOCUST_", "GEVENT_", "GAMEDAY_")


class LoadChild:
    """One load child. Whoever starts it calls ``kill`` at the end, which is safe at any time and more than once."""

    def __init__(
        self, process: subprocess.Popen[bytes], stream: int, *, config: Mapping[str, Any], log: Path, secrets: Secrets
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._reader = LineReader(stream)
        self._timeout_s = config["timeout_ms"] / 1000
        self._drain_s = _DRAIN_S if config["locust"] is None and config["processes"] == 1 else _DRAIN_MANY_S
        self._open = bool(config["open"])
        self._epoch_ns = int(config["epoch_ns"])
        self._log = log
        self._secrets = secrets
        self._begun = False
        self._heard = math.inf
        self._stop_by = math.inf
        self._terminated = False
        self._reading = False

    @classmethod
    async def start(
        cls,
        profile: LoadProfile,
        *,
        limits_us: Sequence[int],
        epoch_ns: int,
        seed: int,
        logs: Path,
        secrets: Secrets,
        data: Mapping[str, Sequence[Any]] | None = None,
        base: Path | None = None,
    ) -> LoadChild:
        """Start the child and return when it is ready to begin.

        ``limits_us`` are the latency limits to count exactly, ``epoch_ns`` is the zero of the run's clock, ``logs`` the folder of
        ``load.log``, ``data`` the lists that templates pick from, ``base`` the folder that a relative locustfile counts from. Raises
        LoadError when the profile cannot be sent from here, or the child dies, refuses it or is not ready in 20 s (80 s with workers).
        """
        config = load_config(profile, secrets, data=data or {}, base=base or Path.cwd())
        config |= {"limits_us": list(limits_us), "epoch_ns": epoch_ns, "seed": seed, "parent_pid": os.getpid()}
        config["gather_s"] = WORKERS_S
        if profile.workers is not None:
            check_port(profile.workers.bind, profile.workers.port)
        child = cls._spawn(config, log=logs / "load.log", secrets=secrets)
        try:
            await child._until_ready(config)  # noqa: SLF001 - our own class
        except BaseException:
            await child.kill()
            raise
        return child

    @classmethod
    def _spawn(cls, config: dict[str, Any], *, log: Path, secrets: Secrets) -> LoadChild:
        """Start the process in a session of its own, and note in ``config`` which descriptor it inherits."""
        stream, inherited = os.pipe()
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "gameday.load.child"],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    bufsize=0,
                    cwd="/",
                    env=_environment(os.environ),
                    pass_fds=(inherited,),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(stream)
            raise LoadError(f"cannot start the load generator: {error.strerror or error}") from error
        finally:
            os.close(inherited)
        config["out_fd"] = inherited
        return cls(process, stream, config=config, log=log, secrets=secrets)

    async def _until_ready(self, config: Mapping[str, Any]) -> None:
        asked = config["locust"]
        patience = READY_S + (WORKERS_S if asked and asked["workers"] else 0)
        end = time.monotonic() + patience
        try:
            with anyio.fail_after(patience):
                await self._send(config)
            line = await self._reader.next(end)
        except TimeoutError:
            raise self._lost(f"the load generator was not ready within {patience:g} s") from None
        if line is None:
            await self._ended(_EXIT_S)
            raise self._lost("the load generator ended before it was ready")
        message = parse_message(line)
        if message["t"] == "refused":
            raise LoadError(self._secrets.mask(message["text"]), hint=f"its log is {self._log}")
        if message["t"] != "ready":
            raise self._lost("the load generator ended before it was ready")

    async def begin(self, at_ms: int) -> None:
        """Let the first arrival be due at ``at_ms`` of the run's clock; LoadError when the child is gone."""
        await self._send({"cmd": "start", "at_ms": at_ms})
        self._begun, self._heard = True, time.monotonic()

    async def set_rate(self, rate: float) -> None:
        """Go on at ``rate`` arrivals per second from 50 ms from now; LoadError in the closed model, or when the child is gone."""
        if not self._open:
            raise LoadError("users have no rate", hint="set the number of users")
        await self._send({"cmd": "rate", "rate": rate, "at_ms": self._soon_ms()})

    async def set_users(self, users: int) -> None:
        """Go on with ``users`` from 50 ms from now; LoadError in the open model, or when the child is gone."""
        if self._open:
            raise LoadError("arrivals follow a rate, not users", hint="set the rate")
        await self._send({"cmd": "users", "users": users, "at_ms": self._soon_ms()})

    def _soon_ms(self) -> int:
        return (time.monotonic_ns() - self._epoch_ns) // 1_000_000 + _AHEAD_MS

    async def messages(self) -> AsyncIterator[Message]:
        """Yield every message up to and with ``bye``, each of them checked (gameday.load.protocol).

        Raises LoadError, after the whole process group was killed, when a line is malformed or too long, the stream ends
        without ``bye`` or with one that nobody asked for, nothing comes for 3.5 s once begun, or it does not end in time after ``stop``.
        """
        try:
            while True:
                message = parse_message(await self._line())
                if self._begun:
                    self._heard = time.monotonic()
                if message["t"] == "log":
                    message["text"] = self._secrets.mask(message["text"])
                yield message
                if message["t"] == "bye":
                    if self._stop_by == math.inf:
                        raise self._lost("the load ended by itself, before the run did")
                    break
        except LoadError:
            await self.kill()
            raise
        await self._ended(_EXIT_S)
        await self.kill()

    async def _line(self) -> bytes:
        """Return the next line, watching the time: silence is a loss, and a stop that lasts too long is enforced."""
        while True:
            limit = min(self._heard + SILENCE_S, self._stop_by)
            self._reading = True
            try:
                line = await self._reader.next(min(limit, time.monotonic() + _GLANCE_S))
            except TimeoutError:
                if time.monotonic() >= limit:
                    self._overdue()
                continue
            finally:
                self._reading = False
            if line is None:
                await self._ended(_EXIT_S)  # its end comes a moment after the end of its stream, and says why
                raise self._lost("the load generator ended without a last word")
            return line

    def _overdue(self) -> None:
        if time.monotonic() < self._stop_by:
            raise self._lost(f"the load generator was silent for {SILENCE_S:g} s")
        if self._terminated:
            raise self._lost("the load generator did not stop in time and was killed")
        self._terminated = True
        self._stop_by = time.monotonic() + _TERM_S
        self._signal(signal.SIGTERM)

    async def stop(self) -> None:
        """Ask for the end and return at once: no new arrivals, the last requests are decided, and ``messages`` ends with ``bye``.

        When that takes longer than the timeout and a second, ``messages`` sends SIGTERM and half a second later SIGKILL.
        """
        self._stop_by = min(self._stop_by, time.monotonic() + self._timeout_s + self._drain_s)
        with suppress(LoadError):  # gone already: messages() says so
            await self._send({"cmd": "stop"})

    async def kill(self) -> None:
        """Kill the whole process group and wait until it is gone; never raises, never cancelled."""
        with anyio.CancelScope(shield=True):
            self._signal(signal.SIGKILL)
            await self._ended(_EXIT_S)
            if self._process.stdin is not None:
                self._process.stdin.close()
            if not self._reading:
                self._reader.close()

    def _signal(self, signum: signal.Signals) -> None:
        """Signal the group while its leader is not yet waited for: its number cannot belong to anybody else."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    async def _ended(self, seconds: float) -> bool:
        """Wait for the end of the process, at most for ``seconds``; return whether it ended."""
        end = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < end:  # noqa: ASYNC110 - no event tells of it on every system
            await anyio.sleep(0.005)
        return self._process.returncode is not None

    async def _send(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise self._lost("the load generator is gone")
        os.set_blocking(pipe.fileno(), False)
        data = encode(message)
        while data:
            try:
                data = data[os.write(pipe.fileno(), data) :]
            except BlockingIOError:
                await anyio.wait_writable(pipe.fileno())
            except BrokenPipeError:
                raise self._lost("the load generator is gone") from None

    def _lost(self, what: str) -> LoadError:
        """Say what happened, with how it ended and the tail of its log, secrets masked."""
        code = self._process.poll()
        how = "" if code is None else f" (killed by signal {-code})" if code < 0 else f" (exit code {code})"
        try:
            tail = self._log.read_bytes()[-_TAIL:].decode(errors="replace").strip()
        except OSError:
            tail = ""
        said = f"; its log ends with:\n{self._secrets.mask(tail)}" if tail else ""
        return LoadError(
            f"{what}{how}{said}", hint=f"the whole log is {self._log}; without the load generator nothing is measured"
        )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the child inherits: nothing that would change how locust or gevent work, and not the watchdog's pipe."""
    return {name: value for name, value in environ.items() if not name.startswith(_NOT_INHERITED)}
