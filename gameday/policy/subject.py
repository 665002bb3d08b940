"""What people approve: one experiment as composed, and what its faults would touch, written so that any change shows.

The composed experiment has its fragments, its combination of the matrix and its variables put in; secrets stay references. A
run's own id and seed, which are new for every run, are samples in it. Of a locustfile and of a Chaos Toolkit experiment the content
counts; other files and programs that the file names are not part of it.

Targets that a driver chooses anew each time, or that are named anew whenever something restarts, are approved by what stays: pods
of a namespace in a cluster, and how many of them at most; a process under ``system:`` by its name. All others are approved as
they are printed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from gameday.model import Json
from gameday.schema.experiment import CHAOS_EXPERIMENT, Experiment
from gameday.schema.nodes import as_list, as_mapping

Counted = Mapping[str, Mapping[str, int]]
"""Fault → target in the words that stay → how many of them."""
_POD = re.compile(r"\bpod ([^/\s]+)/\S+")
_WHERE = re.compile(r" in .+ \(\S+\)$")
_PROCESS = "process."


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One run that may need approval."""

    source: Path
    """The experiment file; approvals lie beside it."""
    digest: str
    """SHA-256 in hex of the file and its fragments, as they are on disk."""
    composed: str
    """SHA-256 in hex of the composed experiment."""
    variant: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """Where approvals of the file are, whatever link led to it."""
        path = self.source.absolute().resolve()
        return path.with_name(path.name + ".approvals")

    def to_json(self) -> dict[str, Any]:
        """As a statement has it."""
        return {"digest": self.digest, "composed": self.composed, "variant": dict(self.variant)}


def composed(experiment: Experiment, base: Path) -> str:
    """Return the SHA-256 in hex of a composed experiment; ``base`` is the folder of its file."""
    return composed_json(experiment.to_json(), base)


def composed_json(raw: Json, base: Path) -> str:
    """Return the same of an experiment as JSON."""
    document = dict(raw)
    load = as_mapping(document.get("load"))
    if "locustfile" in load:
        document["load"] = {**load, "locustfile": _content(base / str(load["locustfile"]))}
    document["faults"] = [_fault(as_mapping(entry)) for entry in as_list(document.get("faults"))]
    return sha256(canonical(document).encode()).hexdigest()


def _fault(entry: dict[str, Any]) -> dict[str, Any]:
    """Put the content of a whole Chaos Toolkit experiment in the place of its path."""
    if entry.get("do") != CHAOS_EXPERIMENT:
        return entry
    given = as_mapping(entry.get("with"))
    return {**entry, "with": {**given, "file": _content(Path(str(given.get("file"))))}}


def _content(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return "cannot be read"


def canonical(document: Any) -> str:
    """Write JSON in one way only: sorted keys, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def lasting(experiment: Experiment, targets: Mapping[str, tuple[str, ...]]) -> Counted:
    """Return targets by fault in the words that stay the same from run to run, counted."""
    processes = {
        fault.name: f"process {fault.with_['process']} of the run"
        for fault in experiment.faults
        if fault.do.startswith(_PROCESS) and fault.with_.get("process") in experiment.system
    }
    return {
        fault: {processes[fault]: len(found)} if fault in processes else dict(Counter(map(_lasting, found)))
        for fault, found in sorted(targets.items())
    }


def _lasting(target: str) -> str:
    pod = _POD.search(target)
    where = _WHERE.search(target, pod.end()) if pod else None
    return f"{target[: pod.start()]}pod {pod[1]}/*{where[0]}" if pod and where else target


def covers(approved: object, found: Counted) -> bool:
    """Whether targets are those that were approved: the same of the same faults, and of none more."""
    known = as_mapping(approved)
    return known.keys() == found.keys() and all(_fits(as_mapping(known[fault]), found[fault]) for fault in found)


def _fits(approved: Mapping[str, Any], found: Mapping[str, int]) -> bool:
    if approved.keys() != found.keys():
        return False
    return all(isinstance(approved[one], int) and count <= approved[one] for one, count in found.items())
