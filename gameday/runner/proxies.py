"""The run's own fault proxies: one process for all of them, ended by a normal run, passing traffic through when the runner is lost.

The proxy's stdin is a pipe that only the runner holds: its end of file is how the proxy learns that the runner is gone.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from gameday.journal.folder import RunFolder
from gameday.model import ProcessRef
from gameday.schema.experiment import Proxy
from gameday.spi import GamedayError, ProxyRef, Secrets
from gameday.spi.children import PIPE_VARIABLE
from gameday.spi.processes import alive, identify
from gameday.undo.state import forget_proxies, remember_proxies, remembered_proxies

READY_SECONDS = 10.0
END_SECONDS = 3.0


class ProxyError(GamedayError):
    """A fault proxy could not be started."""


@dataclass(slots=True)
class OwnProxies:
    """The proxy process of this run."""

    run_id: str
    process: Process
    ref: ProcessRef
    control: str
    refs: Mapping[str, ProxyRef]

    async def end(self) -> None:
        """End it as a normal run does: faults dropped, connections closed, the process gone."""
        with anyio.CancelScope(shield=True):
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                assert self.process.stdin is not None  # noqa: S101 - asked for at the start
                await self.process.stdin.send(b'{"cmd":"end"}\n')
            with anyio.move_on_after(END_SECONDS):
                await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()
            await self.process.aclose()
            forget_proxies(self.run_id)


def elsewhere(proxies: Mapping[str, Proxy], known: Secrets) -> dict[str, ProxyRef]:
    """Return the proxies of the file that run elsewhere."""
    return {
        name: ProxyRef(control=proxy.control, name=proxy.name or name, token=known.reveal(proxy.token or ""))
        for name, proxy in proxies.items()
        if proxy.control is not None
    }


async def start_own(run_id: str, proxies: Mapping[str, Proxy], folder: RunFolder, *, max_ms: int) -> OwnProxies | None:
    """Start one process for the proxies of the file that this run owns; raise ProxyError when one cannot listen.

    A port that is held by the proxy of a lost run is handed over first.
    """
    own = {name: proxy for name, proxy in proxies.items() if proxy.listen is not None}
    if not own:
        return None
    await anyio.to_thread.run_sync(_hand_over, {str(proxy.listen) for proxy in own.values()})
    token = secrets.token_urlsafe(24)
    config = {
        "proxies": [_described(name, proxy) for name, proxy in own.items()],
        "control": "127.0.0.1:0",
        "token": token,
        "run": run_id,
        "max_ms": max_ms,
    }
    process, reply = await _start(config, folder)
    ref = identify(process.pid) or ProcessRef(pid=process.pid, start=0)
    refs = {
        name: ProxyRef(
            control=reply["control"],
            name=name,
            token=token,
            listen=reply["listens"][name],
            upstream=str(proxy.upstream),
            process=ref,
        )
        for name, proxy in own.items()
    }
    remember_proxies(
        run_id,
        {
            "control": reply["control"],
            "token": token,
            "process": {"pid": ref.pid, "start": ref.start, "boot_id": ref.boot_id},
            "listens": [str(proxy.listen) for proxy in own.values()],
        },
    )
    return OwnProxies(run_id=run_id, process=process, ref=ref, control=reply["control"], refs=refs)


def _described(name: str, proxy: Proxy) -> dict[str, Any]:
    tls = {} if proxy.tls is None else {"tls": proxy.tls.to_json()}
    return {"name": name, "listen": proxy.listen, "upstream": proxy.upstream, **tls}


async def _start(config: Mapping[str, Any], folder: RunFolder) -> tuple[Process, dict[str, Any]]:
    env = {name: value for name, value in os.environ.items() if name != PIPE_VARIABLE}
    with (folder.logs / "proxy.log").open("ab") as log:
        process = await anyio.open_process(
            [sys.executable, "-m", "gameday.proxy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            start_new_session=True,
        )
    try:
        reply = await _configure(process, config)
    except BaseException:
        await _kill(process)
        raise
    if not reply.get("ready"):
        await _kill(process)
        raise ProxyError(
            str(reply.get("error", "the fault proxy did not start")),
            hint="see logs/proxy.log, or choose another listen address",
        )
    return process, reply


async def _configure(process: Process, config: Mapping[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None  # noqa: S101 - asked for by the caller
    assert process.stdout is not None  # noqa: S101 - asked for by the caller
    broken = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, ValueError)
    with anyio.move_on_after(READY_SECONDS), suppress(*broken):
        await process.stdin.send(json.dumps(config).encode() + b"\n")
        line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1024 * 1024)
        return dict(json.loads(line))
    return {}


async def _kill(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await process.aclose()


def _hand_over(listens: set[str]) -> None:
    """End the proxies of lost runs that hold one of these addresses; they finish open connections by themselves.

    Raises ProxyError when the run that holds one is still on.
    """
    for run_id, kept in remembered_proxies().items():
        shared = listens & set(kept.get("listens", ()))
        if not shared:
            continue
        if not alive(ProcessRef(**kept["process"])):
            forget_proxies(run_id)
        elif _call(kept, "GET", "/gameday").get("over") is True:
            end_orphan(run_id, kept)
        else:
            raise ProxyError(
                f"{', '.join(sorted(shared))} is held by the fault proxy of {run_id}, which is still on",
                hint="wait for that run, or choose another listen address",
            )


def end_orphan(run_id: str, kept: Mapping[str, Any]) -> None:
    """Ask the proxy of a lost run to stop listening; it ends with its last connection."""
    _call(kept, "POST", "/gameday/end")
    forget_proxies(run_id)


def _call(kept: Mapping[str, Any], method: str, path: str) -> dict[str, Any]:
    """Ask a proxy of ours; raise ProxyError when it does not answer."""
    from urllib.request import ProxyHandler, Request, build_opener  # noqa: PLC0415 - only where there is one

    request = Request(  # noqa: S310 - a loopback address of our own state file
        f"{kept['control']}{path}",
        method=method,
        data=b"{}" if method == "POST" else None,
        headers={"Authorization": f"Bearer {kept['token']}"},
    )
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=5) as response:
            return dict(json.loads(response.read(65536)))
    except (OSError, ValueError) as error:
        raise ProxyError(f"the fault proxy at {kept['control']} does not answer: {error}") from error
