"""``gameday schema``: the JSON Schema of a file, so that editors complete and check it."""

from __future__ import annotations

import json

import click

EPILOG = """\b
Examples:
  gameday schema > experiment.schema.json
  gameday schema day > day.schema.json
  gameday schema verdict
In an experiment file, for editors that speak the YAML language server:
  # yaml-language-server: $schema=experiment.schema.json
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=click.Choice(["experiment", "day", "verdict", "findings", "policy"]), default="experiment")
def schema(kind: str) -> None:
    """Print the JSON Schema of an experiment file (default), of a game-day file, of verdict.json, findings.yaml or gameday.toml."""
    if kind == "verdict":
        from gameday.judge.schema import verdict_schema  # noqa: PLC0415 - only for this kind

        document = verdict_schema()
    elif kind == "findings":
        from gameday.schema.remarks import remarks_schema  # noqa: PLC0415 - only for this kind

        document = remarks_schema()
    elif kind == "policy":
        from gameday.policy.file import Rules  # noqa: PLC0415 - only for this kind
        from gameday.schema.jsonschema import section_schema  # noqa: PLC0415 - only for this kind

        document = section_schema(Rules, "gameday policy")
    else:
        from gameday.schema.jsonschema import json_schema  # noqa: PLC0415 - --help needs none of it

        document = json_schema(kind)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
