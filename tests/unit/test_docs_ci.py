"""The page about CI: its workflow is the one that init writes, its commands and options exist."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from gameday.cli import cli
from gameday.cli.ci import LINKS
from gameday.cli.init import contents
from gameday.pytest_plugin import pytest_addoption
from gameday.registry import renderers

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text()
GITHUB, GITLAB = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)  # pyright: ignore[reportUnknownMemberType] - ruamel.yaml has no types


def test_the_workflow_is_the_one_that_init_writes() -> None:
    written = re.sub(r"^#.*\n", "", contents()[".github/workflows/resilience.yaml"], flags=re.MULTILINE)
    assert written == GITHUB
    assert isinstance(parsed(GITHUB), dict)


def test_the_job_of_gitlab_takes_what_is_written() -> None:
    job = parsed(GITLAB)
    artifacts: dict[str, Any] = job["resilience"]["artifacts"]
    assert artifacts["when"] == "always"
    reports: dict[str, str] = artifacts["reports"]
    assert reports["annotations"] == f"runs/{LINKS}"
    junit, metrics = renderers(["junit", "openmetrics"])
    assert reports["junit"] == f"runs/*/{junit.filename}"
    assert reports["metrics"] == metrics.filename


@pytest.mark.parametrize("line", re.findall(r"^(?:        run:|    -|   ) (gameday .*)$", PAGE, re.MULTILINE))
def test_every_command_exists(line: str) -> None:
    words = shlex.split(line)
    verb = cli.get_command(click.Context(cli), words[1])
    assert verb is not None
    options = {name for parameter in verb.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    if "--format" in words:
        assert renderers([words[words.index("--format") + 1]])


def test_every_option_of_the_plugin_is_told_and_no_other() -> None:
    parser = pytest.Parser(_ispytest=True)  # pytest's own way to keep others from making one
    pytest_addoption(parser)
    known = argparse.ArgumentParser()
    for option in parser.getgroup("gameday").options:
        known.add_argument(*option.names())
    told = set(re.findall(r"--gameday(?:-[a-z-]+)?", PAGE))
    assert told == {name for action in known._actions for name in action.option_strings if name.startswith("--g")}
