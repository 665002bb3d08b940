"""``gameday check``: whether the steady state holds, before anything is broken."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from gameday.cli.chaosfile import hypothesis, only_hypothesis
from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_runs
from gameday.cli.options import format_option, output_option, seed_option
from gameday.cli.outcome import say
from gameday.cli.running import run_one
from gameday.cli.variables import variable_options
from gameday.model import Json, Verdict

EPILOG = """\b
Examples:
  gameday check mine.yaml
  gameday check mine.yaml --var base_url=https://staging.example.com --format json
"""
_WORDS = {
    "baseline": "steady state does not hold",
    "load-generator": "the load generator could not keep up, so nothing is known",
}


@click.command(epilog=EPILOG)
@click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, path_type=Path), shell_complete=complete_experiments
)
@variable_options
@seed_option("Repeat a run's random choices.")
@output_option()
@format_option
def check(
    *,
    path: Path,
    variables: dict[str, str],
    secret_values: dict[str, str],
    seed: int | None,
    output: Path,
    form: str,
) -> None:
    """Start the system, warm up and measure the baseline; inject nothing.

    Exit code 0: the gate passes, a run would go on to its faults. 3: it would stop there. The run folder that is written
    has a verdict, too, which is never a pass: nothing was put to the test.
    """
    entries = load_runs([path], Given(variables=variables, secret_values=secret_values), seed=seed)
    outcomes: list[dict[str, Any]] = []
    for entry in entries:
        if entry.loaded.chaos:
            outcomes.append(hypothesis(run_one(only_hypothesis(entry), output=output).judged))
            continue
        folder = run_one(entry, output=output, check_only=True).judged.folder.path
        outcomes.append({"variant": dict(entry.variant), **steady(folder)})
    with suppress(BrokenPipeError):  # nobody reads it; the exit code says it all the same
        if form == "json":
            click.echo(json.dumps(outcomes[0] if len(outcomes) == 1 else outcomes, indent=2, ensure_ascii=False))
        else:
            for outcome in outcomes:
                _show(outcome)
        sys.stdout.flush()
    os._exit(max(int(outcome["exit_code"]) for outcome in outcomes))


def steady(folder: Path) -> dict[str, Any]:
    """Say what the gate of a check decided, from its run folder."""
    from gameday.journal.folder import read_run  # noqa: PLC0415 - heavy

    run = read_run(folder)
    gates, aborts = run.of_kind("gate"), run.of_kind("abort")
    others = run.of_kind("process-not-ready", "load-lost", "action-failed", "refused")
    gate: Json = gates[-1].data if gates else {}
    passed = bool(gate.get("passed")) and not aborts and not others
    why = ""
    if aborts:
        why = f"{aborts[0].data.get('reason')}: {aborts[0].data.get('detail')}"
    elif others:
        why = str(others[0].data.get("error") or others[0].data.get("detail"))
    elif not passed:
        why = _WORDS.get(str(gate.get("reason")), "it never came to its gate")
    return {
        "passed": passed,
        "exit_code": 0 if passed else Verdict.ABORTED.exit_code if aborts else Verdict.INCONCLUSIVE.exit_code,
        "why": why,
        "objectives": list(gate.get("objectives", ())),
        "run": str(folder),
    }


def _show(outcome: Json) -> None:
    if outcome["variant"]:
        say(", ".join(f"{name}={value}" for name, value in outcome["variant"].items()))
    for row in outcome["objectives"]:
        share = f"{row['k']} bad of {row['n']}" if row["n"] else "nothing measured"
        say(f"  {row['result']:<13}{row['name']}: {row['reason']} ({share})")
    say("steady state holds: a run would go on to its faults" if outcome["passed"] else f"NOT STEADY: {outcome['why']}")
    say(f"run folder: {outcome['run']}")
