"""``gameday stop`` and ``gameday resume``: the red button."""

from __future__ import annotations

import sys

import click

from gameday.spi.errors import GamedayError

EPILOG = """\b
Examples:
  gameday stop "checkout is down for real"
  gameday resume
"""


@click.command(epilog=EPILOG)
@click.argument("why", nargs=-1)
def stop(why: tuple[str, ...]) -> None:
    """Stop every run of this user now, reverting every fault, and let none start until `gameday resume`.

    As root, the runs of every user of this machine. Each run stops within half a second, is reported as usual, and ends with exit code 4.
    """
    from gameday.undo.state import press  # noqa: PLC0415 - only here

    try:
        button = press(" ".join(why))
    except OSError as error:
        raise GamedayError(f"cannot press the red button: {error}", hint="stop the runs by Ctrl-C or kill") from error
    click.echo(f"stopping every run, and none starts until: gameday resume ({button})")


@click.command(epilog=EPILOG)
def resume() -> None:
    """Let runs start again after `gameday stop`."""
    from gameday.undo.state import pressed, release  # noqa: PLC0415 - only here

    try:
        released = release()
    except OSError as error:
        raise GamedayError(f"cannot release the red button: {error}") from error
    why = pressed()
    if why:
        click.echo(f"still stopped: {why}; only who pressed it can release it", err=True)
        sys.exit(2)
    click.echo("runs may start again" if released else "nothing was stopped")
