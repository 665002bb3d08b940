"""``gameday doctor``: what this machine can and cannot do, and the self-test of the undo."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from gameday.cli.options import format_option
from gameday.cli.terminal import printable
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.cli.machine import Finding

EPILOG = """\b
Examples:
  gameday doctor
  gameday doctor --undo        kills runners of its own, and shows what is left of their faults: nothing
"""
_MARKS = {"ok": "ok", "weak": "WEAK", "lacking": "LACKING"}


@click.command(epilog=EPILOG)
@click.option("--undo", is_flag=True, help="The self-test of the undo; takes about a minute.")
@format_option
def doctor(form: str, *, undo: bool) -> None:
    """Look at this machine: what a run needs, and what it would do better with; each lack with the command that fixes it.

    Exit code 0: a run can do its work here; 2: something that it needs is lacking.
    """
    if undo:
        from gameday.cli.doctor_undo import run_selftest  # noqa: PLC0415 - heavy, and only for --undo

        sys.exit(run_selftest(form))
    from gameday.cli.machine import look  # noqa: PLC0415 - heavy

    findings: list[Finding] = []
    for finding in look():
        findings.append(finding)
        if form == "text":
            click.echo(_line(finding))
    able = not any(finding.state == "lacking" for finding in findings)
    if form == "json":
        document = {"schema": "gameday/doctor/1", "able": able, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    sys.exit(0 if able else EXIT_USAGE)


def _line(finding: Finding) -> str:
    fix = f"\n{'':<28}= help: {printable(finding.fix)}" if finding.fix else ""
    return f"{_MARKS[finding.state]:<9}{finding.name:<18} {printable(finding.says)}{fix}"
