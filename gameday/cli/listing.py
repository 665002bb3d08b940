"""``gameday list``: what there is to inject, and the experiments that come along."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  gameday list
  gameday list proxy.latency
"""


@click.command("list", epilog=EPILOG)
@click.argument("driver", required=False)
def list_(driver: str | None) -> None:
    """List drivers and shipped experiments; with DRIVER, its parameters."""
    from gameday.registry import describe_driver, drivers  # noqa: PLC0415 - heavy

    if driver is not None:
        click.echo(describe_driver(driver))
        return
    from gameday.cli.library import shipped  # noqa: PLC0415 - only here

    click.echo("drivers:")
    for name in drivers():
        click.echo(f"  {describe_driver(name).splitlines()[0]}")
    click.echo("experiments:")
    for path in shipped():
        click.echo(f"  {path}")
