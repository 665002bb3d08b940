"""What is imported when: a command starts at once because it imports what it uses, and what is heavy only where it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gameday.judge


@pytest.mark.parametrize(
    ("module", "never"),
    [
        (
            "gameday.runner.run",
            "gameday.judge.verdict gameday.load.generator jinja2 urllib.request importlib.metadata tomllib",
        ),
        ("gameday.cli.run", "gameday.judge anyio ruamel.yaml importlib.metadata email"),
        ("gameday.undo.host", "anyio chaoslib gameday.judge gameday.schema.experiment ruamel.yaml email"),
        ("gameday.undo.watchdog", "anyio chaoslib gameday.judge gameday.schema.experiment ruamel.yaml email"),
    ],
)
def test_what_starts_a_run_imports_nothing_that_it_does_not_use(module: str, never: str) -> None:
    code = f"import sys, {module}; print([name for name in '{never}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_judge_is_there() -> None:
    for name in gameday.judge.__all__:
        assert getattr(gameday.judge, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gameday.judge.nothing  # noqa: B018 - that it raises is the test
