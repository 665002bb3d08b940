"""``gameday day report``: what a day came to, judged again from its folder, and the draft of its postmortem."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gameday.cli.completing import complete_days
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday day report runs/day-20261124T100000Z-brown-out-1a2b
  gameday day report runs/day-20261124T100000Z-brown-out-1a2b --format json
"""


@click.command(epilog=EPILOG)
@click.argument(
    "day_folder",
    metavar="DAY",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_days,
)
@format_option
def report(*, day_folder: Path, form: str) -> None:
    """Judge the day in the folder DAY again and print its verdict with every reason.

    verdict.json and the draft of the postmortem (report.html, report.md) are written, unless the day is still led. The exit code is
    the verdict's.
    """
    from gameday.gamedays.day.folder import read_day  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.session import write_verdict  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.verdict import judge_day  # noqa: PLC0415 - heavy

    day = read_day(day_folder)
    led = bool(day.leader)
    document = judge_day(day, leading=True) | {"finished": False} if led else write_verdict(day.folder)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        show(document, day.folder.path)
        if led:
            say(f"it is still led by {day.leader}")
    if not led:
        tell_postmortem(day.folder.path)
    sys.exit(Verdict.from_word(str(document["verdict"])).exit_code)


def show(document: Mapping[str, Any], folder: Path) -> None:
    """Print a day's verdict: the word and why, then what became of each item."""
    from gameday.gamedays.day.progress import WORDS  # noqa: PLC0415 - heavy

    say(str(document["title"]))
    say(f"verdict: {document['verdict']} ({', '.join(dict.fromkeys(one['reason'] for one in document['reasons']))})")
    for reason in document["reasons"]:
        say(f"  {reason['says']}")
    for item in (*document["prerequisites"], *document["items"]):
        who = f" by {item['by']}" if item["by"] else ""
        say(f"  {item['outcome'] or 'not begun':<13}{WORDS.get(item['kind'], item['kind'])}: {item['title']}{who}")
        for run in item["runs"]:
            say(f"  {'':<13}{run['verdict'] or 'lost'}: {folder / run['run']}")
    say(f"day folder: {folder}" + ("" if document["finished"] else f"; go on with: gameday day resume {folder}"))


def tell_postmortem(folder: Path) -> None:
    """Write the draft of the postmortem and say where; what cannot be written changes no verdict."""
    from gameday.gamedays.day.postmortem import write_postmortem  # noqa: PLC0415 - heavy
    from gameday.spi import GamedayError  # noqa: PLC0415 - heavy

    try:
        for path in write_postmortem(folder):
            say(f"postmortem: {path}", err=True)
    except (GamedayError, OSError, ValueError) as error:
        say(f"the postmortem could not be written: {error}; try again with: gameday day report {folder}", err=True)
