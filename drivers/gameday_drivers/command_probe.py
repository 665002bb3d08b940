"""A gauge from a command: the one number that it prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS, marks
from gameday_drivers.numbers import read_number

_NOT_RUN = 126
"""Exit codes from here on mean that the command itself did not run: not executable, not found, ended by a signal."""
_SHOWN = 200
_MOST = 1024 * 1024
"""Bytes of output after which a command is killed: it prints no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """Run a command that exits 0 and prints one number, and nothing else, on standard output; no shell reads it."""

    value: tuple[str, ...] = field(metadata={"help": "the argv"})
    env: Mapping[str, Any] = field(
        default_factory=dict[str, Any], metadata={"help": "environment variables, beside those gameday itself has"}
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "command"

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError("value is empty: give the argv that prints the number")
        if any("${" in word for word in self.value):
            raise ValueError("value has a secret, which everybody on the machine could read there; pass it by env:")
        for key, text in self.env.items():
            if not key or "=" in key or "\0" in key or not isinstance(text, str) or "\0" in text:
                raise ValueError(f"env has {key!r}, which is not a name with a text; quote numbers")

    @property
    def timeout(self) -> float:
        """Seconds for the command; then it and everything it has started is killed."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number that the command prints."""
        try:
            env = {key: world.secrets.reveal(text) for key, text in self.env.items()}
            done = world.spawn(
                self.value, timeout=self.timeout, env={**env, **marks(world, self.name)}, apart=True, most=_MOST
            )
        except DriverError as error:
            raise ProbeError(world.secrets.mask(str(error))) from None
        if done.code != 0:
            kind = ProbeError if 0 < done.code < _NOT_RUN else QueryError
            raise kind(world.secrets.mask(f"{self._shown()}: {_ending(done.code)}{_last(done.errors)}"))
        try:
            return read_number(done.output.encode())
        except ValueError as error:
            raise QueryError(world.secrets.mask(f"{self._shown()}: {error}")) from None

    def _shown(self) -> str:
        return _printable(shlex.join(self.value))


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _last(errors: str) -> str:
    line = _printable(errors.strip().rpartition("\n")[2])
    return f": {line}" if line else ""


def _printable(text: str) -> str:
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
