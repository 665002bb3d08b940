"""One run from its folder to its last record: set up, measure, inject, always revert, put away."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio

from gameday.guard import Guard
from gameday.journal.folder import RunFolder
from gameday.journal.writer import Journal
from gameday.load.generator import LoadChild
from gameday.load.limits import check_open_files
from gameday.load.samples import SampleWriter
from gameday.model import Event, Plan, Reason
from gameday.registry import load_driver
from gameday.runner import faults, phases, proxies, system
from gameday.runner.context import Context, FaultState
from gameday.runner.folder import Prepared
from gameday.runner.loadfeed import LoadFeed
from gameday.schema.power import never_provable
from gameday.spi import Driver, GamedayError, LoadError, World
from gameday.spi.driver import INJECT_SECONDS, REVERT_SECONDS
from gameday.spi.processes import boot_id, identify
from gameday.timeline import compile_timeline
from gameday.undo.guardian import HEARTBEAT_SECONDS, LEASE_SECONDS, Guardian, WatchdogLostError
from gameday.undo.hosts import HostPool, HostSetup

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DRAIN_SLACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the process must know when the last record is written; the verdict is judged from the folder."""

    folder: RunFolder
    skip_report: bool


async def execute(prepared: Prepared, observer: Callable[[Event], None]) -> Outcome:
    """Carry out one prepared run; every fault is reverted, and the journal closed, when this returns or raises."""
    folder = prepared.folder
    journal = Journal.create(folder.journal)
    journal.listener = observer
    _open(journal, prepared)
    outcome = Outcome(folder=folder, skip_report=False)
    try:
        refusal = _refusal(prepared)
        if refusal:
            journal.write("refused", {"reason": Reason.TOO_FEW.value, "detail": refusal})
            journal.write("closed", {"undone": True})
        else:
            outcome = await _guarded(prepared, journal)
    finally:
        journal.close()
    return outcome


def _open(journal: Journal, prepared: Prepared) -> None:
    me = identify(os.getpid())
    journal.write(
        "opened",
        {
            "run_id": prepared.run_id,
            "title": prepared.experiment.title,
            "boot_id": boot_id(),
            "epoch_ns": journal.epoch_ns,
            "pid": os.getpid(),
            "start": me.start if me else 0,
            "seed": prepared.seed,
            "digest": prepared.digest,
            "versions": prepared.environment,
        },
    )
    journal.sync()


def _refusal(prepared: Prepared) -> str:
    """Say why this run could never prove its objectives; nothing has been touched yet."""
    lacks = never_provable(prepared.experiment)
    return "; ".join(
        f"{lack.objective}: {lack.criterion} needs {lack.needed} requests in the {lack.phase} phase and gets about {lack.expected}"
        for lack in lacks
    )


async def _guarded(prepared: Prepared, journal: Journal) -> Outcome:
    """Run under a watchdog that was started before anything else."""
    experiment, folder = prepared.experiment, prepared.folder
    specs = {fault.name: {"driver": fault.do, "params": dict(fault.with_)} for fault in experiment.faults}
    world = World(
        run_id=prepared.run_id,
        system=system.specs(experiment, folder.logs, prepared.base),
        proxies=proxies.elsewhere(experiment.proxies, prepared.secrets),
        secrets=prepared.secrets,
    )
    guardian = await Guardian.start(
        run_id=prepared.run_id, journal=folder.journal, faults=specs, world=world, log=folder.logs / "watchdog.log"
    )
    journal.write(
        "watchdog-started",
        {"pid": guardian.ref.pid, "start": guardian.ref.start, "lease_ms": int(LEASE_SECONDS * 1000)},
    )
    hosts = HostPool(
        HostSetup(faults=specs, world=world, pipe=guardian.pipe, logs=folder.logs, register=guardian.register_host)
    )
    ctx = Context(
        run_id=prepared.run_id,
        seed=prepared.seed,
        experiment=experiment,
        timeline=compile_timeline(experiment),
        folder=folder,
        journal=journal,
        guardian=guardian,
        hosts=hosts,
        world=world,
    )
    async with _services(ctx):
        await _run(ctx, hosts, specs)
    undone = not any(fault.open and fault.reversible for fault in ctx.faults.values())
    await guardian.goodbye()
    ctx.note("closed", {"undone": undone})
    return Outcome(folder=folder, skip_report=ctx.stop.watching.cancel_called)


@asynccontextmanager
async def _services(ctx: Context) -> AsyncIterator[None]:
    """Heartbeats, signals and the watch over the watchdog, for as long as anything may have to be undone."""
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, ctx)
        group.start_soon(_watch_watchdog, ctx)
        await group.start(_signals, ctx)
        yield
        group.cancel_scope.cancel()


async def _beat(ctx: Context) -> None:
    while True:
        try:
            ctx.guardian.beat()
        except WatchdogLostError as error:
            ctx.abort(Reason.WATCHDOG_LOST, str(error))
            return
        await anyio.sleep(HEARTBEAT_SECONDS)


async def _watch_watchdog(ctx: Context) -> None:
    code = await ctx.guardian.wait()
    ctx.note("watchdog-lost", {"error": f"the watchdog ended with {code}"})
    ctx.abort(Reason.WATCHDOG_LOST, "the watchdog ended while the run was on")


async def _signals(ctx: Context, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Stop and revert at the first signal; a second skips what only watches, never a revert or a record."""
    with anyio.open_signal_receiver(*SIGNALS) as received:
        task_status.started()
        async for signum in received:
            if ctx.stop.reason is None:
                ctx.abort(Reason.SIGNAL, signal.Signals(signum).name)
            else:
                ctx.stop.watching.cancel()


async def _run(ctx: Context, hosts: HostPool, specs: Mapping[str, Any]) -> None:
    """Set up, go through the phases, and put everything away whatever happens."""
    own: proxies.OwnProxies | None = None
    feed: LoadFeed | None = None
    try:
        async with anyio.create_task_group() as helpers:
            try:
                with ctx.stop.scope:
                    own = await proxies.start_own(ctx.run_id, ctx.experiment.proxies, ctx.folder, max_ms=_max_ms(ctx))
                    _adopt(ctx, hosts, own)
                    await system.start_all(ctx)
                    await _plan_faults(ctx, hosts, specs)
                    feed = await _start_load(ctx)
                    helpers.start_soon(feed.read)
                    helpers.start_soon(system.supervise, ctx)
                    if await phases.up_to_gate(ctx, feed):
                        await phases.fault_phase(ctx, feed)
            finally:
                with anyio.CancelScope(shield=True):
                    await faults.revert_open(ctx)
            if feed is not None and any(fault.armed for fault in ctx.faults.values()):
                await phases.recovery(ctx)
            ctx.note("phase", {"name": "end"})
            if feed is not None:
                await feed.finish(ctx.experiment.load.timeout / 1000 + DRAIN_SLACK_SECONDS)
            helpers.cancel_scope.cancel()
    except* (GamedayError, OSError) as errors:
        for error in errors.exceptions:
            _explain(ctx, error)
    finally:
        with anyio.CancelScope(shield=True):
            if feed is not None:
                await feed.finish(0)
            await hosts.end()
            await system.stop_all(ctx)
            if own is not None:
                await own.end()
                ctx.note("proxy-stopped", {"names": sorted(own.refs)})


def _explain(ctx: Context, error: BaseException) -> None:
    """Turn what ended the set-up into the record that the judge reads."""
    text = ctx.world.secrets.mask(str(error))
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            _explain(ctx, inner)
    elif isinstance(error, (system.NotReadyError, proxies.ProxyError)):
        ctx.note("process-not-ready", {"name": str(error).partition(" ")[0], "error": text})
    elif isinstance(error, LoadError):
        ctx.note("load-lost", {"error": text})
    else:
        ctx.note("action-failed", {"fault": "", "action": "run", "error": f"{type(error).__name__}: {text}"})


def _max_ms(ctx: Context) -> int:
    """Bound how long this run can take: the sum of its phases, gate and deadlines."""
    known = ctx.experiment.phases
    deadlines = sum(process.ready.timeout for process in ctx.experiment.system.values() if process.ready)
    return (
        known.warmup
        + known.baseline
        + ctx.experiment.fault_ms
        + known.recovery
        + deadlines
        + 2 * ctx.experiment.load.timeout
        + 60_000
    )


def _adopt(ctx: Context, hosts: HostPool, own: proxies.OwnProxies | None) -> None:
    """Let the drivers and the watchdog know the run's own proxies."""
    if own is not None:
        ctx.world = replace(ctx.world, proxies={**ctx.world.proxies, **own.refs})
        ctx.note(
            "proxy-started",
            {"names": sorted(own.refs), "control": own.control, "pid": own.ref.pid, "start": own.ref.start},
        )
    hosts.setup = replace(hosts.setup, world=ctx.world)
    ctx.guardian.tell_world(ctx.world)


async def _plan_faults(ctx: Context, hosts: HostPool, specs: Mapping[str, Any]) -> None:
    """Start a host for each fault and plan it; raise DriverError before any load when one cannot be planned."""
    await hosts.start(specs)
    for spec in ctx.experiment.faults:
        driver = load_driver(spec.do, spec.with_)
        reply = await hosts.ask(spec.name, "plan", None, faults.PLAN_SECONDS)
        if "error" in reply:
            ctx.note("action-failed", {"fault": spec.name, "action": "plan", "error": reply["error"]})
            raise GamedayError(f"{spec.name} cannot be planned: {reply['error']}", hint=str(reply.get("hint", "")))
        state = _state(spec.name, spec.do, driver, Plan.from_json(reply["plan"]))
        ctx.faults[spec.name] = state
        ctx.note(
            "planned",
            {
                "fault": spec.name,
                "driver": spec.do,
                "targets": list(state.plan.targets),
                "reversible": state.reversible,
                "provable": state.provable,
                "undo": dict(state.plan.undo),
            },
        )


def _state(name: str, kind: str, driver: Driver, plan: Plan) -> FaultState:
    return FaultState(
        name=name,
        driver=kind,
        reversible=driver.reversible,
        provable=driver.provable,
        inject_seconds=float(getattr(driver, "inject_seconds", INJECT_SECONDS)),
        revert_seconds=float(getattr(driver, "revert_seconds", REVERT_SECONDS)),
        plan=plan,
    )


async def _start_load(ctx: Context) -> LoadFeed:
    profile = ctx.experiment.load
    check_open_files(profile)
    limits = ctx.experiment.latency_limits_us
    child = await LoadChild.start(
        profile,
        limits_us=limits,
        epoch_ns=ctx.journal.epoch_ns,
        seed=ctx.seed,
        logs=ctx.folder.logs,
        secrets=ctx.world.secrets,
    )
    ctx.note("load-started", {"pid": child.pid})
    return LoadFeed(ctx=ctx, generator=child, writer=SampleWriter(ctx.folder.samples), guard=Guard.of(ctx.experiment))


def platform_supported() -> str:
    """Return why faults cannot be undone safely on this platform, or nothing."""
    return "" if sys.platform == "linux" else f"gameday injects faults on Linux only for now, not on {sys.platform}"
