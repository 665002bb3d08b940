"""The hooks that are there with ``--gameday``: which files are experiments, what is told at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gameday.cli.ci import tell_ci
from gameday.cli.files import SUFFIXES, is_day_file, left_out
from gameday.cli.loading import Given
from gameday.cli.terminal import printable
from gameday.cli.variables import refuse_undeclared, variables_of_files, variables_of_options
from gameday.pytest_plugin.items import RUN, VERDICT, ExperimentFile, ExperimentItem

_KEYS = re.compile(rb"^\s?[\"']?(title|hypothesis|objectives|faults|load|phases|system|uses)[\"']?\s*:", re.MULTILINE)
_LOOK_BYTES = 256 * 1024


class Experiments:
    """Collects experiments, and tells what they came to."""

    def __init__(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "gameday: an experiment; each tag of it is a marker, too")
        if config.pluginmanager.hasplugin("xdist"):
            config.addinivalue_line("markers", "xdist_group(name): which tests belong to one worker")
        self.given = _given(config)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ExperimentFile | None:
        """Take a file that is named, and of those in folders the ones that look like an experiment."""
        if file_path.suffix not in SUFFIXES:
            return None
        named = parent.session.isinitpath(file_path)
        if not named and (left_out(file_path, parent.config.rootpath) or not _looks_like_one(file_path)):
            return None
        if is_day_file(file_path):  # it needs people, and is led by `gameday day run`
            return None
        return ExperimentFile.of(parent, file_path, self.given)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse a variable that no file declares: it is most likely misspelt."""
        loaded = [item.loaded for item in items if isinstance(item, ExperimentItem)]
        if loaded:
            try:
                refuse_undeclared(self.given.variables, loaded)
            except click.UsageError as error:
                raise pytest.UsageError(f"--gameday-var: {error.message}") from None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say where the reports are, and tell the CI system; once, where xdist has workers."""
        ran = list(_ran(terminalreporter))
        if not ran or hasattr(config, "workerinput"):
            return
        terminalreporter.section("experiments")
        for name, verdict, folder in ran:
            report = folder / "report.html"
            terminalreporter.write_line(printable(f"{verdict:<13}{name}  {report if report.exists() else folder}"))
        tell_ci([folder for _, _, folder in ran if (folder / "verdict.json").exists()], os.environ)


def _given(config: pytest.Config) -> Given:
    """Read the variables; raise pytest.UsageError for what is none."""
    try:
        return Given(
            variables=variables_of_options(config.option.gameday_var),
            secret_values=variables_of_files(config.option.gameday_var_file),
        )
    except click.BadParameter as error:
        raise pytest.UsageError(f"--gameday-var: {error.message}") from None


def _looks_like_one(path: Path) -> bool:
    """Whether two of the keys of an experiment are there: a compose file or a workflow beside them is none of ours."""
    try:
        with path.open("rb") as file:
            return len(set(_KEYS.findall(file.read(_LOOK_BYTES)))) > 1
    except OSError:
        return False


def _ran(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, str, Path]]:
    """Yield test, verdict and folder of every run, as its report says, which comes from other processes as well."""
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                told = {name: str(value) for name, value in report.user_properties}
                if RUN in told:
                    yield report.nodeid, told[VERDICT], Path(told[RUN])
