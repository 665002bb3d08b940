"""``gameday history``: the trend of each hypothesis over its runs, and what they took from error budgets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.history_budget import budget_document, budget_lines
from gameday.cli.ledgering import ledger_option, read_ledger
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.gamedays.ledger.facts import ObjectiveFacts, RunFacts
    from gameday.gamedays.ledger.trend import Trend

EPILOG = """\b
Examples:
  gameday history
  gameday history experiments/dependency/payments-outage.yaml
  gameday history "checkout survives" --last 50 --format json
  gameday history --budget --days 90
"""
_YEARS = 3650


@click.command(epilog=EPILOG)
@click.argument("named", metavar="[FILE|TITLE]", required=False, shell_complete=complete_experiments)
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Runs of each hypothesis.")
@click.option("--budget", is_flag=True, help="What the runs took from error budgets, instead.")
@click.option("--days", type=click.IntRange(1, _YEARS), help="With --budget: over how many days; default: 30.")
@format_option
@ledger_option
def history(*, named: str | None, last: int, budget: bool, days: int | None, form: str, ledger: str | None) -> None:
    """Show what each hypothesis came to, run by run: verdicts, key numbers, since when it fails, how old its last pass is.

    Reads the ledger. FILE is an experiment, TITLE its title or words of it; without one, every hypothesis, each in short. Exit code 0
    whatever it shows.
    """
    from gameday.gamedays.ledger.trend import trends  # noqa: PLC0415 - heavy

    if days is not None and not budget:
        raise click.UsageError("--days is for --budget; --last says how many runs are shown")
    held, now = read_ledger(ledger), time.time()
    found = _chosen(trends(held.runs), named)
    if budget:
        runs = [run for one in found for run in one.runs]
        document: Any = budget_document(runs, now=now, days=days or 30)
        lines = budget_lines(runs, now=now, days=days or 30)
    else:
        document = {"schema": "gameday/history/1", "hypotheses": [_document(one, last, now) for one in found]}
        lines = (line for one in found for line in _lines(one, last, now, whole=len(found) == 1))
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in lines:
        say(line)


def _chosen(found: tuple[Trend, ...], named: str | None) -> tuple[Trend, ...]:
    from gameday.gamedays.ledger.trend import matching  # noqa: PLC0415 - heavy

    if named is None:
        return found
    chosen = matching(found, named)
    if not chosen and Path(named).is_file():
        from gameday.cli.listing import title_of  # noqa: PLC0415 - only here

        chosen = matching(found, title_of(Path(named)) or named)
    if not chosen:
        raise GamedayError(f"the ledger has no run of {named!r}", hint="gameday history lists every hypothesis")
    return chosen


def _lines(one: Trend, last: int, now: float, *, whole: bool) -> Iterator[str]:
    from gameday.gamedays.ledger.document import moment  # noqa: PLC0415 - heavy

    shown, latest = one.runs[-last:], one.latest
    yield latest.name
    of = f"{len(shown)} of {len(one.runs)} runs" if len(shown) < len(one.runs) else f"{len(shown)} runs"
    yield f"  {'verdicts':<11}{' '.join(run.verdict for run in shown)}   (oldest first, {of})"
    yield f"  {'latest':<11}{latest.verdict}, {moment(latest.started)}, {latest.run}"
    passed, failing = one.last_pass, one.first_failing
    age = one.days_since_pass(now)
    when = "never" if passed is None else f"{moment(passed.started)}, {age:.1f} days ago, {passed.run}"
    yield f"  {'last pass':<11}{when}"
    if failing is not None:
        yield f"  {'failing':<11}since {moment(failing.started)}, {failing.run}"
    for run in shown if whole else ():
        figures = "; ".join(f"{name}: {_figure(_of(run, name))}" for name in one.objectives)
        yield f"  {moment(run.started)}  {run.verdict:<13}{figures}"


def _of(run: RunFacts, name: str) -> ObjectiveFacts | None:
    return next((one for one in run.objectives if one.name == name), None)


def _figure(found: ObjectiveFacts | None) -> str:
    """Say what one run measured of an objective while the faults were on: the share of bad requests, or a gauge's value."""
    from gameday.judge.words import percent, seconds  # noqa: PLC0415 - heavy

    if found is None:
        return "not there"
    measured = f"{found.value:g}" if found.value is not None else ""
    if found.total:
        measured = f"{percent((found.bad or 0) / found.total)} of {found.total:,}"
    back = "" if found.recovery_seconds is None else f"back in {seconds(found.recovery_seconds)}"
    mark = "" if found.verdict == "pass" else f"{found.verdict} ({found.reason})"
    return ", ".join(part for part in (measured, back, mark) if part) or found.reason


def _document(one: Trend, last: int, now: float) -> dict[str, Any]:
    passed, failing, age = one.last_pass, one.first_failing, one.days_since_pass(now)
    return {
        "title": one.latest.title,
        "variant": dict(one.latest.variant),
        "source": one.latest.source,
        "last_pass": None if passed is None else passed.run,
        "days_since_pass": None if age is None else round(age, 3),
        "failing_since": None if failing is None else failing.run,
        "runs": [_run(run) for run in one.runs[-last:]],
    }


def _run(run: RunFacts) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415 - only here

    from gameday.gamedays.ledger.document import moment  # noqa: PLC0415 - heavy

    return {
        "run": run.run,
        "started": moment(run.started),
        "verdict": run.verdict,
        "reasons": list(run.reasons),
        "day": run.day or None,
        "objectives": [asdict(one) for one in run.objectives],
        "findings": [one.fingerprint for one in run.findings],
    }
