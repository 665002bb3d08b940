"""Stop a process of this run with SIGTERM, as a deployment does, and start it again by the same argv."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gameday.model import Plan, ProcessRef
from gameday.spi import DriverError, NoTargetError, World
from gameday.spi.processes import alive, marked, send, start_process
from gameday.spi.world import ProcessSpec
from gameday_drivers.process_target import PROCESS_HELP, require_name

_POLITE_SECONDS = 5.0
"""How long it may take to end after SIGTERM."""
_KILL_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProcess:
    """Stop a process under ``system:`` and keep it down; SIGKILL for what has not ended 5 s after SIGTERM."""

    process: str = field(metadata={"help": PROCESS_HELP})

    name = "process.stop"
    reversible = True
    provable = True

    def __post_init__(self) -> None:
        if not self.process:
            raise ValueError("process is empty: give a name under system:")

    def plan(self, world: World) -> Plan:
        """Keep what starts it again; its ``restart:`` is held back while it is down."""
        require_name(world, self.process)
        spec = world.system[self.process]
        if not spec.log:
            raise DriverError(f"{self.process} has no log, beside which to note that it is being stopped")
        if not marked(world.run_id, self.process):
            raise NoTargetError(f"{self.process} is not running")
        return Plan(driver=self.name, targets=(self.process,), undo={"start": spec.to_json()}, holds=(self.process,))

    def inject(self, plan: Plan, world: World) -> None:
        """End it, then every child it left behind; raise DriverError when it is not running, or will not end."""
        spec = _spec(plan)
        leaders = [ref for _, ref in marked(world.run_id, spec.name)]
        if not leaders:
            raise DriverError(f"{spec.name} is not running")
        _note_stopping(spec, leaders)
        for ref in leaders:
            send(ref, signal.SIGTERM)
            send(ref, signal.SIGCONT)  # a stopped process would not act on SIGTERM
        _finish(lambda: [ref for _, ref in marked(world.run_id, spec.name, leaders=False)], spec.name)

    def active(self, plan: Plan, world: World) -> bool:
        """Measure that no process of this run has that name."""
        return not marked(world.run_id, _spec(plan).name)

    def ends_with(self, plan: Plan) -> frozenset[str]:  # noqa: ARG002 - the interface
        """No process of a run outlives the boot."""
        return frozenset({"boot"})

    def revert(self, plan: Plan, world: World) -> None:
        """Start it again, unless it runs; what an interrupted inject has sent SIGTERM to does not count as running."""
        spec = _spec(plan)
        doomed = _noted(spec)
        _finish(lambda: [ref for ref in doomed if alive(ref)], spec.name)
        start_process(spec, world.run_id, world.secrets)
        _note_path(spec).unlink(missing_ok=True)


def _spec(plan: Plan) -> ProcessSpec:
    return ProcessSpec.from_json(plan.undo["start"])


def _note_path(spec: ProcessSpec) -> Path:
    return Path(f"{spec.log}.stopping")


def _note_stopping(spec: ProcessSpec, refs: list[ProcessRef]) -> None:
    """Write down whom SIGTERM is about to be sent to: seen from outside, a process that is ending looks like one that runs."""
    path = _note_path(spec)
    draft = path.with_suffix(".draft")
    try:
        draft.write_text(json.dumps([ref.to_json() for ref in refs]), encoding="ascii")
        draft.replace(path)
    except OSError as error:
        raise DriverError(f"cannot write {path}: {error.strerror}") from error


def _noted(spec: ProcessSpec) -> list[ProcessRef]:
    try:
        raw = json.loads(_note_path(spec).read_text(encoding="ascii"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise DriverError(f"cannot read {_note_path(spec)}: {error}") from error
    return [ProcessRef.from_json(item) for item in raw]


def _finish(left: Callable[[], list[ProcessRef]], name: str) -> None:
    """Wait until none is left; SIGKILL after 5 s; raise DriverError 2 s later."""
    polite = time.monotonic() + _POLITE_SECONDS
    while refs := left():
        now = time.monotonic()
        if now >= polite + _KILL_SECONDS:
            raise DriverError(f"{name} does not end, not even on SIGKILL")
        for ref in refs if now >= polite else []:
            send(ref, signal.SIGKILL)
        time.sleep(0.01)
