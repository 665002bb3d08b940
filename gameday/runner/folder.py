"""Make the folder of a new run: the user's file, what it resolved to, and room for logs."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gameday.installed import version
from gameday.journal.folder import RunFolder
from gameday.policy.file import Policy
from gameday.policy.found import find_policies
from gameday.policy.rules import under
from gameday.policy.subject import Subject, composed
from gameday.schema.errors import ExperimentErrors
from gameday.schema.experiment import Experiment
from gameday.schema.loader import Loaded
from gameday.schema.remarks import FILENAME
from gameday.schema.yamlfile import read_bytes
from gameday.spi import GamedayError, Secrets

_PACKAGES = {"gameday": "gameday-runner", "locust": "locust", "chaostoolkit-lib": "chaostoolkit-lib"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is known before a run touches anything."""

    run_id: str
    seed: int
    folder: RunFolder
    experiment: Experiment
    secrets: Secrets
    digest: str
    base: Path
    """The folder of the experiment file: relative paths of ``system:`` start there."""
    environment: Mapping[str, str]
    subject: Subject
    """What people approve, where a policy asks for that."""
    policies: tuple[Policy, ...] = ()
    """Every gameday.toml that applies to the file; the experiment has the abort rules that they add."""


def new_run_id(source: Path, now: datetime) -> str:
    """Name a run by its time (UTC), its file, and four random digits; safe as a folder name."""
    slug = re.sub(r"[^a-z0-9]+", "-", source.stem.lower()).strip("-")[:40] or "experiment"
    return f"{now:%Y%m%dT%H%M%SZ}-{slug}-{secrets.token_hex(2)}"


def subject_of(loaded: Loaded) -> Subject:
    """Return what people approve of a file, before any policy adds to it."""
    source = Path(loaded.path).absolute()
    return Subject(
        source=source,
        digest=loaded.digest,
        composed=composed(loaded.sample or loaded.experiment, source.parent),
        variant=loaded.variant,
    )


def prepare(loaded: Loaded, *, run_id: str, seed: int, output: Path, command: Sequence[str]) -> Prepared:
    """Make the run folder and write what is known; raise GamedayError when that cannot be done."""
    policies = find_policies(loaded.path)
    experiment = under(policies, loaded.experiment)
    subject = subject_of(loaded)
    folder = RunFolder((output / run_id).absolute())
    versions = environment()
    plan = {
        "schema": "gameday/plan/1",
        "run_id": run_id,
        "seed": seed,
        "digest": loaded.digest,
        "composed": subject.composed,
        "experiment": experiment.to_json(),
        "source": str(loaded.path),
        "variant": dict(loaded.variant),
        "lines": dict(loaded.lines),
        "environment": versions,
        "command": [loaded.secrets.mask(word) for word in command],
    }
    try:
        folder.logs.mkdir(parents=True)
        folder.experiment.write_bytes(loaded.text)
        for name, data in loaded.fragments.items():
            kept = folder.path / "fragments" / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(data)
        _copy_remarks(Path(loaded.path).absolute().parent / FILENAME, folder.remarks)
        _write(folder.plan, (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise GamedayError(
            f"cannot make the run folder {folder.path}: {error.strerror}", hint="choose another --output"
        ) from error
    return Prepared(
        run_id=run_id,
        seed=seed,
        folder=folder,
        experiment=experiment,
        secrets=loaded.secrets,
        digest=loaded.digest,
        base=Path(loaded.path).absolute().parent,
        environment=versions,
        subject=subject,
        policies=policies,
    )


def _copy_remarks(source: Path, kept: Path) -> None:
    """Keep what people added to earlier findings; a file that is too large, or no file, is told by the command line, not here."""
    with suppress(ExperimentErrors):
        if source.is_file():
            kept.write_bytes(read_bytes(source))


def environment() -> dict[str, str]:
    """Return the versions of what takes part in a run, and the platform."""
    found = {name: version(package) or "not installed" for name, package in _PACKAGES.items()}
    return {"python": sys.version.partition(" ")[0], "platform": _platform(), **found}


def _platform() -> str:
    """Name the system as ``platform.platform(terse=True)`` does on Linux, which runs a command to find that out."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        libc = ""
    system = os.uname()
    words = [system.sysname, system.release, system.machine, *(["with", libc.replace(" ", "")] if libc else [])]
    return "-".join(words)


def _write(path: Path, data: bytes) -> None:
    """Write and put on the disk: recover depends on it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
