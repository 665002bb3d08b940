"""What a driver may see of a run: small, read-only, and able to cross a process boundary as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, ProcessRef
from gameday.spi.children import Completed, run_child
from gameday.spi.errors import DriverError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Values of secret variables, in memory only; its repr shows names alone."""

    values: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def reveal(self, text: str) -> str:
        """Replace each ``${name}`` by its value; raise DriverError that names a missing one."""

        def value(match: re.Match[str]) -> str:
            try:
                return self.values[match[1]]
            except KeyError:
                raise DriverError(f"secret {match[1]!r} is not set", hint=f"export it or pass it by --var-file: {match[1]}") from None

        return _REFERENCE.sub(value, text)

    def mask(self, text: str) -> str:
        """Replace every secret value that occurs in ``text``, longest first."""
        for secret in sorted(self.values.values(), key=len, reverse=True):
            if secret:
                text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One process under ``system:`` as it is started and, after a process.stop, started again."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str = ""
    log: str = ""
    restart: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return {"name": self.name, "argv": list(self.argv), "env": dict(self.env), "cwd": self.cwd, "log": self.log, "restart": self.restart}

    @classmethod
    def from_json(cls, raw: Json) -> ProcessSpec:
        """As a plan gives it back."""
        return cls(
            name=raw["name"], argv=tuple(raw["argv"]), env=dict(raw["env"]), cwd=raw["cwd"], log=raw["log"], restart=raw["restart"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRef:
    """How to reach one fault proxy: its control address, its name there, and the token that the control port asks for."""

    control: str
    """``http://HOST:PORT`` of the control API."""
    name: str
    token: str = field(default="", repr=False)
    listen: str = ""
    upstream: str = ""
    process: ProcessRef | None = None
    """The proxy's process where this run owns it: when it is gone, so are its faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a driver is given beside its own parameters."""

    run_id: str
    system: Mapping[str, ProcessSpec] = field(default_factory=dict[str, ProcessSpec])
    proxies: Mapping[str, ProxyRef] = field(default_factory=dict[str, ProxyRef])
    secrets: Secrets = Secrets()
    spawn: Callable[..., Completed] = run_child
    """Run a command that applies or measures a fault: see gameday.spi.children.run_child."""

    def command(self, argv: Sequence[str], *, timeout: float) -> Completed:
        """Run ``argv`` to its end within ``timeout`` seconds; raise DriverError if it cannot start or does not end."""
        return self.spawn(argv, timeout=timeout)
