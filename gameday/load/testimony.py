"""What witnesses said, as lines of samples.ndjson: written whole, and read back only where nothing of them is damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from gameday.model import Testimony, Track

WITNESS = b'{"t":"witness",'
"""How each of these lines begins."""
_ERROR_LIMIT = 300
"""Characters that are kept of why nothing was learnt."""


def testimony_line(said: Testimony) -> dict[str, Any]:
    """Return the line for one testimony."""
    line: dict[str, Any] = {
        "t": "witness",
        "name": said.name,
        "of": said.of,
        "at_ms": said.at_ms,
        "from_ms": said.from_ms,
        "to_ms": said.to_ms,
    }
    if said.error:
        return {**line, "error": said.error[:_ERROR_LIMIT]} | ({"wrong": True} if said.wrong else {})
    parts = {
        part: [
            {"labels": dict(track.labels), "samples": [list(sample) for sample in track.samples]} for track in tracks
        ]
        for part, tracks in said.parts.items()
    }
    return {**line, "parts": parts, "facts": dict(said.facts)}


def read_testimonies(path: Path) -> tuple[Testimony, ...]:
    """Read what the witnesses said, in the order of the file; a torn or malformed line says nothing."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return ()
    read = (_testimony(line) for line in lines if line.startswith(WITNESS))
    return tuple(said for said in read if said is not None)


def _testimony(line: bytes) -> Testimony | None:
    """Read one line back; None for one that is damaged: evidence that cannot be trusted is missing."""
    try:
        raw: dict[str, Any] = json.loads(line)
        error = str(raw.get("error", ""))
        parts: Mapping[str, Any] = {} if error else raw["parts"]
        return Testimony(
            name=str(raw["name"]),
            of=str(raw.get("of", "")),
            at_ms=int(raw["at_ms"]),
            from_ms=int(raw["from_ms"]),
            to_ms=int(raw["to_ms"]),
            parts={str(part): tuple(map(_track, tracks)) for part, tracks in parts.items()},
            facts=dict(raw.get("facts", {})),
            error=error,
            wrong=raw.get("wrong") is True,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def _track(raw: Mapping[str, Any]) -> Track:
    """Read one series; raise ValueError when its samples are not in order, or not finite."""
    samples = tuple((int(at), float(value)) for at, value in raw["samples"])
    if any(not math.isfinite(value) for _, value in samples):
        raise ValueError("not a finite number")
    if any(later[0] <= earlier[0] for earlier, later in pairwise(samples)):
        raise ValueError("not in order")
    return Track(labels={str(key): str(value) for key, value in raw["labels"].items()}, samples=samples)
