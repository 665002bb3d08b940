"""The same driver in another process, which gets JSON and nothing else, as after a death it would."""

# ruff: noqa: S101 - what is asserted here is part of a test

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, cast

from gameday.journal.reader import read_journal
from gameday.model import Plan, ProcessRef
from gameday.schema.units import format_duration, format_rate
from gameday.spi import Driver, World

DEATH_SECONDS = 40.0
SHORT_LEASE_SECONDS = 1.0
"""The lease of a bare runner in a contract: a hung one is found out sooner than in a run."""


def parameters(driver: Driver) -> dict[str, Any]:
    """Write a driver's parameters as the ``with:`` of an experiment file would; what has its default is left out."""
    given = {f.name: getattr(driver, f.name) for f in _fields(driver) if not _is_default(f, getattr(driver, f.name))}
    units = {f.name: f.metadata.get("unit", "") for f in _fields(driver)}
    return {name.rstrip("_"): _written(value, units[name]) for name, value in given.items()}


def _fields(driver: object) -> tuple[Field[Any], ...]:
    return fields(cast("Any", driver))


def _is_default(parameter: Field[Any], value: object) -> bool:
    default = parameter.default if parameter.default_factory is MISSING else parameter.default_factory()
    return default is not MISSING and bool(value == default)


def _written(value: Any, unit: str) -> Any:
    if unit == "duration":
        return format_duration(value)
    if unit == "percent":
        return f"{value * 100:.12g}%"
    if unit == "rate":
        return format_rate(value)
    match value:
        case [*items]:
            return items
        case _:
            return value


def _environment() -> dict[str, str]:
    """Let the other process import what this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def elsewhere(op: str, driver: Driver, plan: Plan, world: World, **more: str) -> dict[str, Any]:
    """Do ``op`` in a fresh process that is given JSON alone; fail when it cannot."""
    kind = type(driver)
    request = {
        "op": op,
        "class": f"{kind.__module__}:{kind.__qualname__}",
        "params": {f.name: getattr(driver, f.name) for f in _fields(driver)},
        "plan": plan.to_json(),
        "world": world.to_json(with_secrets=True),
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-m", "gameday.testing"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, f"{op} in another process failed:\n{done.stderr}"
    return dict(json.loads(done.stdout.splitlines()[-1]))


def kill_a_runner(folder: Path, driver: Driver, world: World, **end: object) -> float:
    """Let a bare runner make the fault, and die where ``end`` says (see gameday.undo.bare); return when (seconds since the epoch).

    Without ``end`` it is killed once the fault is measured as on. With the signal SIGSTOP it hangs until its watchdog has ended it.
    """
    request = {
        "run_folder": str(folder),
        "driver": driver.name,
        "params": parameters(driver),
        "world": world.to_json(with_secrets=True),
        "hold_ms": 20,
        "lease_seconds": SHORT_LEASE_SECONDS,
        "end": {"at": "active", **end},
    }
    with (
        (folder / "runner.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "gameday.undo.bare"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(),
            start_new_session=True,
        ) as runner,
    ):
        assert runner.stdin is not None
        try:
            runner.stdin.write(json.dumps(request).encode() + b"\n")
            runner.stdin.close()
            code = runner.wait(DEATH_SECONDS)
        finally:
            runner.kill()
        killed = time.time()
    assert code == -signal.SIGKILL, f"the runner ended with {code}, and not where it was to die:\n{words(folder)}"
    return killed


def watchdog_of(folder: Path) -> ProcessRef:
    """Return the watchdog of a bare runner, from its journal."""
    started = next(
        event for event in read_journal(folder / "journal.ndjson").events if event.kind == "watchdog-started"
    )
    return ProcessRef(pid=started.data["pid"], start=started.data["start"])


def reverted(folder: Path) -> dict[str, Any]:
    """Return the journal's ``reverted`` record, or an empty one while there is none; a torn line is none."""
    try:
        lines = (folder / "journal.ndjson").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        with suppress(ValueError):
            record = json.loads(line)
            if record["kind"] == "reverted":
                return dict(record)
    return {}


def words(folder: Path) -> str:
    """Everything the processes of a run have said, for the message of a failed test."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())
