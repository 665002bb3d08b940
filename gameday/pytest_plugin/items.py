"""An experiment file as pytest sees it: a test for each combination of its matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from gameday.cli.loading import Given, load_file
from gameday.pytest_plugin.running import Asked, Finished, carry_out
from gameday.pytest_plugin.telling import failure_text
from gameday.pytest_plugin.turn import turn
from gameday.schema.errors import ExperimentErrors
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

VERDICT, RUN = "gameday_verdict", "gameday_run"
_MARKER = re.compile(r"[A-Za-z][\w.-]*")


class NotProvenError(Exception):
    """A run that did not pass."""

    def __init__(self, finished: Finished) -> None:
        super().__init__(finished.word)
        self.finished = finished


class ExperimentFile(pytest.File):
    """One experiment file."""

    given: Given

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, given: Given) -> Self:
        """Make the collector of one file."""
        made: Self = cls.from_parent(parent, path=path)  # pyright: ignore[reportUnknownMemberType] - pytest's **kw
        made.given = given
        return made

    def collect(self) -> Iterator[ExperimentItem]:
        """Load the file as ``gameday run`` would; an invalid one keeps everything from starting."""
        try:
            found = load_file(self._shown(), self.given)
        except ExperimentErrors as invalid:
            raise self.CollectError(str(invalid)) from None
        except GamedayError as error:
            raise self.CollectError(f"{error}\n  = help: {error.hint}" if error.hint else str(error)) from None
        for loaded in found:
            yield ExperimentItem.of(self, loaded)

    def _shown(self) -> Path:
        """Return the path as people and reports know it: from where pytest was started."""
        start = self.config.invocation_params.dir
        return self.path.relative_to(start) if self.path.is_relative_to(start) and Path.cwd() == start else self.path


class ExperimentItem(pytest.Item):
    """One experiment, or one combination of its matrix."""

    loaded: Loaded
    given: Given

    @classmethod
    def of(cls, parent: ExperimentFile, loaded: Loaded) -> Self:
        """Make the test of one experiment, with its tags as markers."""
        combination = ",".join(f"{name}-{value}" for name, value in loaded.variant.items())
        made: Self = cls.from_parent(parent, name=f"{parent.path.stem}{f'[{combination}]' if combination else ''}")  # pyright: ignore[reportUnknownMemberType] - pytest's **kw
        made.loaded, made.given = loaded, parent.given
        made.extra_keyword_matches.add(loaded.experiment.title)
        for marker in made._markers(loaded.experiment.tags):
            made.add_marker(marker)
        return made

    def _markers(self, tags: Iterable[str]) -> Iterator[pytest.MarkDecorator]:
        yield pytest.mark.gameday
        for tag in tags:
            if _MARKER.fullmatch(tag):
                self.config.addinivalue_line("markers", f"{tag}: a tag of experiments")
                yield getattr(pytest.mark, tag)
        if self.config.pluginmanager.hasplugin("xdist"):
            yield pytest.mark.xdist_group("gameday")
        if self.config.pluginmanager.hasplugin("timeout"):
            yield pytest.mark.timeout(0)  # a run has a maximum of its own, and must be let to revert

    def runtest(self) -> None:
        """Run it, when it is its turn; raise NotProvenError for every verdict but pass."""
        with turn() as lock:
            finished = carry_out(self._asked(), lock, self._say)
        if finished.folder is not None:
            self.user_properties += [(VERDICT, finished.word), (RUN, str(finished.folder))]
        if not finished.passed:
            raise NotProvenError(finished)

    def _say(self, text: str) -> None:
        """Print a line at once, past what captures a test's output."""
        capture: Any = self.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            writer = self.config.get_terminal_writer()
            writer.line(text)
            writer.flush()

    def _asked(self) -> Asked:
        option = self.config.option
        mine = {name: value for name, value in self.given.variables.items() if name in self.loaded.declared}
        start = self.config.invocation_params.dir
        return Asked(
            path=self.loaded.path,
            variables={**mine, **self.loaded.variant},
            variable_files=tuple((start / name).resolve() for name in option.gameday_var_file),
            output=(start / option.gameday_output).resolve(),
            accept=option.gameday_accept,
            start=start,
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """Say what was not proven, and where the report is; a traceback would say nothing."""
        if isinstance(excinfo.value, NotProvenError):
            return failure_text(excinfo.value.finished, self.loaded)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file, the line of the title and the name."""
        return self.path, self.loaded.lines.get("title", 1) - 1, self.name
