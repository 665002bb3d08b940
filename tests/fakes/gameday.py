"""A game day without a terminal and without experiments: answers from a list, and verdicts that are made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gameday.gamedays.day.desk import DeskClosedError
from gameday.gamedays.day.folder import Day, DayFolder, read_day
from gameday.gamedays.day.leading import lead
from gameday.gamedays.day.opening import open_day, resumable, resume_day
from gameday.gamedays.day.progress import Place
from gameday.gamedays.day.session import Session
from gameday.journal.folder import RunFolder
from gameday.runner.ending import Judged
from gameday.schema.day.loader import LoadedDay, load_day
from gameday.schema.loader import Loaded

HEAD = "version: 1\ntitle: A day\n"


@dataclass
class Desk:
    """Types one line after the other; at the end of them the terminal is gone. A line may be a function, called in its turn."""

    typed: list[str | Callable[[], str | None]] = field(default_factory=list[Any])
    by: str = "ben"
    role: str = "coordinator"
    attended: bool = True
    signal: str = ""
    said: list[str] = field(default_factory=list[str])

    def say(self, text: str) -> None:
        self.said.append(text)

    def line(self, seconds: float) -> str | None:
        assert seconds > 0
        if not self.typed:
            raise DeskClosedError
        first = self.typed.pop(0)
        return first if isinstance(first, str) else first()

    def interrupted(self) -> str:
        return self.signal


@dataclass
class Laboratory:
    """Carries out nothing; each run comes to the next verdict of the list, ``pass`` when there is none."""

    verdicts: list[str] = field(default_factory=list[str])
    on: Callable[[], None] = lambda: None
    """What happens while a run is on."""
    folder: DayFolder | None = None
    runs: list[str] = field(default_factory=list[str])
    blind: list[bool] = field(default_factory=list[bool])

    def load(self, place: Place, builtins: Callable[[int], Mapping[str, str]]) -> tuple[Loaded, ...]:
        assert builtins(0)["run.id"]
        return (cast("Loaded", place),)

    def settle(self) -> None:
        """Nothing is on its way."""

    def carry_out(self, loaded: Loaded, *, run_id: str, seed: int, blind: bool) -> Judged:
        assert loaded is not None
        assert seed >= 0
        self.blind.append(blind)
        assert self.folder is not None
        self.runs.append(run_id)
        run = RunFolder(self.folder.runs / run_id)
        run.path.mkdir()
        self.on()
        word = self.verdicts.pop(0) if self.verdicts else "pass"
        if run.stop.exists():
            word = "aborted"
        aborted_by = {"aborted": "person", "killed": "signal"}.get(word)
        verdict = "aborted" if aborted_by else word
        document = {"verdict": verdict, "reasons": [verdict], "aborted_by": aborted_by, "summary": "made up"}
        return Judged(folder=run, document=document)


@dataclass
class Stage:
    """One day in one folder: begun, led by a desk, gone on with."""

    tmp: Path
    text: str
    folder: DayFolder = field(init=False)
    loaded: LoadedDay = field(init=False)

    def __post_init__(self) -> None:
        (self.tmp / "experiment.yaml").write_text("title: x\n")
        path = self.tmp / "brown-out.yaml"
        path.write_text(HEAD + self.text)
        self.loaded = load_day(path)

    def begin(self, desk: Desk, laboratory: Laboratory | None = None) -> dict[str, Any]:
        """Begin the day and lead it as far as the desk's lines go; return its verdict."""
        self.folder, journal = open_day(self.loaded, {}, desk, output=self.tmp / "runs")
        return self._lead(desk, laboratory, journal)

    def resume(self, desk: Desk, laboratory: Laboratory | None = None) -> dict[str, Any]:
        """Go on with it."""
        resumed = resume_day(resumable(self.folder.path), desk, desk.say)
        return self._lead(desk, laboratory, resumed.journal)

    def _lead(self, desk: Desk, laboratory: Laboratory | None, journal: Any) -> dict[str, Any]:
        laboratory = laboratory or Laboratory()
        laboratory.folder = self.folder
        session = Session(folder=self.folder, file=self.loaded.day, journal=journal, desk=desk, laboratory=laboratory)
        try:
            return lead(session)
        finally:
            journal.close()

    @property
    def day(self) -> Day:
        return read_day(self.folder.path)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The data of each record of a kind."""
        return [dict(event.data) for event in self.day.events if event.kind == kind]
