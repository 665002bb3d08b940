"""``pytest --gameday experiments/`` runs experiment files as tests; without ``--gameday`` nothing happens and nothing is imported."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; none of them does anything without the first."""
    group = parser.getgroup("gameday", "run chaos experiments as tests")
    group.addoption("--gameday", action="store_true", help="Collect experiment files (*.yaml) and run them as tests.")
    group.addoption(
        "--gameday-accept",
        choices=["near-limit"],
        help="Let a run pass that is inconclusive for that reason only, its estimate inside the budget.",
    )
    group.addoption(
        "--gameday-var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Set a variable of the files. Repeatable.",
    )
    group.addoption(
        "--gameday-var-file",
        action="append",
        default=[],
        metavar="FILE",
        help="Read variables, and secrets, from a file. Repeatable.",
    )
    group.addoption("--gameday-output", default="runs", metavar="DIR", help="Where run folders go. Default: runs")


def pytest_configure(config: pytest.Config) -> None:
    """Add the hooks that collect, when they are asked for."""
    if config.getoption("--gameday"):
        from gameday.pytest_plugin.experiments import Experiments  # noqa: PLC0415 - inert without the option

        config.pluginmanager.register(Experiments(config), "gameday-experiments")
