"""The runner's side of the watchdog: started before the first fault, told of everything that would have to be undone."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from gameday.journal.writer import Journal
from gameday.model import Plan, ProcessRef
from gameday.spi import GamedayError, World
from gameday.spi.children import PIPE_VARIABLE
from gameday.spi.processes import identify
from gameday.undo.pipe import boottime
from gameday.undo.standing import unit_prefix

LEASE_SECONDS = 5.0
MAX_SECONDS = 86_400.0
"""A run's maximum where nobody says another: a day."""
HEARTBEAT_SECONDS = 0.5
READY_SECONDS = 15.0
_PIPE_BYTES = 1024 * 1024


class WatchdogLostError(GamedayError):
    """The watchdog is gone or does not listen: nothing may be injected from here on."""


class Guardian:
    """A running watchdog, and the write end of its pipe."""

    def __init__(self, process: Process, pipe: int, ref: ProcessRef) -> None:
        self.pipe = pipe
        self.ref = ref
        self.place = ""
        """What the watchdog stands in: ``unit``, ``cgroup`` or ``session``."""
        self._process = process
        self._reader: BufferedByteReceiveStream | None = None
        self._beat = self._heard = boottime()

    @classmethod
    async def start(
        cls,
        *,
        run_id: str,
        journal: Path,
        faults: Mapping[str, Any],
        world: World,
        log: Path,
        lease_seconds: float = LEASE_SECONDS,
        max_seconds: float = MAX_SECONDS,
        beside: Callable[[Guardian], Awaitable[None]] | None = None,
    ) -> Guardian:
        """Start the watchdog and return when every driver of this file is imported in it; raise GamedayError otherwise.

        It ends the runner, and undoes everything, ``max_seconds`` from now even if heartbeats go on. ``beside`` is called once, as soon as
        its pipe is known: for what can be started while it is getting ready, and must touch nothing.
        """
        runner = identify(os.getpid())
        if runner is None:
            raise WatchdogLostError("this platform does not tell a process's start time; faults need Linux")
        setup = {
            "run_id": run_id,
            "journal": str(journal),
            "runner": _ref(runner),
            "lease_seconds": lease_seconds,
            "max_seconds": max_seconds,
            "faults": dict(faults),
            "world": world.to_json(with_secrets=True),
        }
        guardian = await cls._in_unit(unit_prefix(run_id), {**setup, "in_unit": True}, log)
        if guardian is None:
            guardian = await cls._launch([], {**setup, "in_unit": False}, log)
        try:
            if beside is not None:
                await beside(guardian)
        except BaseException:
            await guardian.kill()
            raise
        await guardian.await_ready()
        return guardian

    @classmethod
    async def _in_unit(cls, prefix: Sequence[str], setup: Mapping[str, Any], log: Path) -> Guardian | None:
        """Return one that watches from a unit of systemd; None where there is no systemd, or it gives us no unit after all."""
        if prefix:
            with suppress(WatchdogLostError):
                guardian = await cls._launch(prefix, setup, log)
                await guardian.await_ready()
                return guardian
        return None

    @classmethod
    async def _launch(cls, prefix: Sequence[str], setup: Mapping[str, Any], log: Path) -> Guardian:
        read, write = os.pipe()
        with suppress(OSError, AttributeError):
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(write, False)
        env = {name: value for name, value in os.environ.items() if name != PIPE_VARIABLE}
        try:
            with log.open("ab") as stderr:
                process = await anyio.open_process(
                    [*prefix, sys.executable, "-m", "gameday.undo.watchdog"],
                    stdin=read,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=env,
                    start_new_session=True,
                )
        finally:
            os.close(read)
        guardian = cls(process, write, identify(process.pid) or ProcessRef(pid=process.pid, start=0))
        try:
            guardian.tell(setup)
        except WatchdogLostError:
            await guardian.kill()
            raise
        return guardian

    async def await_ready(self) -> None:
        """Return when it watches, at once if it is known to; raise WatchdogLostError, and kill it, when it does not come to that."""
        if self._reader is not None:
            return
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        reader = BufferedByteReceiveStream(self._process.stdout)
        reply: dict[str, Any] = {}
        with anyio.move_on_after(READY_SECONDS), suppress(anyio.IncompleteRead, anyio.EndOfStream):
            reply = json.loads(await reader.receive_until(b"\n", 65536))
        if not reply.get("ready"):
            await self.kill()
            raise WatchdogLostError(
                str(reply.get("error", "the watchdog did not start; see logs/watchdog.log")),
                hint=str(reply.get("hint", "")),
            )
        self.place, self._reader, self._heard = str(reply.get("place", "")), reader, boottime()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send one message; raise WatchdogLostError when the watchdog is gone or does not read."""
        self._write(json.dumps(message).encode() + b"\n")

    def beat(self) -> None:
        """Send a heartbeat; called by the runner's own event loop, so that a hung loop is a missing heartbeat.

        Raises WatchdogLostError when earlier ones were not answered: a watchdog that hangs is as good as none. One that is still getting
        ready answers none, and counts from the moment it is.
        """
        if self._reader is not None and self._beat - self._heard > LEASE_SECONDS:
            raise WatchdogLostError(f"the watchdog has not answered for {self._beat - self._heard:.1f} s")
        self._write(b"\n")
        self._beat = boottime()

    def check_fresh(self, lease_seconds: float = LEASE_SECONDS) -> None:
        """Raise WatchdogLostError unless our last heartbeat is younger than half the lease: asked before each inject."""
        if boottime() - self._beat > lease_seconds / 2:
            raise WatchdogLostError("this runner was held up for so long that the watchdog may be acting already")
        if self._process.returncode is not None:
            raise WatchdogLostError("the watchdog is gone")

    async def listen(self) -> None:
        """Take in its answers to heartbeats until it ends."""
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while self._reader is not None:
                await self._reader.receive()
                self._heard = boottime()

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self.pipe, data)
        except OSError as error:
            raise WatchdogLostError(f"the watchdog does not listen: {error.strerror}") from error
        if written != len(data):
            raise WatchdogLostError("the watchdog does not listen: its pipe is full")

    def register_host(self, ref: ProcessRef) -> None:
        """Name a driver host that would have to be fenced."""
        self.tell({"say": "host", **_ref(ref)})

    def tell_world(self, world: World) -> None:
        """Say how to reach what the drivers touch, secrets and tokens included: in memory only."""
        self.tell({"say": "world", "world": world.to_json(with_secrets=True)})

    def tell_armed(self, fault: str, plan: Plan, max_seconds: float | None = None) -> None:
        """Say that this fault may be on from now on, and for how long at most."""
        self.tell({"say": "armed", "fault": fault, "plan": plan.to_json(), "max_seconds": max_seconds})

    def tell_reverted(self, fault: str) -> None:
        """Say that this fault is proven gone."""
        self.tell({"say": "reverted", "fault": fault})

    async def wait(self) -> int:
        """Return when the watchdog has ended; while a run is on, that is an alarm."""
        return await self._process.wait()

    async def goodbye(self) -> None:
        """End the watch: everything is undone."""
        with suppress(WatchdogLostError):
            self.tell({"say": "goodbye"})
        with anyio.move_on_after(2):
            await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End the watchdog at once and let go of the pipe."""
        with anyio.CancelScope(shield=True):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.kill()
            await self._process.wait()
            await self._process.aclose()
            if self.pipe >= 0:
                os.close(self.pipe)
                self.pipe = -1


async def arm(
    journal: Journal, guardian: Guardian | None, fault: str, plan: Plan, max_seconds: float | None = None
) -> None:
    """Put ``armed`` on the disk and, where there is anything to undo, into the watchdog's memory.

    Raises JournalError or WatchdogLostError, and then nothing may be injected.
    """
    journal.write("armed", {"fault": fault, "plan": plan.to_json()})
    await anyio.to_thread.run_sync(journal.sync)
    if guardian is not None:
        guardian.tell_armed(fault, plan, max_seconds)


def _ref(ref: ProcessRef) -> dict[str, Any]:
    return {"pid": ref.pid, "start": ref.start, "boot_id": ref.boot_id}
