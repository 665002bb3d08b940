"""``gameday findings assign | due | ticket | action | kind | cause | note``: what people add, one command for each key of findings.yaml."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping

import click

from gameday.cli.ledgering import complete_findings, followed, ledger_option, opened, the_one
from gameday.cli.outcome import say

_VERBS: Mapping[str, tuple[str, str, str]] = {
    "assign": ("owner", "OWNER", "Say who has it: a team or a role."),
    "due": ("due", "YYYY-MM-DD", "Say by which day it is done."),
    "ticket": ("ticket", "TICKET", "Say which ticket it is, or its address."),
    "action": ("action", "TEXT", "Say what is done about it."),
    "kind": ("kind", "KIND", "Say what the action improves: prevent, detect, mitigate or process."),
    "cause": ("cause", "TEXT", "Say what people found out to be the cause."),
    "note": ("note", "TEXT", "Say anything else that a reader should know."),
}


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _command(verb: str) -> click.Command:
    key, metavar, about = _VERBS[verb]

    @click.command(verb, help=f"{about} Holds until somebody, or a findings.yaml that changes, says otherwise.")
    @click.argument("fingerprint", shell_complete=complete_findings)
    @click.argument("value", metavar=metavar, required=False)
    @click.option("--clear", is_flag=True, help="Take back what was said.")
    @click.option("--by", default=_author, help="Who says so; default: you.")
    @ledger_option
    def command(fingerprint: str, value: str | None, *, clear: bool, by: str, ledger: str | None) -> None:
        if clear == (value is not None):
            raise click.UsageError(f"give {metavar}, or --clear")
        _say(fingerprint, key, (value or "").strip(), by=by, ledger=ledger, clear=clear)

    return command


def _say(fingerprint: str, key: str, value: str, *, by: str, ledger: str | None, clear: bool) -> None:
    from gameday.gamedays.ledger.book import contents  # noqa: PLC0415 - heavy
    from gameday.gamedays.ledger.book import say as note  # noqa: PLC0415 - heavy
    from gameday.schema.remarks import wrong_remark  # noqa: PLC0415 - heavy
    from gameday.spi.reading import bounded  # noqa: PLC0415 - heavy

    if not clear:
        wrong = ("is empty", "or give --clear") if not value else wrong_remark(key, value)
        if wrong:
            raise click.UsageError(f"{key} {wrong[0]}; {wrong[1]}")
    with opened(ledger) as store:
        one = the_one(followed(contents(store)), fingerprint)
        note(store, one.fingerprint, {key: bounded(value, 2_000)}, by=bounded(by, 100), now=time.time())
    said = f"{key} taken back" if clear else f"{key} {value}"
    say(f"{one.fingerprint}  {one.experiment}: {one.latest.title}: {said}")


SAYING = tuple(_command(verb) for verb in _VERBS)
