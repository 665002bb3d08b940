"""``gameday approve``: one person's signature under one experiment and what it would touch."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_plans
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.cli.variables import variable_options

if TYPE_CHECKING:
    from gameday.cli.approving import Draft, Placed

_LEAST_MS = 60_000
EPILOG = """\b
Examples:
  gameday approve payments.yaml --key ~/.ssh/id_ed25519
  gameday approve payments.yaml --key ~/.ssh/id_ed25519.pub --for 2h     the key is in the agent
  gameday approve payments.yaml --key k --as ana@example.com --var region=eu
"""


def _term(_context: click.Context, _option: click.Parameter, text: str) -> int:
    from gameday.policy.statement import MOST  # noqa: PLC0415 - only for this verb
    from gameday.schema.quantities import parse_duration  # noqa: PLC0415 - only for this verb

    try:
        term = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if not _LEAST_MS <= term <= MOST / timedelta(milliseconds=1):
        raise click.BadParameter(f"an approval holds from 1m to {MOST.days * 24}h")
    return term


@click.command(epilog=EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your SSH key: private, or public with an agent.",
)
@click.option(
    "--as",
    "by",
    default="",
    metavar="PRINCIPAL",
    help="Who you are among the approvers; default: whose key it is there.",
)
@click.option(
    "--for", "term_ms", default="24h", show_default=True, callback=_term, help="How long it holds, 7 days at most."
)
@variable_options
@click.option("--yes", is_flag=True, help="Answer yes to what would be asked; off a terminal nothing is asked.")
@format_option
def approve(
    *,
    path: Path,
    key: Path,
    by: str,
    term_ms: int,
    variables: dict[str, str],
    secret_values: dict[str, str],
    yes: bool,
    form: str,
) -> None:
    """Approve runs of FILE: sign what it says now, with these variables, and the targets that it has now.

    The approval is written beside FILE, in FILE.approvals/, and covers every run until it expires or until the file, a variable, a target
    or the policy changes. Nothing is started; drivers look for their targets, as gameday plan does. Exit code 0: written. 2: it cannot be.
    """
    from gameday.cli.approving import draft, place  # noqa: PLC0415 - heavy

    loaded = load_plans([path], Given(variables=variables, secret_values=secret_values))
    drafts = [draft(one, key, by) for one in loaded]
    for drafted in drafts:
        _show(drafted)
    if sys.stdin.isatty() and not yes:
        click.confirm("Sign this?", abort=True, err=True)
    now = datetime.now(UTC)
    placed = [place(one, key, now, now + timedelta(milliseconds=term_ms)) for one in drafts]
    if form == "json":
        rows = [_row(one) for one in placed]
        click.echo(json.dumps(rows[0] if len(rows) == 1 else rows, indent=2))
        return
    for one in placed:
        say(f"written: {one.path}, until {one.until:%Y-%m-%d %H:%M} UTC")
        for met in one.met:
            have = ", ".join(met.people) or "nobody"
            say(f"{met.demand.environment}: {len(met.people)} of {met.demand.needed} people have approved ({have})")


def _show(one: Draft) -> None:
    variant = "".join(f" {name}={value}" for name, value in one.subject.variant.items())
    say(f"{one.subject.source}{variant}: {one.title}", err=True)
    say(f"  in {', '.join(dict.fromkeys(demand.environment for demand in one.demands))}, as {one.by}", err=True)
    for fault, found in one.targets.items():
        touched = "; ".join(target if count == 1 else f"{count} of {target}" for target, count in found.items())
        say(f"  {fault} touches {touched or 'nothing'}", err=True)
    for refusal in one.refusals:
        say(f"  approved or not, it would be refused now: {refusal}", err=True)


def _row(one: Placed) -> dict[str, Any]:
    return {
        "schema": "gameday/approved/1",
        "path": str(one.path),
        "by": one.by,
        "until": one.until.isoformat(),
        "demands": [
            {
                "policy": str(met.demand.policy.path),
                "environment": met.demand.environment,
                "needed": met.demand.needed,
                "people": list(met.people),
            }
            for met in one.met
        ],
    }
