"""Our faults as ordinary Chaos Toolkit actions and probes, for who stays with ``chaos run``.

    {"type": "action", "name": "pause", "provider": {"type": "python", "module": "gameday_drivers.chaostoolkit_actions",
     "func": "inject", "arguments": {"driver": "process.pause", "params": {"pidfile": "/run/shop.pid"}}}}

``inject`` plans, keeps the undo on the disk, injects and proves; ``revert`` undoes from what was kept, in whatever process, and proves that
the fault is gone; ``active`` is a probe. Each asks a driver host, a process of its own with a deadline. What only a run of ours has is
missing here: a watchdog that reverts when the process is killed, and somebody who renews the lease of a fault that has one.
"""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from gameday.spi import DriverError, ProxyRef, World
from gameday.spi.driver import ACTIVE_SECONDS, INJECT_SECONDS

__all__ = ["active", "inject", "revert"]
_START_SECONDS = 15.0
_PROVE_SECONDS = 2.0
_SETTLE_SECONDS = 0.2
_FAULT = "fault"


def inject(
    driver: str,
    params: Mapping[str, Any] | None = None,
    proxies: Mapping[str, Any] | None = None,
    timeout: float = INJECT_SECONDS,
) -> dict[str, Any]:
    """Make a fault: ``params`` as in the ``with:`` of our files, ``proxies`` name → ``{"control": URL, "name": …}``.

    Returns ``{"targets": […], "active": true, or null where it has no check}``; raises DriverError when it fails or is not proven.
    """
    kept = _kept(driver, params or {})
    with _Host(driver, params or {}, proxies or {}) as host:
        plan = host.ask("plan", None, timeout)["plan"]
        _keep(kept, plan)
        host.ask("inject", plan, timeout)
        proven = host.settle(plan, on=True)
    if proven is False:
        raise DriverError(f"{driver} was injected, but is not measured as on")
    return {"targets": plan["targets"], "active": proven}


def revert(
    driver: str,
    params: Mapping[str, Any] | None = None,
    proxies: Mapping[str, Any] | None = None,
    timeout: float = INJECT_SECONDS,
) -> dict[str, Any]:
    """Undo a fault that ``inject`` made with the same driver and params; safe before it, and twice.

    Returns ``{"reverted": true, "active": false, or null where it has no check}``; raises DriverError when it is still on.
    """
    kept = _kept(driver, params or {})
    with _Host(driver, params or {}, proxies or {}) as host:
        plan = json.loads(kept.read_bytes()) if kept.exists() else host.ask("plan", None, timeout)["plan"]
        host.ask("revert", plan, timeout)
        gone = host.settle(plan, on=False)
    if gone is False:
        raise DriverError(f"{driver} was reverted, but is still measured as on")
    kept.unlink(missing_ok=True)
    return {"reverted": True, "active": None if gone is None else False}


def active(driver: str, params: Mapping[str, Any] | None = None, proxies: Mapping[str, Any] | None = None) -> bool:
    """Measure whether the fault is on now; raises DriverError when nobody can say."""
    kept = _kept(driver, params or {})
    with _Host(driver, params or {}, proxies or {}) as host:
        plan = json.loads(kept.read_bytes()) if kept.exists() else host.ask("plan", None, ACTIVE_SECONDS)["plan"]
        return bool(host.ask("active", plan, ACTIVE_SECONDS)["active"])


def _kept(driver: str, params: Mapping[str, Any]) -> Path:
    """Return where the undo of this fault is kept, by this user only, until it is reverted."""
    folder = (
        Path(os.environ.get("GAMEDAY_STATE_DIR") or Path(tempfile.gettempdir()) / f"gameday-{os.getuid()}")
        / "chaostoolkit"
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise DriverError(f"{folder} belongs to somebody else", hint="set GAMEDAY_STATE_DIR")
    name = hashlib.sha256(json.dumps([driver, params], sort_keys=True, default=str).encode()).hexdigest()[:24]
    return folder / f"{name}.json"


def _keep(path: Path, plan: Mapping[str, Any]) -> None:
    """Put the undo on the disk before anything is done."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        os.fsync(file.fileno())


@dataclass(slots=True)
class _Host:
    """A driver host of our own: one line of JSON there, one back."""

    driver: str
    params: Mapping[str, Any]
    proxies: Mapping[str, Any]
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gameday.undo.host"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        refs = {
            name: ProxyRef(
                control=str(raw["control"]), name=str(raw.get("name", name)), token=str(raw.get("token", ""))
            )
            for name, raw in self.proxies.items()
        }
        world = World(run_id=f"chaos-{_kept(self.driver, self.params).stem}", fault=_FAULT, proxies=refs)
        faults = {_FAULT: {"driver": self.driver, "params": dict(self.params)}}
        try:
            self._exchange({"faults": faults, "world": world.to_json(with_secrets=True)}, _START_SECONDS)
        except DriverError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None  # noqa: S101 - entered
        _stream(self.process.stdin).close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        _stream(self.process.stdout).close()

    def ask(self, op: str, plan: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Have one operation done; raise DriverError when it fails or does not end in time, which kills the host."""
        return self._exchange({"op": op, "fault": _FAULT, "plan": plan}, seconds)

    def settle(self, plan: Mapping[str, Any], *, on: bool) -> bool | None:
        """Measure until it is as it should be, and is still so a moment later; None where it has no check."""
        end, once = time.monotonic() + _PROVE_SECONDS, False
        while True:
            try:
                found = self.ask("active", plan, ACTIVE_SECONDS)["active"]
            except DriverError as error:
                if "no check" in str(error):
                    return None
                raise
            if found is on:
                if once or on:
                    return True
                once = True
            elif time.monotonic() > end:
                return False
            time.sleep(_SETTLE_SECONDS if once else 0.02)

    def _exchange(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        assert self.process is not None  # noqa: S101 - entered
        channel = _stream(self.process.stdin)
        try:
            channel.write(json.dumps(request, default=str) + "\n")
            channel.flush()
        except BrokenPipeError:
            raise DriverError("the driver host has ended") from None
        with selectors.DefaultSelector() as waiting:
            waiting.register(_stream(self.process.stdout), selectors.EVENT_READ)
            if not waiting.select(seconds):
                os.killpg(self.process.pid, 9)
                raise DriverError(f"{request.get('op', 'start')} did not end within {seconds:g} s; it was killed")
        line = _stream(self.process.stdout).readline()
        reply: dict[str, Any] = json.loads(line) if line else {"error": "the driver host has ended"}
        if "error" in reply:
            raise DriverError(str(reply["error"]), hint=str(reply.get("hint", "")))
        return reply


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None  # noqa: S101 - asked for
    return stream
