"""``gameday list``: what there is to inject and to measure, and the experiments that come along."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gameday.cli.completing import complete_drivers
from gameday.cli.options import format_option

EPILOG = """\b
Examples:
  gameday list
  gameday list proxy.latency
  gameday list --format json
"""


@click.command("list", epilog=EPILOG)
@click.argument("name", metavar="[DRIVER]", required=False, shell_complete=complete_drivers)
@format_option
def list_(name: str | None, form: str) -> None:
    """List drivers, probes and shipped experiments; with the name of a DRIVER (or a probe), its parameters."""
    document = everything() if name is None else one(name)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_all_lines(document) if name is None else _one_lines(document)))


def everything() -> dict[str, Any]:
    """Return the names and first lines of all that is installed."""
    from gameday.cli.library import shipped  # noqa: PLC0415 - only here
    from gameday.registry import driver_class, drivers, probe_class, probes  # noqa: PLC0415 - heavy

    return {
        "drivers": [{"name": name, "summary": _summary(driver_class(name))} for name in drivers()],
        "probes": [{"name": name, "summary": _summary(probe_class(name))} for name in probes()],
        "experiments": [{"path": str(path), "title": title_of(path)} for path in shipped()],
    }


def one(name: str) -> dict[str, Any]:
    """Return what a driver and a probe of this name are, with their parameters; raise GamedayError when there is neither."""
    from gameday.registry import driver_class, drivers, probe_class, probes  # noqa: PLC0415 - heavy

    is_driver, is_probe = name in drivers(), name in probes()
    return {
        "name": name,
        "driver": _described(driver_class(name)) if is_driver or not is_probe else None,
        "probe": _described(probe_class(name)) if is_probe else None,
    }


def _described(made: type[Any]) -> dict[str, Any]:
    from gameday.schema.parameters import parameters_of  # noqa: PLC0415 - heavy

    return {
        "about": inspect.getdoc(made) or "",
        "parameters": [
            {
                "name": parameter.name,
                "kind": parameter.kind,
                "required": parameter.required,
                "default": parameter.default,
                "help": parameter.help,
            }
            for parameter in parameters_of(made)
        ],
    }


def title_of(path: Path) -> str:
    """Return the title that a file gives itself, without reading all of it as an experiment; empty without one."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = next((line.partition(":")[2].strip() for line in lines if line.startswith("title:")), "")
    return found.strip("\"'")


def _summary(made: type[Any]) -> str:
    return (inspect.getdoc(made) or "").partition("\n")[0]


def _all_lines(document: dict[str, Any]) -> Iterator[str]:
    for kind in ("drivers", "probes"):
        yield f"{kind} (gameday list NAME prints the parameters):"
        wide = max((len(row["name"]) for row in document[kind]), default=0)
        for row in document[kind]:
            yield f"  {row['name']:<{wide}}  {row['summary']}"
    yield "experiments:"
    for row in document["experiments"]:
        yield f"  {row['path']}"
        yield f"      {row['title']}"


def _one_lines(document: dict[str, Any]) -> Iterator[str]:
    for kind, where in (("driver", "with:"), ("probe", "under slis:, beside its kind:")):
        described = document[kind]
        if described is None:
            continue
        yield from (f"{document['name']}, a {kind}", "", described["about"], "", where)
        for parameter in described["parameters"]:
            said = f": {parameter['help']}" if parameter["help"] else ""
            yield f"  {parameter['name']:<14}{parameter['kind']}, {_default(parameter)}{said}"
        yield ""


def _default(parameter: dict[str, Any]) -> str:
    if parameter["required"]:
        return "must be given"
    return f"default {parameter['default']}" if parameter["default"] else "optional"
