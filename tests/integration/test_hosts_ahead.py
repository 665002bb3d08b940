"""Driver hosts that are started before their world is known, and those that stand by: what they import, and that none is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from gameday.model import ProcessRef
from gameday.spi import DriverError, World
from gameday.spi.processes import alive
from gameday.testing import eventually
from gameday.undo.hosts import Host, HostPool, HostSetup

COMMAND = {"driver": "command", "params": {"run": ["true"], "undo": ["true"]}}


def setup(folder: Path, known: list[ProcessRef], **faults: object) -> HostSetup:
    return HostSetup(faults=faults, world=World(run_id="r"), pipe=None, logs=folder, register=known.append)


def gone(known: list[ProcessRef]) -> bool:
    return eventually(lambda: not any(alive(ref) for ref in known), 20)


def test_a_host_imports_what_its_driver_needs_before_it_is_asked_and_forgives_what_is_not_there() -> None:
    code = (
        "import sys; from gameday.undo.host import import_ahead\n"
        "names, both = ['nobody.has-this', 'chaostoolkit.experiment'], ('imports', 'inject_imports')\n"
        "import_ahead(names); print('chaoslib' in sys.modules); import_ahead(names, both)\n"
        "print(*(name in sys.modules for name in ('chaoslib.run', 'gameday_drivers.chaostoolkit_child', 'anyio', 'click')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "True", "True", "False", "False"]


def test_a_host_is_launched_first_and_set_up_later(tmp_path: Path) -> None:
    known: list[ProcessRef] = []
    pool = HostPool(setup(tmp_path, known, f=COMMAND))

    async def use() -> object:
        await pool.launch()
        launched = list(known)
        await pool.start({"f": COMMAND})
        assert known == launched, "the host that was launched is the one that is set up"
        try:
            return await pool.ask("f", "plan", None, 30)
        finally:
            await pool.end()

    answer = anyio.run(use)
    assert isinstance(answer, dict)
    assert answer["plan"]["driver"] == "command"
    assert gone(known)


def test_a_host_that_is_launched_and_never_set_up_ends_with_the_pool(tmp_path: Path) -> None:
    known: list[ProcessRef] = []
    pool = HostPool(setup(tmp_path, known, f=COMMAND, g=COMMAND))

    async def use() -> None:
        await pool.launch()
        await pool.end()

    anyio.run(use)
    assert len(known) == 2
    assert gone(known)


def test_what_cannot_be_launched_is_told_when_it_is_set_up(tmp_path: Path) -> None:
    known: list[ProcessRef] = []
    pool = HostPool(setup(tmp_path, known, f={"driver": "nobody.has-this", "params": {}}))

    async def use() -> None:
        await pool.launch()
        try:
            await pool.start({"f": None})
        finally:
            await pool.end()

    with pytest.raises(ExceptionGroup) as found:
        anyio.run(use)
    assert isinstance(found.value.exceptions[0], DriverError)
    assert "nobody.has-this" in str(found.value.exceptions[0])
    assert gone(known)


def test_those_that_stand_by_are_gone_when_a_run_is_over_before_they_were_ready(tmp_path: Path) -> None:
    known: list[ProcessRef] = []
    pool = HostPool(setup(tmp_path, known, f=COMMAND))

    async def use() -> None:
        async with anyio.create_task_group() as helpers:
            await pool.start({"f": COMMAND}, helpers)
            helpers.start_soon(pool.stand_by, 2)
            while len(known) < 3:  # noqa: ASYNC110 - both are started, and neither is ready
                await anyio.sleep(0.001)
            helpers.cancel_scope.cancel()
        await pool.end()

    anyio.run(use)
    assert len(known) == 3
    assert gone(known)


def test_where_none_stands_by_a_revert_waits_for_a_new_host(tmp_path: Path) -> None:
    known: list[ProcessRef] = []
    flag = tmp_path / "flag"
    slow = {"driver": "command", "params": {"run": ["sleep", "30"], "undo": ["touch", str(flag)]}}
    pool = HostPool(setup(tmp_path, known, f=slow))

    async def use() -> None:
        await pool.start({"f": slow})
        await pool.stand_by(0)
        plan = (await pool.ask("f", "plan", None, 30))["plan"]
        assert (await pool.ask("f", "inject", plan, 0.2))["killed"]
        assert await pool.ask("f", "revert", plan, 30) == {"ok": True}
        await pool.end()

    anyio.run(use)
    assert flag.exists()
    assert len(known) == 2
    assert gone(known)


def test_a_launched_host_that_is_cancelled_while_it_is_set_up_is_killed(tmp_path: Path) -> None:
    known: list[ProcessRef] = []

    async def use() -> None:
        host = await Host.launch("f", setup(tmp_path, known, f=COMMAND))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await host.set_up(setup(tmp_path, known, f=COMMAND))
        assert host.dead

    anyio.run(use)
    assert gone(known)
