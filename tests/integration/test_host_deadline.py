"""A driver host that is ended takes along the command it was running: its fault does not come after the revert."""

from __future__ import annotations

from pathlib import Path

import anyio

from gameday.model import ProcessRef
from gameday.spi import World
from gameday.testing import stays
from gameday.undo.hosts import Host, HostSetup


def test_a_command_in_flight_ends_with_its_host(tmp_path: Path) -> None:
    started, flag = tmp_path / "started", tmp_path / "flag"
    params = {"run": ["sh", "-c", f"touch {started}; sleep 0.8; touch {flag}"], "undo": ["rm", "-f", str(flag)]}
    known: list[ProcessRef] = []
    setup = HostSetup(
        faults={"f": {"driver": "command", "params": params}},
        world=World(run_id="r"),
        pipe=None,
        logs=tmp_path,
        register=known.append,
    )

    async def inject_too_slowly() -> dict[str, object]:
        host = await Host.start("f", setup)
        plan = (await host.ask({"op": "plan", "fault": "f", "plan": None}, 5))["plan"]
        return await host.ask({"op": "inject", "fault": "f", "plan": plan}, 0.5)

    answer = anyio.run(inject_too_slowly)
    assert answer["killed"] is True
    assert started.exists()
    assert stays(lambda: not flag.exists(), 1.2)
