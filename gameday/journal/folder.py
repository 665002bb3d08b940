"""The folder of one run: its names, and how it is read back whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gameday.journal.reader import read_journal
from gameday.load.alertlines import read_alerts
from gameday.load.samples import read_gauges, read_samples
from gameday.load.testimony import read_testimonies
from gameday.model import Json, Run
from gameday.schema.remarks import Remarks, read_remarks
from gameday.spi.errors import GamedayError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where each file of a run lies."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, which is also the run id."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """What happened."""
        return self.path / "journal.ndjson"

    @property
    def samples(self) -> Path:
        """What the load measured."""
        return self.path / "samples.ndjson"

    @property
    def victims(self) -> Path:
        """What the victims of its faults said last, where a driver keeps that: ``FAULT/….log``."""
        return self.path / "victims"

    @property
    def plan(self) -> Path:
        """What was meant to happen."""
        return self.path / "plan.json"

    @property
    def experiment(self) -> Path:
        """The user's file, byte for byte."""
        return self.path / "experiment.yaml"

    @property
    def verdict(self) -> Path:
        """What was judged."""
        return self.path / "verdict.json"

    @property
    def previous(self) -> Path:
        """What an earlier run of the same experiment came to."""
        return self.path / "previous.json"

    @property
    def remarks(self) -> Path:
        """What people added to its findings."""
        return self.path / "findings.yaml"

    @property
    def stop(self) -> Path:
        """Its own red button: the run stops and reverts when this file is there; what it says is the reason."""
        return self.path / "stop"

    @property
    def logs(self) -> Path:
        """Output of everything that was started."""
        return self.path / "logs"

    def read_plan(self) -> Json:
        """Return plan.json; raise GamedayError when this is not a run folder."""
        raw = _json(self.plan)
        if raw is None or raw.get("schema") != "gameday/plan/1":
            raise GamedayError(
                f"{self.path} is not a run folder: it has no readable plan.json", hint="name a folder under runs/"
            )
        return raw

    def read_verdict(self) -> Json | None:
        """Return verdict.json as it was written; None when it is not there or damaged."""
        return _json(self.verdict)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        raw: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return cast("dict[str, Any]", raw) if isinstance(raw, dict) else None


def _of_schema(raw: dict[str, Any] | None, schema: str) -> dict[str, Any] | None:
    return raw if raw is not None and raw.get("schema") == schema else None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remarks(folder: RunFolder) -> Remarks:
    """Read what people added; errors are told under the file's name alone, so that a copied folder gives the same bytes."""
    try:
        data = folder.remarks.read_bytes()
    except OSError:
        return Remarks()
    return read_remarks(folder.remarks.name, data)


def read_run(path: Path) -> Run:
    """Read a run folder; raise GamedayError when ``path`` is not one. What is torn or missing stays missing."""
    folder = RunFolder(path.resolve())
    plan = folder.read_plan()
    text = read_journal(folder.journal)
    remarks = _remarks(folder)
    return Run(
        name=folder.name,
        experiment=plan["experiment"],
        plan=plan,
        events=text.events,
        head=text.head,
        closed=text.closed,
        torn=bool(text.tail),
        load=read_samples(folder.samples),
        gauges=read_gauges(folder.samples),
        alerts=read_alerts(folder.samples),
        testimonies=read_testimonies(folder.samples),
        verdict=_json(folder.verdict),
        previous=_of_schema(_json(folder.previous), "gameday/previous/1"),
        remarks=remarks.entries,
        remarks_wrong=tuple(error.render() for error in remarks.errors),
    )
