"""The start of a watchdog, with real ones: in a unit of systemd where there is one, and what is started beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gameday.spi import World
from gameday.spi.processes import identify
from gameday.undo import guardian as module
from gameday.undo.guardian import Guardian, WatchdogLostError

GIVEN, REFUSED, NONE = ["env"], ["false"], list[str]()
"""What stands before the watchdog's command: a systemd that starts it, one that does not after all, none at all."""


def given(prefix: list[str], run_id: str) -> list[str]:
    del run_id
    return prefix


async def started(folder: Path, seen: list[Guardian], failing: Exception | None = None) -> Guardian:
    async def beside(guardian: Guardian) -> None:
        seen.append(guardian)
        if failing is not None:
            raise failing

    (folder / "journal.ndjson").touch()
    return await Guardian.start(
        run_id="r-1",
        journal=folder / "journal.ndjson",
        faults={},
        world=World(run_id="r-1"),
        log=folder / "watchdog.log",
        beside=beside,
    )


@pytest.mark.anyio
@pytest.mark.parametrize(("prefix", "in_unit"), [(GIVEN, True), (REFUSED, False), (NONE, False)])
async def test_it_watches_and_what_is_beside_it_is_started_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: list[str], in_unit: bool
) -> None:
    monkeypatch.setattr(module, "unit_prefix", partial(given, prefix))
    seen: list[Guardian] = []
    guardian = await started(tmp_path, seen)
    assert seen == [guardian]
    assert (guardian.place == "unit") is in_unit
    await guardian.goodbye()
    assert identify(guardian.ref.pid) != guardian.ref


@pytest.mark.anyio
@pytest.mark.parametrize("prefix", [GIVEN, REFUSED, NONE])
@pytest.mark.parametrize("failing", [WatchdogLostError("its pipe is full"), OSError("no more processes")])
async def test_no_watchdog_is_left_when_what_is_beside_it_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: list[str], failing: Exception
) -> None:
    monkeypatch.setattr(module, "unit_prefix", partial(given, prefix))
    seen: list[Guardian] = []
    with pytest.raises(type(failing)):
        await started(tmp_path, seen, failing)
    (guardian,) = seen
    assert identify(guardian.ref.pid) != guardian.ref
