"""Any fault a command can make: one command to apply it, one to undo it, one to tell whether it is on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday.spi.driver import ACTIVE_SECONDS

_CANNOT_SAY = 126
"""Exit codes from here on mean that the check itself did not run: not executable, not found, ended by a signal."""
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run a command that makes a failure, and the command that undoes it; no shell reads either."""

    run: tuple[str, ...] = field(metadata={"help": "the argv that applies the fault; exits 0 when it is on"})
    undo: tuple[str, ...] = field(default=(), metadata={"help": "the argv that undoes it; without it, irreversible"})
    active_: tuple[str, ...] = field(
        default=(), metadata={"help": "an argv that exits 0 while the fault is on, and 1 to 125 when it is gone"}
    )
    timeout: int = field(
        default=10_000, metadata={"unit": "duration", "min": 1, "help": "how long run, and undo, may take"}
    )

    name = "command"

    def __post_init__(self) -> None:
        if not self.run:
            raise ValueError("run is empty: give the argv that applies the fault")

    @property
    def reversible(self) -> bool:
        """With an undo command; without one the fault needs ``irreversible: allow``."""
        return bool(self.undo)

    @property
    def provable(self) -> bool:
        """With an ``active`` command; without one the run is at best inconclusive."""
        return bool(self.active_)

    @property
    def inject_seconds(self) -> float:
        """Our deadline comes a second after the command's own."""
        return self.timeout / 1000 + 1

    @property
    def revert_seconds(self) -> float:
        """Our deadline comes a second after the command's own."""
        return self.timeout / 1000 + 1

    def plan(self, world: World) -> Plan:  # noqa: ARG002 - the interface
        """Show the command; keep what undoes and checks it."""
        undo = {"undo": list(self.undo), "active": list(self.active_), "timeout_ms": self.timeout}
        return Plan(driver=self.name, targets=(_shown(self.run),), undo=undo)

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Run the command; raise DriverError when it fails or takes too long."""
        _must(world, self.run, self.timeout / 1000)

    def active(self, plan: Plan, world: World) -> bool:
        """Ask the check command; raise DriverError when it cannot say."""
        check = plan.undo["active"]
        if not check:
            raise DriverError("this command has no check", hint="give one as active: [argv…]")
        timeout = min(plan.undo["timeout_ms"] / 1000, ACTIVE_SECONDS - 1)
        code = world.command(check, timeout=timeout).code
        if code < 0 or code >= _CANNOT_SAY:
            raise DriverError(f"{_shown(check)} cannot say: {_ending(code)}")
        return code == 0

    def revert(self, plan: Plan, world: World) -> None:
        """Run the undo command, which must be safe to run twice, and before the fault."""
        if plan.undo["undo"]:
            _must(world, plan.undo["undo"], plan.undo["timeout_ms"] / 1000)


def _must(world: World, argv: tuple[str, ...], seconds: float) -> None:
    completed = world.command(argv, timeout=seconds)
    if completed.code != 0:
        last = _printable(completed.output.strip().rpartition("\n")[2])
        raise DriverError(f"{_shown(argv)}: {_ending(completed.code)}" + (f": {last}" if last else ""))


def _shown(argv: tuple[str, ...] | list[str]) -> str:
    return _printable(shlex.join(argv))


def _printable(text: str) -> str:
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"
