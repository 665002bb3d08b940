"""The verbs of the ledger, called as a person does."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from gameday.cli import cli


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def ok(*words: str) -> str:
    done = call(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def said(result: Result) -> str:
    """What main() would print of an error of ours."""
    return f"{result.exception} {getattr(result.exception, 'hint', '')}"


def listed(*words: str) -> list[dict[str, Any]]:
    document = json.loads(ok("findings", "list", "--format", "json", *words))
    assert document["schema"] == "gameday/findings/1"
    found: list[dict[str, Any]] = document["findings"]
    return found
