"""The runner's side of driver hosts: started, asked with a deadline, and ended so that nothing comes back.

Every fault has a host of its own, and two more stand by with all drivers imported: when a deadline or a cancellation ends a
host in mid-inject, its whole session is killed and awaited, and the revert goes to one that stands by. A host is started in two steps:
its process, which imports drivers, and its setup, which can only be known later.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream

from gameday.model import ProcessRef
from gameday.spi import DriverError, GamedayError, World
from gameday.spi.children import PIPE_VARIABLE
from gameday.spi.processes import identify
from gameday.undo.fencing import PAUSE_SECONDS, kill_once

READY_SECONDS = 15.0
STANDBYS = 2
"""How many hosts stand by: as many faults can lose theirs at one moment before a revert has to wait for a new one."""
LOOKS = frozenset({"plan", "active", "met", "recovered", "follow"})
"""What touches nothing: a cancellation leaves the host in peace, and its answer to be thrown away."""
SETTLE_SECONDS = 0.25
KILL_SECONDS = 1.0
_MAX_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSetup:
    """What every host of a run is started with."""

    faults: Mapping[str, Any]
    """Fault name → ``{"driver", "params"}``."""
    world: World
    pipe: int | None
    """Write end of the watchdog's pipe: a host, and each command it runs to apply a fault, holds it open."""
    logs: Path
    register: Callable[[ProcessRef], None]
    """Tell the watchdog of a host before it is asked for anything."""


@dataclass(slots=True)
class Host:
    """One driver host; not usable any more once it has been killed."""

    name: str
    process: Process
    reader: BufferedByteReceiveStream
    ref: ProcessRef
    dead: bool = field(default=False)
    _owed: int = field(default=0)
    """Answers that nobody waited for."""

    @classmethod
    async def start(cls, name: str, setup: HostSetup) -> Host:
        """Start a host and return when its drivers are imported; raise DriverError when it cannot."""
        host = await cls.launch(name, setup)
        await host.set_up(setup)
        return host

    @classmethod
    async def launch(cls, name: str, setup: HostSetup, drivers: Sequence[str] = ()) -> Host:
        """Start the process of a host, which imports these drivers, and tell the watchdog of it; a cancellation waits until it is told."""
        host: Host | None = None
        with anyio.CancelScope(shield=True):
            host = await cls._launch(name, setup, drivers)
        assert host is not None  # noqa: S101 - nothing ends this scope early
        return host

    @classmethod
    async def _launch(cls, name: str, setup: HostSetup, drivers: Sequence[str]) -> Host:
        env = {**os.environ, **({PIPE_VARIABLE: str(setup.pipe)} if setup.pipe is not None else {})}
        with (setup.logs / f"host-{name}.log").open("ab") as log:
            process = await anyio.open_process(
                [sys.executable, "-m", "gameday.undo.host", *drivers],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
                pass_fds=(setup.pipe,) if setup.pipe is not None else (),
                start_new_session=True,
            )
        assert process.stdout is not None  # noqa: S101 - asked for above
        ref = identify(process.pid) or ProcessRef(pid=process.pid, start=0)
        host = cls(name=name, process=process, reader=BufferedByteReceiveStream(process.stdout), ref=ref)
        try:
            setup.register(ref)
        except GamedayError:
            await host.kill()
            raise
        return host

    async def set_up(self, setup: HostSetup) -> None:
        """Say what its faults and its world are, and return when it is ready; raise DriverError, and kill it, when it is not."""
        reply = await self.ask(
            {"faults": dict(setup.faults), "world": setup.world.to_json(with_secrets=True)}, READY_SECONDS
        )
        if not reply.get("ready"):
            await self.kill()
            raise DriverError(str(reply.get("error", "the driver host did not start")), hint=str(reply.get("hint", "")))

    async def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Send one request and return its answer.

        On a deadline or the host's own end its whole session is killed and awaited, so that nothing it was about to do can
        still happen, and the answer is ``{"error": …}``; so it is on a cancellation, unless all it does is to look.
        """
        try:
            with anyio.fail_after(seconds):
                return await self._exchange(request)
        except TimeoutError:
            await self.kill()
            return {"error": f"did not answer within {seconds:g} s; it was killed", "killed": True}
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead, OSError):
            await self.kill()
            return {"error": f"the driver host ended; see logs/host-{self.name}.log", "killed": True}
        except BaseException:
            if str(request.get("op")).partition(" ")[0] not in LOOKS:
                await self.kill()
            raise

    async def _exchange(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 - asked for at the start
        self._owed += 1
        await self.process.stdin.send(json.dumps(request).encode() + b"\n")
        return await self._receive()

    async def _receive(self) -> dict[str, Any]:
        line = await self.reader.receive_until(b"\n", _MAX_LINE)
        self._owed -= 1
        reply: dict[str, Any] = json.loads(line)
        return reply

    async def settle(self) -> None:
        """Take in the answers that a cancellation left; kill a host that does not give them at once."""
        try:
            with anyio.fail_after(SETTLE_SECONDS):
                while self._owed and not self.dead:
                    await self._receive()
        except (TimeoutError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
            await self.kill()

    async def kill(self) -> None:
        """End the host and everything it started, and return when it is gone; heartbeats go on meanwhile."""
        self.dead = True
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(KILL_SECONDS):
                # The session, and not its group: each command it runs has a group of its own.
                while kill_once([self.ref]):  # noqa: ASYNC110 - processes end without telling
                    await anyio.sleep(PAUSE_SECONDS)
            await self.process.wait()
            await self.process.aclose()

    async def end(self) -> None:
        """Let an idle host go: end of file is its goodbye."""
        if self.dead:
            return
        self.dead = True
        with anyio.CancelScope(shield=True):
            if self.process.stdin is not None:
                await self.process.stdin.aclose()
            with anyio.move_on_after(1):
                await self.process.wait()
            if self.process.returncode is None:
                await self.kill()
            else:
                await self.process.aclose()


class HostPool:
    """A host for each fault, and some that stand by; a replacement is started as soon as one of them is taken."""

    def __init__(self, setup: HostSetup, *, standbys: int = STANDBYS, spares: str = "standby") -> None:
        """Make an empty pool; ``spares`` is what its hosts are called that are no fault's own from the beginning."""
        self.setup = setup
        self._called = spares
        self._standbys = standbys
        self._hosts: dict[str, Host] = {}
        self._spares: list[Host] = []
        self._count = 0
        self._starting: TaskGroup | None = None

    async def launch(self) -> None:
        """Start the process of each fault's host, so that it imports its driver while other things are set up.

        One that cannot be started is tried again, and told of, when it is to be set up.
        """
        for fault, spec in self.setup.faults.items():
            with suppress(GamedayError, OSError):
                self._hosts[fault] = await Host.launch(_slug(fault), self.setup, [spec["driver"]])

    async def start(self, faults: Mapping[str, Any], helpers: TaskGroup | None = None) -> None:
        """Set up a host for each fault, side by side; raise DriverError when one cannot start. Replacements are started in ``helpers``."""
        async with anyio.create_task_group() as group:
            for name in faults:
                group.start_soon(self._start_one, name)
        self._starting = helpers

    async def _start_one(self, fault: str) -> None:
        if fault not in self._hosts:
            self._hosts[fault] = await Host.launch(_slug(fault), self.setup)
        await self._hosts[fault].set_up(self.setup)

    async def stand_by(self, faults: int) -> None:
        """Return when hosts stand by for so many faults; raise DriverError when one cannot start.

        Where none stands by, a revert whose host was killed waits until another has started.
        """
        async with anyio.create_task_group() as group:
            for _ in range(min(self._standbys, faults)):
                group.start_soon(self._start_spare)

    async def _start_spare(self) -> None:
        self._count += 1
        self._spares.append(await Host.start(f"{self._called}-{self._count}", self.setup))

    async def _replace_spare(self) -> None:
        with suppress(GamedayError, OSError):
            await self._start_spare()

    async def ask(self, fault: str, op: str, plan: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Have one operation done for a fault, in its own host or, when that was killed, in one that stands by."""
        host = await self._host(fault)
        return await host.ask({"op": op, "fault": fault, "plan": plan}, seconds)

    async def _host(self, fault: str) -> Host:
        host = self._hosts.get(fault)
        if host is not None:
            await host.settle()
        if host is not None and not host.dead:
            return host
        if not self._spares:
            await self._start_spare()
        host = self._hosts[fault] = self._spares.pop(0)
        if self._starting is not None and not self._starting.cancel_scope.cancel_called:
            self._starting.start_soon(self._replace_spare)
        return host

    async def end(self) -> None:
        """Let every host go."""
        async with anyio.create_task_group() as group:
            for host in self._hosts.values():
                group.start_soon(host.end)
            for spare in self._spares:
                group.start_soon(spare.kill)  # it has done nothing, and may still be importing


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60]
