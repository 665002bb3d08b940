"""A gauge from a process: its CPU as a share of one core, its memory, its open files, its threads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.model import ProcessRef
from gameday.spi import DriverError, ProbeError, QueryError, World
from gameday.spi.probe import READ_MS
from gameday.spi.processes import identify
from gameday_drivers.process_target import check_selectors, resolve
from gameday_drivers.process_usage import GAUGES, cpu_seconds, family, tree_cpu_seconds

_WHAT = ("cpu", *GAUGES)
WINDOW_MS = 500
"""Over how long CPU is measured unless the file says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessProbe:
    """Read the CPU (1 is one core), the memory, the open files or the threads of a process on this machine."""

    value: str | Mapping[str, Any] = field(
        metadata={"help": "a name under system:, or {pidfile: FILE}, or {match: REGEX} of its command line"}
    )
    cpu: bool = field(default=False, metadata={"help": "true: CPU time for each second, so 1 is one core"})
    memory: bool = field(default=False, metadata={"help": "true: bytes in RAM (resident set)"})
    fds: bool = field(default=False, metadata={"help": "true: open file descriptors"})
    threads: bool = field(default=False, metadata={"help": "true: threads"})
    tree: bool = field(default=False, metadata={"help": "true: together with the processes that it has started"})
    window: int = field(
        default=WINDOW_MS,
        metadata={"unit": "duration", "min": 50, "help": "over how long CPU is measured, each time it is read"},
    )
    timeout_: int = field(
        default=READ_MS, metadata={"unit": "duration", "min": 1, "help": "how long one read may take"}
    )

    name = "process"

    def __post_init__(self) -> None:
        selector = self._selector()
        if not any(selector.values()):
            raise ValueError(
                "value is empty; write {process: NAME, cpu: true}, or {process: {pidfile: FILE}, cpu: true}"
            )
        try:
            check_selectors(**selector)
        except ValueError as error:
            raise ValueError(f"value: {error}") from None
        if sum(bool(getattr(self, what)) for what in _WHAT) != 1:
            raise ValueError(
                f"value needs exactly one of {', '.join(_WHAT)} beside it; write {{process: NAME, cpu: true}}"
            )
        if self.window != WINDOW_MS and not self.cpu:
            raise ValueError("window is for cpu; remove it")
        if self.cpu and self.window >= self.timeout_:
            raise ValueError("window must be shorter than the timeout")

    @property
    def timeout(self) -> float:
        """Seconds for one read; the window of CPU is part of them."""
        return self.timeout_ / 1000

    def read(self, world: World) -> float:
        """Return the number; what ends or starts anew in the middle is no reading."""
        try:
            target = resolve(world, **self._selector())
        except DriverError as error:
            kind = QueryError if self._is_unknown(world) else ProbeError
            raise kind(str(error)) from None
        try:
            found = self._cpu(target.ref) if self.cpu else self._now(target.ref)
        except OSError as error:
            why = "not allowed to look at it" if isinstance(error, PermissionError) else "it ended in the middle"
            raise ProbeError(f"{target.words}: {why}") from None
        if identify(target.ref.pid) != target.ref:
            raise ProbeError(f"{target.words}: it ended in the middle")
        return found

    def _selector(self) -> dict[str, str]:
        """As process drivers choose theirs: exactly one of three."""
        given: Mapping[str, Any] = {"process": self.value} if isinstance(self.value, str) else self.value
        unknown = [key for key in given if key not in ("process", "pidfile", "match")]
        if unknown or len(given) != 1 or not all(isinstance(text, str) for text in given.values()):
            raise ValueError("value must be a name under system:, {pidfile: FILE} or {match: REGEX}")
        return {"process": "", "pidfile": "", "match": "", **given}

    def _is_unknown(self, world: World) -> bool:
        return isinstance(self.value, str) and self.value not in world.system

    def _now(self, root: ProcessRef) -> float:
        measure = next(GAUGES[what] for what in GAUGES if getattr(self, what))
        total = measure(root.pid)
        for ref in family(root)[1:] if self.tree else ():
            try:
                total += measure(ref.pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return total

    def _cpu(self, root: ProcessRef) -> float:
        """Difference CPU time over a window within the read: probes keep nothing from one read to the next."""
        measure = tree_cpu_seconds if self.tree else cpu_seconds
        before, began = measure(root), time.monotonic()
        time.sleep(self.window / 1000)
        after, ended = measure(root), time.monotonic()
        if after < before:
            raise ProbeError("processes left its tree in the middle")
        return (after - before) / (ended - began)
