"""One run from its folder to its last record: set up, measure, inject, always revert, put away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread

from gameday.journal.folder import RunFolder, file_digest
from gameday.journal.writer import Journal
from gameday.model import Event, Json, ProcessRef, Reason
from gameday.policy.approvals import unapproved
from gameday.policy.file import Policy
from gameday.policy.recognised import environments
from gameday.policy.refusal import Refusal
from gameday.policy.rules import refusals
from gameday.registry import renderers, report_formats
from gameday.runner import faults, phases, proxies, silence, system
from gameday.runner.bounds import run_max_ms
from gameday.runner.budget import Left, budgets
from gameday.runner.context import Context
from gameday.runner.folder import Prepared
from gameday.runner.measuring import Measuring
from gameday.runner.planning import RefusedError, plan_faults
from gameday.runner.recovering import Recoveries
from gameday.runner.services import services
from gameday.schema.power import never_provable
from gameday.spi import GamedayError, LoadError, World
from gameday.spi.processes import boot_id, identify
from gameday.timeline import compile_timeline
from gameday.undo.guardian import LEASE_SECONDS, Guardian, WatchdogLostError
from gameday.undo.hosts import HostPool, HostSetup
from gameday.undo.leftover import describe, residue
from gameday.undo.sources import resolve
from gameday.undo.state import forget_run, pressed, register_run

T = TypeVar("T")
WATCHDOG_SLACK_SECONDS = 120.0
"""How long after a run's maximum, at which the run stops itself, the watchdog ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the process must know when the last record is written; the verdict is judged from the folder."""

    folder: RunFolder
    skip_report: bool


async def execute(
    prepared: Prepared,
    observer: Callable[[Event], None],
    *,
    pulses: Callable[[Json], None] | None = None,
    notified: Callable[[], Sequence[Json]] = tuple,
    check_only: bool = False,
) -> Outcome:
    """Carry out one prepared run; every fault is reverted, and the journal closed, when this returns or raises.

    ``observer`` sees each journal record, ``pulses`` each message of the load (``pulse``, ``agg``, ``tick``). Both are called on the event
    loop and must not block; what they raise is dropped, for a broken display must never stop a run. ``notified`` says at the end what
    became of the notifications so far. With ``check_only`` the run ends after its baseline gate: nothing is planned or injected.
    """
    folder = prepared.folder
    journal = Journal.create(folder.journal)
    journal.listener = _harmless(observer)
    _open(journal, prepared)
    outcome = Outcome(folder=folder, skip_report=False)
    try:
        refusal = await anyio.to_thread.run_sync(partial(_refusal, prepared, check_only=check_only))
        refusal = refusal or await _overspent(prepared, journal)
        if refusal:
            journal.write("refused", {"reason": refusal[0].value, "detail": refusal[1]})
            journal.write("closed", {"undone": True})
        else:
            extras = _Extras(pulses=_harmless(pulses or _ignore), notified=notified, check_only=check_only)
            outcome = await _guarded(prepared, journal, extras)
    finally:
        journal.close()
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extras:
    """What a caller wants beside the run itself."""

    pulses: Callable[[Json], None]
    notified: Callable[[], Sequence[Json]]
    check_only: bool


def _harmless(observe: Callable[[T], None]) -> Callable[[T], None]:
    """Keep what only watches from ending what it watches."""

    def call(value: T) -> None:
        with suppress(Exception):
            observe(value)

    return call


def _ignore(_message: Json) -> None:
    """Nobody watches the load."""


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
            "plan": file_digest(prepared.folder.plan),
            "versions": prepared.environment,
            **({"policy": _policy(prepared)} if prepared.policies else {}),
        },
    )
    journal.sync()


def _policy(prepared: Prepared) -> list[dict[str, Any]]:
    """Say which policies applied, and in which of their environments this run is."""
    return [
        {"file": str(policy.path), "sha256": policy.digest, **_approvals(policy, prepared)}
        for policy in prepared.policies
    ]


def _approvals(policy: Policy, prepared: Prepared) -> dict[str, Any]:
    """Say in which environments a run is, and how many people each of them asks to approve it."""
    found = environments(policy, prepared.experiment)
    asked = {name: rules.approvals for name, rules in found.items() if rules.approvals}
    return {"environments": list(found), **({"approvals": asked} if asked else {})}


def _refusal(prepared: Prepared, *, check_only: bool) -> tuple[Reason, str] | None:
    """Say why this run may not start, or could never prove its objectives; nothing has been touched yet."""
    why = pressed()
    if why:
        return Reason.PERSON, f"gameday stop: {why}; let runs start again with: gameday resume"
    if found := residue(prepared.experiment):
        return Reason.RESIDUE, describe(found)
    experiment, lasts_ms = prepared.experiment, run_max_ms(prepared.experiment)
    now = datetime.now(UTC)
    forbidden = refusals(prepared.policies, experiment, now, lasts_ms)
    if not forbidden:
        forbidden = unapproved(prepared.policies, experiment, prepared.subject, now)
    if forbidden:
        return Reason.POLICY, "; ".join(map(str, forbidden))
    lacks = () if check_only else never_provable(prepared.experiment)
    said = [
        f"{lack.objective}: {lack.criterion} needs {lack.needed} requests in the {lack.phase} phase and gets about {lack.expected}"
        for lack in lacks
    ]
    return (Reason.TOO_FEW, "; ".join(said)) if said else None


async def _overspent(prepared: Prepared, journal: Journal) -> tuple[Reason, str] | None:
    """Note what is left of the error budgets that policies ask for; say where that is too little, or not known."""
    ask = partial(budgets, prepared.policies, prepared.experiment, os.environ)
    found = await anyio.to_thread.run_sync(lambda: list(ask()))
    for one in found:
        if isinstance(one, Left):
            journal.write("budget", one.record())
    forbidden = [str(one) for one in found if isinstance(one, Refusal)]
    return (Reason.POLICY, "; ".join(forbidden)) if forbidden else None


async def _guarded(prepared: Prepared, journal: Journal, extras: _Extras) -> Outcome:
    """Run under a watchdog that was started before anything else."""
    experiment, folder = prepared.experiment, prepared.folder
    specs = {
        fault.name: {"driver": fault.do, "params": dict(fault.with_)}
        for fault in (*experiment.faults, *experiment.silences)
        if not extras.check_only
    }
    world = World(
        run_id=prepared.run_id,
        folder=str(folder.path),
        system=system.specs(experiment, folder.logs, prepared.base),
        proxies=proxies.elsewhere(experiment.proxies, prepared.secrets),
        sources=resolve(experiment.sources, prepared.secrets, prepared.base),
        secrets=prepared.secrets,
    )
    hosts = HostPool(HostSetup(faults=specs, world=world, pipe=None, logs=folder.logs, register=_no_watchdog))

    async def beside(guardian: Guardian) -> None:
        hosts.setup = replace(hosts.setup, pipe=guardian.pipe, register=guardian.register_host)
        await hosts.launch()
        import_ahead(guardian)

    _register(folder, journal)
    try:
        guardian = await Guardian.start(
            run_id=prepared.run_id,
            journal=folder.journal,
            faults=specs,
            world=world,
            log=folder.logs / "watchdog.log",
            max_seconds=run_max_ms(experiment) / 1000 + WATCHDOG_SLACK_SECONDS,
            beside=beside,
        )
    except GamedayError as error:
        await hosts.end()
        journal.write("refused", {"reason": Reason.WATCHDOG_LOST.value, "detail": f"no watchdog, no fault: {error}"})
        journal.write("closed", {"undone": True})
        forget_run(folder.path)
        return Outcome(folder=folder, skip_report=False)
    journal.write(
        "watchdog-started",
        {
            "pid": guardian.ref.pid,
            "start": guardian.ref.start,
            "lease_ms": int(LEASE_SECONDS * 1000),
            "place": guardian.place,
        },
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
        base=prepared.base,
        policies=prepared.policies,
        subject=prepared.subject,
    )
    async with services(ctx):
        await _run(ctx, hosts, specs, extras)
    undone = not any(fault.open and fault.reversible for fault in (*ctx.faults.values(), *ctx.silences))
    await guardian.goodbye()
    for one in extras.notified():
        ctx.note("notified", one)
    _seal_samples(ctx)
    ctx.note("closed", {"undone": undone})
    if undone and not journal.broken:
        forget_run(folder.path)
    return Outcome(folder=folder, skip_report=ctx.stop.watching.cancel_called)


def import_ahead(guardian: Guardian) -> None:
    """Import what judges and reports a run, while its watchdog and its hosts get ready; where that takes long, heartbeats go on."""
    import_module("gameday.runner.ending")
    for name in report_formats():
        guardian.beat()
        with suppress(GamedayError):  # told when it is used
            renderers((name,))
    guardian.beat()


def _no_watchdog(_ref: ProcessRef) -> None:
    raise WatchdogLostError("no driver host is started before the watchdog")


def _seal_samples(ctx: Context) -> None:
    """Chain what was measured to the journal, so that ``gameday verify`` can tell whether it was changed afterwards."""
    with suppress(OSError):  # nothing was measured
        size, sha256 = ctx.folder.samples.stat().st_size, file_digest(ctx.folder.samples)
        ctx.note("kept", {"file": ctx.folder.samples.name, "bytes": size, "sha256": sha256})
    for path in sorted(path for path in ctx.folder.victims.rglob("*.log") if path.is_file()):
        with suppress(OSError):
            name = path.relative_to(ctx.folder.path).as_posix()
            ctx.note("kept", {"file": name, "bytes": path.stat().st_size, "sha256": file_digest(path)})


def _register(folder: RunFolder, journal: Journal) -> None:
    """Let ``gameday recover --all`` and later runs find this one; where that cannot be, its folder still says everything."""
    try:
        register_run(folder.path)
    except OSError as error:
        journal.write("note", {"text": f"not in the list of open runs, for recover --all: {error}"})


async def _run(ctx: Context, hosts: HostPool, specs: Mapping[str, Any], extras: _Extras) -> None:
    """Set up, go through the phases, and put everything away whatever happens."""
    own: proxies.OwnProxies | None = None
    measuring: Measuring | None = None
    recoveries = Recoveries(ctx)
    try:
        async with anyio.create_task_group() as helpers:
            try:
                with ctx.stop.scope:
                    own = await proxies.start_own(
                        ctx.run_id, ctx.experiment.proxies, ctx.folder, max_ms=run_max_ms(ctx.experiment)
                    )
                    _adopt(ctx, hosts, own)
                    await system.start_all(ctx)
                    if not extras.check_only:
                        await plan_faults(ctx, hosts, specs, helpers)
                        recoveries.start(HostPool(hosts.setup, standbys=0, spares="recovery"), helpers)
                        await silence.begin(ctx, helpers)
                    standing = anyio.Event()
                    helpers.start_soon(_stand_by, ctx, hosts, standing)
                    measuring = await Measuring.start(ctx, helpers, extras.pulses)
                    await standing.wait()  # nothing that starts may disturb what is measured
                    helpers.start_soon(system.supervise, ctx)
                    steady = await phases.up_to_gate(ctx, measuring)
                    if extras.check_only:
                        ctx.note("skipped", {"what": "faults", "why": "only steady state was checked"})
                    elif steady:
                        await phases.fault_phase(ctx, measuring)
            finally:
                with anyio.CancelScope(shield=True):
                    await faults.revert_open(ctx)
            if measuring is not None and any(fault.armed for fault in ctx.faults.values()):
                await phases.recovery(ctx)
            recoveries.finish()
            ctx.note("phase", {"name": "end"})
            if measuring is not None:
                end_ms = int(ctx.now_ms())
                await measuring.end()
                if any(fault.armed for fault in ctx.faults.values()):
                    await measuring.witnesses.at_end(end_ms)
            helpers.cancel_scope.cancel()
    except* (GamedayError, OSError) as errors:
        for error in _leaves(errors):
            _explain(ctx, error)
    finally:
        with anyio.CancelScope(shield=True):
            await recoveries.close()
            await _put_away(ctx, measuring, hosts, own)


async def _stand_by(ctx: Context, hosts: HostPool, standing: anyio.Event) -> None:
    """Let hosts stand by for faults whose revert may not wait for one; to end one that runs by itself takes longer than a host's start."""
    await hosts.stand_by(sum(not fault.follows for fault in (*ctx.faults.values(), *ctx.silences)))
    standing.set()


async def _put_away(ctx: Context, measuring: Measuring | None, hosts: HostPool, own: proxies.OwnProxies | None) -> None:
    """End everything that this run started; what cannot end in order (a full disk) does not keep the rest alive."""
    try:
        async with AsyncExitStack() as last_first:
            if own is not None:
                last_first.push_async_callback(_end_proxies, ctx, own)
            last_first.push_async_callback(system.stop_all, ctx)
            last_first.push_async_callback(hosts.end)
            if measuring is not None:
                last_first.push_async_callback(measuring.close)
            last_first.push_async_callback(silence.end, ctx)
    except (GamedayError, OSError) as error:
        _explain(ctx, error)


async def _end_proxies(ctx: Context, own: proxies.OwnProxies) -> None:
    await own.end()
    ctx.note("proxy-stopped", {"names": sorted(own.refs)})


def _explain(ctx: Context, error: BaseException) -> None:
    """Turn what ended the set-up into the record that the judge reads."""
    text = ctx.world.secrets.mask(str(error))
    if isinstance(error, (system.NotReadyError, proxies.ProxyError)):
        name = "fault proxy" if isinstance(error, proxies.ProxyError) else text.partition(" ")[0]
        ctx.note("process-not-ready", {"name": name, "error": text})
    elif isinstance(error, RefusedError):
        ctx.note("refused", {"reason": error.reason.value, "detail": text})
    elif isinstance(error, LoadError):
        ctx.note("load-lost", {"error": text})
    else:
        ctx.note("action-failed", {"fault": "", "action": "run", "error": f"{type(error).__name__}: {text}"})


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            yield error


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
