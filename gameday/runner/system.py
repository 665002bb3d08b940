"""The processes under ``system:``: started in order, waited for, kept alive where the file says so, stopped at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from gameday.model import ProcessRef
from gameday.runner.context import Context
from gameday.schema.experiment import Experiment, Ready, SystemProcess
from gameday.spi import DriverError, GamedayError
from gameday.spi.processes import identify, marked, reap, start_process
from gameday.spi.readiness import why_not_ready
from gameday.spi.world import ProcessSpec
from gameday.undo.fencing import stop_system

RESTART_SECONDS = 0.1
"""Pause before a process with ``restart: always`` is started again."""
_POLL_SECONDS = 0.05
_LOOK_SECONDS = 0.2


class NotReadyError(GamedayError):
    """A process under ``system:`` did not become ready; nothing is injected."""


def specs(experiment: Experiment, logs: Path, base: Path) -> dict[str, ProcessSpec]:
    """Say how each process is started; ``python`` as first word is the interpreter that runs gameday."""
    return {name: _spec(name, process, logs, base) for name, process in experiment.system.items()}


def _spec(name: str, process: SystemProcess, logs: Path, base: Path) -> ProcessSpec:
    argv = (sys.executable, *process.run[1:]) if process.run[0] == "python" else tuple(process.run)
    return ProcessSpec(
        name=name,
        argv=argv,
        env=dict(process.env),
        cwd=str((base / process.cwd).resolve() if process.cwd else base),
        log=str(logs / f"system-{name}.log"),
        restart=process.restart == "always",
        ready=_shown(process.ready) if process.ready else {},
    )


def _shown(ready: Ready) -> dict[str, Any]:
    """Return how it shows that it is ready: one of http, tcp, log and command."""
    known = {"http": ready.http, "tcp": ready.tcp, "log": ready.log, "command": ready.command and list(ready.command)}
    return {key: value for key, value in known.items() if value is not None}


async def start_all(ctx: Context) -> None:
    """Start every process and wait until it is ready; raise NotReadyError for the first that is not."""
    for name, spec in ctx.world.system.items():
        ref = _start(ctx, spec, restarted=False)
        ready = ctx.experiment.system[name].ready
        if ready is not None:
            began = anyio.current_time()
            await _await_ready(spec, ref, ready)
            ctx.note("process-ready", {"name": name, "pid": ref.pid, "seconds": round(anyio.current_time() - began, 3)})


def _start(ctx: Context, spec: ProcessSpec, *, restarted: bool) -> ProcessRef:
    """Start one process, journalled before it is waited for."""
    try:
        ref = start_process(spec, ctx.run_id, ctx.world.secrets)
    except DriverError as error:
        raise NotReadyError(f"{spec.name} did not start: {error}", hint=f"see {spec.log}") from error
    ctx.note("process-started", {"name": spec.name, "pid": ref.pid, "start": ref.start, "restarted": restarted})
    return ref


async def _await_ready(spec: ProcessSpec, ref: ProcessRef, ready: Ready) -> None:
    seconds, shown = ready.timeout / 1000, _shown(ready)
    why = "it did not answer"
    with anyio.move_on_after(seconds):
        while True:
            if reap(ref) is not None or identify(ref.pid) != ref:
                raise NotReadyError(
                    f"{spec.name} ended before it was ready: {_last_line(spec.log)}", hint=f"see {spec.log}"
                )
            why = await anyio.to_thread.run_sync(why_not_ready, spec, shown, abandon_on_cancel=True)
            if not why:
                return
            await anyio.sleep(_POLL_SECONDS)
    raise NotReadyError(f"{spec.name} was not ready within {seconds:g} s: {why}", hint=f"see {spec.log}")


def _last_line(log: str) -> str:
    lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines() if Path(log).exists() else []
    return lines[-1][:300] if lines else "it printed nothing"


async def supervise(ctx: Context) -> None:
    """Watch every process for as long as the run is on: journal its end, and start it again where the file says so."""
    async with anyio.create_task_group() as group:
        for spec in ctx.world.system.values():
            group.start_soon(_supervise_one, ctx, spec)


async def _supervise_one(ctx: Context, spec: ProcessSpec) -> None:
    ref = await _current(ctx, spec.name)
    while True:
        if ref is not None:
            code = await _await_end(ref)
            ctx.note("process-exited", {"name": spec.name, "pid": ref.pid, "code": code})
        ref = await _next(ctx, spec)


async def _await_end(ref: ProcessRef) -> int | None:
    """Return when that process has ended, with its exit code where it was our child; event-driven where the kernel can tell."""
    try:
        descriptor = os.pidfd_open(ref.pid)
    except ProcessLookupError:
        return reap(ref)
    try:
        while (code := reap(ref)) is None and identify(ref.pid) == ref:
            with anyio.move_on_after(1):
                await anyio.wait_readable(descriptor)
        return code
    finally:
        os.close(descriptor)


async def _next(ctx: Context, spec: ProcessSpec) -> ProcessRef | None:
    """Return the process that follows one that has ended: ours by ``restart``, or the one that a revert started."""
    if spec.restart and not ctx.held(spec.name):
        await anyio.sleep(RESTART_SECONDS)
        if not ctx.held(spec.name) and await _current(ctx, spec.name) is None:
            try:
                return _start(ctx, spec, restarted=True)
            except NotReadyError as error:
                ctx.note("note", {"text": str(error)})
    while (ref := await _current(ctx, spec.name)) is None:
        await anyio.sleep(_LOOK_SECONDS)
        if spec.restart and not ctx.held(spec.name):
            return None
    ctx.note("process-started", {"name": spec.name, "pid": ref.pid, "start": ref.start, "restarted": True})
    return ref


async def _current(ctx: Context, name: str) -> ProcessRef | None:
    found = await anyio.to_thread.run_sync(marked, ctx.run_id, name)
    return found[0][1] if found else None


async def stop_all(ctx: Context) -> None:
    """Stop every process this run started under ``system:``; say which would not end."""
    if not ctx.world.system:
        return
    began = anyio.current_time()
    left = await anyio.to_thread.run_sync(stop_system, ctx.run_id)
    for name in ctx.world.system:
        kind = "note" if name in left else "process-stopped"
        data: Mapping[str, object] = (
            {"text": f"{name} would not end"}
            if name in left
            else {
                "name": name,
                "seconds": round(anyio.current_time() - began, 3),
            }
        )
        ctx.note(kind, data)
