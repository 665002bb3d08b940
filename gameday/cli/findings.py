"""``gameday findings``: what runs found, whose it is, by when, and what closed it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.findings_say import SAYING
from gameday.cli.ledgering import (
    all_findings,
    brief,
    complete_findings,
    followed,
    ledger_option,
    opened,
    read_ledger,
    tally,
    the_one,
)
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.model import EXIT_USAGE, Verdict

if TYPE_CHECKING:
    from gameday.gamedays.ledger.lifecycle import Finding

EPILOG = """\b
Examples:
  gameday findings import runs/ experiments/findings.yaml
  gameday findings list --open
  gameday findings assign 3fa9 team-checkout
  gameday findings due 3fa9 2026-12-08
  gameday findings list --fail-overdue                 in a scheduled job
  gameday findings export --format github > issues.json
"""


_IMPORT = """\b
Examples:
  gameday findings import runs/
  gameday findings import runs/20261123T101500Z-payments-outage-1a2b experiments/findings.yaml
"""
_LIST = """\b
Examples:
  gameday findings list --open --owner team-checkout
  gameday findings list --overdue --format json
  gameday findings list --fail-overdue                 in a scheduled job
"""
_EXPORT = """\b
Examples:
  gameday findings export > findings.md
  gameday findings export --format csv --all > findings.csv
  gameday findings export --format yaml --all > experiments/findings.yaml
  gameday findings export --format github > issues.json
"""


@click.group(epilog=EPILOG)
def findings() -> None:
    """Follow findings through all runs: open, closed by a later passing run, reopened; owners, days and tickets.

    A finding is closed by nothing but a later run of the same hypothesis that passed and proved its objective. With a ledger configured
    ($GAMEDAY_LEDGER, or once it is made) every run is noted at its end.
    """


@findings.command("import", epilog=_IMPORT)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@ledger_option
def import_(paths: tuple[Path, ...], ledger: str | None) -> None:
    """Note run folders, folders of them, and findings.yaml files; twice is once. Makes the ledger where there is none.

    From then on every run is noted at its end, but for GAMEDAY_LEDGER=off. Exit code 2 when something could not be read; the rest is noted.
    """
    from gameday.gamedays.ledger.importing import import_paths  # noqa: PLC0415 - heavy

    with opened(ledger, make=True) as store:
        done = import_paths(store, paths)
        shown = store.address.shown
    for what, why in done.refused:
        say(f"{what}: not noted: {why}", err=True)
    words = [f"{done.runs} run{'' if done.runs == 1 else 's'}, {done.noted} of them new or judged anew"]
    if done.checks:
        words.append(f"{done.checks} left out that tested nothing")
    if done.statements:
        words.append(f"{done.statements} new entries of findings files")
    say(f"{'; '.join(words)}; in {shown}")
    if done.refused:
        sys.exit(EXIT_USAGE)


@findings.command("list", epilog=_LIST)
@click.option("--open", "only_open", is_flag=True, help="Only those that are open or reopened.")
@click.option("--overdue", is_flag=True, help="Only open ones whose day is over.")
@click.option("--owner", help="Only this owner's; '' for those that nobody has.")
@click.option(
    "--fail-overdue", is_flag=True, help="Exit 1 when an open finding is overdue, 3 when the ledger has no run."
)
@format_option
@ledger_option
def list_(
    *, only_open: bool, overdue: bool, owner: str | None, fail_overdue: bool, form: str, ledger: str | None
) -> None:
    """List findings: open ones first, then the most severe, then the oldest. Days are over at midnight UTC."""
    held, now = read_ledger(ledger), time.time()
    everything = followed(held)
    shown = [one for one in everything if _wanted(one, now, only_open=only_open, overdue=overdue, owner=owner)]
    if form == "json":
        click.echo(_rendered(shown, now, "json").decode(), nl=False)
    else:
        for one in shown:
            for line in brief(one, now):
                say(line)
        say(f"{tally(shown, now)}; {len(held.runs)} run{'' if len(held.runs) == 1 else 's'} noted")
    late = [one for one in everything if one.overdue(now)]
    if fail_overdue and late:
        say(f"overdue: {', '.join(one.fingerprint for one in late)}", err=True)
        sys.exit(Verdict.FAIL.exit_code)
    if fail_overdue and not held.runs:
        say("the ledger has no run: it is not known what is overdue", err=True)
        sys.exit(Verdict.INCONCLUSIVE.exit_code)


def _wanted(one: Finding, now: float, *, only_open: bool, overdue: bool, owner: str | None) -> bool:
    return (
        (one.is_open or not only_open)
        and (one.overdue(now) or not overdue)
        and (owner is None or one.said.get("owner", "") == owner)
    )


@findings.command("show")
@click.argument("fingerprint", shell_complete=complete_findings)
@format_option
@ledger_option
def show(fingerprint: str, form: str, ledger: str | None) -> None:
    """Show one finding, by its fingerprint or its first digits: evidence, next step, every word of people, its runs."""
    held, now = read_ledger(ledger), time.time()
    one = the_one(followed(held), fingerprint)
    if form == "json":
        click.echo(json.dumps(json.loads(_rendered([one], now, "json"))["findings"][0], indent=2, ensure_ascii=False))
        return
    for line in brief(one, now):
        say(line)
    for name, text in (("saw", one.latest.saw), ("next", one.latest.next), *one.said.items()):
        if text:
            say(f"  {name:<7} {text}")
    for run in held.runs:
        severity = next((had.severity for had in run.findings if had.fingerprint == one.fingerprint), "")
        if severity or run == one.closed_by:
            say(f"  {run.run}  {run.verdict:<13}{severity or 'closed it'}")


@findings.command("export", epilog=_EXPORT)
@click.option(
    "--format",
    "form",
    default="md",
    show_default=True,
    help="md, csv, json, yaml (a findings.yaml), or github: issues to create.",
)
@click.option("--all", "everything", is_flag=True, help="Closed ones, too; github has only open ones without a ticket.")
@ledger_option
def export(form: str, ledger: str | None, *, everything: bool) -> None:
    """Write findings to stdout, for a wiki, a spreadsheet, a program, or as what GitHub takes for new issues.

    github is a JSON list of what POST /repos/OWNER/REPO/issues takes: title, body and labels.
    """
    from gameday.registry import findings_form  # noqa: PLC0415 - heavy

    findings_form(form)  # an unknown one is refused before anything is read
    shown = [one for one in all_findings(ledger) if everything or one.is_open]
    sys.stdout.buffer.write(_rendered(shown, time.time(), form))
    sys.stdout.buffer.flush()


def _rendered(shown: list[Finding], now: float, form: str) -> bytes:
    from gameday.gamedays.ledger.document import findings_document  # noqa: PLC0415 - heavy
    from gameday.registry import findings_form  # noqa: PLC0415 - heavy

    return findings_form(form).render(findings_document(shown, now=now))


for _command in SAYING:
    findings.add_command(_command)
