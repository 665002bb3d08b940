"""``gameday notify``: try out the channels of a file before anything depends on them."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.dayloading import load_whole_day
from gameday.cli.files import is_day_file
from gameday.cli.loading import Given, load_file
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.cli.variables import variable_options
from gameday.model import EXIT_USAGE
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.notify.outbox import Outcome
    from gameday.schema.notify import Channel
    from gameday.spi import Secrets

EPILOG = """\b
Examples:
  gameday notify test experiments/payments-outage.yaml
  gameday notify test gamedays/brown-out.yaml --var-file secrets.env
"""
_SECONDS = 6.0
"""How long a test waits: one try, and a little."""


@click.group(epilog=EPILOG)
def notify() -> None:
    """Try out the notifications of an experiment or a game day."""


@notify.command(epilog=EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@variable_options
@format_option
def test(*, path: Path, variables: dict[str, str], secret_values: dict[str, str], form: str) -> None:
    """Send a test message to each channel of FILE's notify:, once, and say what came of it. Nothing is run.

    Exit code 0: each was delivered. 1: one was not.
    """
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy

    try:
        outcomes = _sent(path, Given(variables=variables, secret_values=secret_values))
    except ExperimentErrors as invalid:
        click.echo(str(invalid), err=True)
        sys.exit(EXIT_USAGE)
    if form == "json":
        click.echo(json.dumps([outcome.to_json() for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            say(f"{outcome.outcome:<11}{outcome.channel}" + (f": {outcome.error}" if outcome.error else ""))
    sys.stdout.flush()
    # A receiver that hangs must not keep the process.
    os._exit(0 if all(outcome.outcome == "delivered" for outcome in outcomes) else 1)


def _sent(path: Path, given: Given) -> tuple[Outcome, ...]:
    """Send the messages and wait for them; raise GamedayError when the file tells nobody."""
    from gameday.notify import notices  # noqa: PLC0415 - heavy
    from gameday.notify.channels import routes  # noqa: PLC0415 - heavy
    from gameday.notify.outbox import Outbox  # noqa: PLC0415 - heavy

    title, channels, secrets = _channels(path, given)
    if not channels:
        hint = 'add notify: [{slack: "${slack_url}"}]; docs/notifications.md has all of it'
        raise GamedayError(f"{path} tells nobody", hint=hint)
    outbox = Outbox(routes(channels, path.absolute().parent), secrets, pauses=())
    outbox.post(notices.trial(title=title, wall=time.time()))
    outbox.settle(_SECONDS)
    return outbox.outcomes()


def _channels(path: Path, given: Given) -> tuple[str, tuple[Channel, ...], Secrets]:
    """Return the title, the channels and the secrets of a file of either kind; raise ExperimentErrors."""
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy

    if is_day_file(path):
        whole = load_whole_day(path, given, require_values=False)
        if whole.loaded is None:
            raise ExperimentErrors(whole.errors)
        return whole.loaded.day.title, whole.loaded.day.notify, whole.loaded.secrets
    loaded = load_file(path, given, require_values=False)[0]
    return loaded.experiment.title, loaded.experiment.notify, loaded.secrets
