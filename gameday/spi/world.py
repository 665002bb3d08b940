"""What a driver may see of a run: small, read-only, and able to cross a process boundary as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, ProcessRef
from gameday.spi.children import Completed, run_child
from gameday.spi.errors import DriverError, ProbeError
from gameday.spi.source import Source

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
                hint = f"export it or pass it by --var-file: {match[1]}"
                raise DriverError(f"secret {match[1]!r} is not set", hint=hint) from None

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
    ready: Json = field(default_factory=dict[str, Any])
    """How it shows that it is ready, as the file says: one of http, tcp, log and command; empty where it says nothing."""

    def to_json(self) -> dict[str, Any]:
        """As a plan keeps it."""
        return {
            "name": self.name,
            "argv": list(self.argv),
            "env": dict(self.env),
            "cwd": self.cwd,
            "log": self.log,
            "restart": self.restart,
            **({"ready": dict(self.ready)} if self.ready else {}),
        }

    @classmethod
    def from_json(cls, raw: Json) -> ProcessSpec:
        """As a plan gives it back."""
        return cls(
            name=str(raw["name"]),
            argv=tuple(raw["argv"]),
            env=dict(raw["env"]),
            cwd=str(raw["cwd"]),
            log=str(raw["log"]),
            restart=bool(raw["restart"]),
            ready=dict(raw.get("ready", {})),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRef:
    """How to reach one fault proxy: its control address, its name there, and the token of the control port."""

    control: str
    """``http://HOST:PORT`` of the control API."""
    name: str
    token: str = field(default="", repr=False)
    listen: str = ""
    upstream: str = ""
    process: ProcessRef | None = None
    """The proxy's process where this run owns it: when it is gone, so are its faults."""

    def to_json(self, *, with_secrets: bool) -> dict[str, Any]:
        """Write for another process; the token only ``with_secrets``."""
        return {
            "control": self.control,
            "name": self.name,
            "token": self.token if with_secrets else "",
            "listen": self.listen,
            "upstream": self.upstream,
            "process": self.process and self.process.to_json(),
        }

    @classmethod
    def from_json(cls, raw: Json) -> ProxyRef:
        """Read what to_json wrote; raise ``KeyError`` when a part is missing."""
        process = raw["process"]
        return cls(
            control=str(raw["control"]),
            name=str(raw["name"]),
            token=str(raw["token"]),
            listen=str(raw["listen"]),
            upstream=str(raw["upstream"]),
            process=ProcessRef.from_json(process) if process else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a driver is given beside its own parameters."""

    run_id: str
    fault: str = ""
    """The name of the fault that asks, where one does: two faults with the same parameters are still two."""
    folder: str = ""
    """The run's folder, for what a driver keeps with the run; empty outside a run."""
    system: Mapping[str, ProcessSpec] = field(default_factory=dict[str, ProcessSpec])
    proxies: Mapping[str, ProxyRef] = field(default_factory=dict[str, ProxyRef])
    sources: Mapping[str, Source] = field(default_factory=dict[str, Source])
    source_name: str = ""
    """The ``source:`` of the SLI or alert that asks, where it names one."""
    secrets: Secrets = Secrets()
    spawn: Callable[..., Completed] = run_child
    """Run a command that applies or measures a fault: see gameday.spi.children.run_child."""

    def command(self, argv: Sequence[str], *, timeout: float) -> Completed:
        """Run ``argv`` to its end within ``timeout`` seconds; raise DriverError if it cannot start or does not end."""
        return self.spawn(argv, timeout=timeout)

    def source(self, *kinds: str) -> Source:
        """Return the source that is asked: the one that ``source:`` names, or the only one of these kinds.

        Raises ProbeError when there is none, or when there are several and none is named.
        """
        fitting = [source for source in self.sources.values() if source.kind in kinds]
        named = [source for source in fitting if source.name == self.source_name] if self.source_name else fitting
        if len(named) == 1:
            return named[0]
        what = f"no source {self.source_name!r}" if self.source_name else f"{len(named) or 'no'} sources"
        hint = "declare it under sources:, and name it by source: where there are several"
        raise ProbeError(f"{what} of kind {' or '.join(kinds)}", hint=hint)

    def to_json(self, *, with_secrets: bool) -> dict[str, Any]:
        """Write for another process; ``with_secrets`` (values, tokens of proxies and sources) only over a pipe, never to a file.

        ``spawn`` does not cross: the other process has its own.
        """
        return {
            "run_id": self.run_id,
            "fault": self.fault,
            "folder": self.folder,
            "system": {name: spec.to_json() for name, spec in self.system.items()},
            "proxies": {name: proxy.to_json(with_secrets=with_secrets) for name, proxy in self.proxies.items()},
            "sources": {name: source.to_json(with_secrets=with_secrets) for name, source in self.sources.items()},
            "source_name": self.source_name,
            "secrets": dict(self.secrets.values) if with_secrets else {},
        }

    @classmethod
    def from_json(cls, raw: Json) -> World:
        """Read what to_json wrote; raise ``KeyError`` when a part is missing."""
        return cls(
            run_id=str(raw["run_id"]),
            fault=str(raw.get("fault", "")),
            folder=str(raw.get("folder", "")),
            system={name: ProcessSpec.from_json(spec) for name, spec in raw["system"].items()},
            proxies={name: ProxyRef.from_json(proxy) for name, proxy in raw["proxies"].items()},
            sources={name: Source.from_json(source) for name, source in raw.get("sources", {}).items()},
            source_name=str(raw.get("source_name", "")),
            secrets=Secrets(values=dict(raw["secrets"])),
        )
