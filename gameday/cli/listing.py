"""``gameday list``: what there is to inject, and the experiments that come along."""

from __future__ import annotations

import inspect

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
    click.echo(_driver(driver) if driver is not None else _everything())


def _everything() -> str:
    from gameday.cli.library import shipped  # noqa: PLC0415 - only here
    from gameday.registry import drivers  # noqa: PLC0415 - heavy

    lines = ["drivers (gameday list NAME prints the parameters):"]
    lines += [f"  {name:<16}{_summary(name)}" for name in drivers()]
    lines += ["experiments:", *(f"  {path}" for path in shipped())]
    return "\n".join(lines)


def _summary(name: str) -> str:
    from gameday.registry import driver_class  # noqa: PLC0415 - heavy

    return (inspect.getdoc(driver_class(name)) or "").partition("\n")[0]


def _driver(name: str) -> str:
    from gameday.registry import driver_class, driver_parameters  # noqa: PLC0415 - heavy

    lines = [name, "", inspect.getdoc(driver_class(name)) or "", "", "with:"]
    for parameter in driver_parameters(name):
        default = (
            "must be given"
            if parameter.required
            else f"default {parameter.default}"
            if parameter.default
            else "optional"
        )
        lines.append(
            f"  {parameter.name:<12}{parameter.kind}, {default}" + (f": {parameter.help}" if parameter.help else "")
        )
    return "\n".join(lines)
