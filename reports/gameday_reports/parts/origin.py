"""Where the run came from, how to do it again, and where its raw data is."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.parts.load import Pair
from gameday_reports.reading import bounded, number, part, text, texts

_EXPERIMENT = 60_000
"""Most characters of the resolved experiment; experiment.yaml beside the report is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginView:
    """Environment, reproduction and raw data."""

    command: str
    again: tuple[Pair, ...]
    identity: tuple[Pair, ...]
    environment: tuple[Pair, ...]
    experiment: str


def origin_view(facts: Facts) -> OriginView:
    """Describe where the run came from."""
    verdict, plan, run = facts.verdict, facts.run.plan, facts.run
    source = text(plan, "source") or "experiment.yaml"
    command = texts(plan, "command")
    environment = part(plan, "environment")
    seed, ended = text(verdict, "seed"), number(verdict, "ended_ms")
    whole = "whole, ends with its closing record" if run.closed else "without its closing record: the runner was lost"
    earlier = facts.previous
    compared = (
        []
        if earlier is None
        else [
            Pair(
                name=shlex.join(["gameday", "compare", bounded(earlier.run, 120), bounded(run.name, 120)]),
                value="Set this run beside the one before it",
            ),
        ]
    )
    return OriginView(
        command=shlex.join(command) if command else shlex.join(["gameday", "run", source]),
        again=(
            Pair(
                name=f"gameday judge {shlex.quote(bounded(run.name, 120))}",
                value="Judge the same samples again, to the same bytes",
            ),
            Pair(
                name=f"gameday report {shlex.quote(bounded(run.name, 120))}",
                value="Render this page again, to the same bytes",
            ),
            *compared,
        ),
        identity=(
            Pair(name="Run", value=bounded(run.name)),
            Pair(name="Experiment", value=source),
            Pair(name="SHA-256 of the experiment", value=text(verdict, "digest")),
            Pair(name="Seed", value=seed or words.UNKNOWN),
            Pair(name="Started", value=f"{words.utc(number(verdict, 'started_wall'))} UTC"),
            Pair(name="Took", value=words.duration(ended)),
            Pair(name="Boot", value=text(verdict, "boot_id")),
            Pair(name="Journal head", value=text(verdict, "journal_head") or run.head),
            Pair(name="Journal", value=whole + (", torn tail" if run.torn else "")),
        ),
        environment=tuple(Pair(name=bounded(key, 60), value=text(environment, key)) for key in sorted(environment)),
        experiment=bounded(json.dumps(facts.experiment, indent=2, ensure_ascii=False, default=str), _EXPERIMENT),
    )
