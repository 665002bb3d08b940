"""Lead through a game day: each item in its order, everything written down before it counts, and one verdict at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gameday.gamedays.day import inbox
from gameday.gamedays.day.answers import HELP, Typed, may_answer, may_decide, parse
from gameday.gamedays.day.desk import Desk, DeskClosedError, Laboratory
from gameday.gamedays.day.evidence import EvidenceError, keep
from gameday.gamedays.day.folder import DayFolder, read_day
from gameday.gamedays.day.hearing import LOOK_SECONDS, Hearing, Question
from gameday.gamedays.day.progress import INTERRUPTED, Place, Progress, asked_role, kind_of, next_place, note, title_of
from gameday.gamedays.day.verdict import judge_day, verdict_bytes
from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal
from gameday.model import Verdict
from gameday.runner.ending import replace_file
from gameday.schema.day.file import DayFile
from gameday.spi.errors import GamedayError

NOBODY = "nobody was there"


class DayStoppedError(Exception):
    """The day ends here for now; the record that says why is written."""


class DayUnwritableError(GamedayError):
    """The day ends here for now, and nothing of that could be written down; what ran is reverted, or ``verdict`` says that it is dirty."""

    def __init__(self, why: str, verdict: Verdict, *, hint: str) -> None:
        super().__init__(why, hint=hint)
        self.verdict = verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody answered."""

    word: str
    by: str
    role: str
    text: str = ""
    evidence: Sequence[Mapping[str, Any]] = ()
    message: str | None = None

    def said(self) -> dict[str, Any]:
        """As records have it."""
        return {"by": self.by, "role": self.role, "why": self.text, "message": self.message}


@dataclass(slots=True, kw_only=True)
class Session:
    """One stretch of a day, from its begin or a resume to its end or a stop."""

    folder: DayFolder
    file: DayFile
    journal: Journal
    desk: Desk
    laboratory: Laboratory
    progress: Progress = field(default_factory=Progress)
    worst: Verdict = Verdict.PASS
    """Of the runs of this stretch, whether or not it could be written down."""
    hearing: Hearing = field(init=False)

    def __post_init__(self) -> None:
        """Know everything that the journal says already, and from now on says."""
        for event in read_journal(self.journal.path).events:
            note(self.progress, event)
        self.journal.listener = lambda event: note(self.progress, event)
        self.hearing = Hearing(folder=self.folder, file=self.file, journal=self.journal, progress=self.progress)

    def next_place(self) -> Place | None:
        """Return what is to be done now; None when nothing is left."""
        return next_place(self.file, self.progress)

    def question(self, place: Place, kind: str = "") -> Question:
        """Return what is asked at a place."""
        return Question(place=place, kind=kind or kind_of(self.file, place), role=asked_role(self.file, place))

    def ask(self, question: Question, text: str, late_ms: int | None = None) -> Answer:
        """Ask, and return the first answer of somebody who may give it; raise DayStoppedError when the day is stopped meanwhile.

        ``late_ms`` is the time of the journal's clock after which a person is told that the step is late.
        """
        section, index = question.place
        data = {"section": section, "index": index, "kind": question.kind, "title": title_of(self.file, question.place)}
        self.journal.write("asked", {**data, "role": question.role, "help": HELP[question.kind]})
        who = question.role and " or ".join(self.file.people.people(question.role))
        self.desk.say(text + (f"\n  {question.role} ({who})" if who else "") + f"\n  {HELP[question.kind]}")
        while True:
            self.check_stop()
            self.hearing.take(question)
            self.check_stop()
            if (message := self.hearing.answer) is not None:
                self.hearing.answer = None
                self.desk.say(f"{message.by}: {message.answer} {message.text}".rstrip())
                return Answer(
                    word=message.answer, by=message.by, role=message.role, text=message.text, evidence=message.evidence,
                    message=message.id,
                )  # fmt: skip
            if late_ms is not None and self.journal.now_ms() > late_ms:
                late_ms = None
                self.desk.say("  the time for this step is over: it can still be done, and is late")
            answer = self._typed(question)
            if answer is not None:
                return answer

    def _typed(self, question: Question) -> Answer | None:
        """Take in a line of the leader's own terminal; return what answers the question."""
        try:
            line = self.desk.line(LOOK_SECONDS)
        except DeskClosedError:
            self.stop("its terminal was closed", how="signal")
        if line is None:
            return None
        typed = parse(line, question.kind)
        desk = self.desk
        if typed.what == "answer":
            if may_answer(self.file.people, question.role, desk.role, question.kind):
                return self._answer(typed, question)
            desk.say(
                f"  only the {question.role or 'owner or the coordinator'} may answer: gameday day answer {self.folder.path} …"
            )
        elif typed.what == "stop" and may_decide(self.file.people, desk.role):
            self.stop(typed.text, how="person")
        elif typed.what in ("note", "mark"):
            self.say_here(typed)
        else:
            desk.say(f"  {typed.text or 'only the owner and the coordinator may stop the day'}")
        return None

    def _answer(self, typed: Typed, question: Question) -> Answer | None:
        """Return a typed answer with its evidence; None, and what would do is said, when that is missing or cannot be kept."""
        try:
            evidence = keep(self.folder, typed.evidence)
        except EvidenceError as error:
            self.desk.say(f"  {error}" + (f"; {error.hint}" if error.hint else ""))
            return None
        if lacks_evidence(self.file, question.place, typed.word, evidence):
            self.desk.say("  this step needs evidence: done LINK, or done FILE")
            return None
        return Answer(word=typed.word, by=self.desk.by, role=self.desk.role, text=typed.text, evidence=evidence)

    def say_here(self, typed: Typed) -> None:
        """Write down a note or a mark of the leader's own terminal."""
        data: dict[str, Any] = {"text": typed.text, "by": self.desk.by, "role": self.desk.role}
        data |= {"at": round(time.time(), 3), "evidence": [], "message": None}
        if typed.what == "mark":
            self.journal.write("mark", {"mark": typed.word, **data, "source": "person"})
        else:
            self.journal.write("note", data)
        self.desk.say("  noted")

    def check_stop(self) -> None:
        """Raise DayStoppedError when somebody, or a signal, has stopped the day."""
        if self.hearing.stopped:
            raise DayStoppedError
        if name := self.desk.interrupted():
            self.stop(name, how="signal")

    def stop(self, why: str, *, how: str) -> NoReturn:
        """Write down that the day is stopped, and raise DayStoppedError."""
        if not self.hearing.stopped:
            data = {"by": self.desk.by, "role": self.desk.role, "at": round(time.time(), 3)}
            self.journal.write("stopped", {**data, "why": why, "how": how})
            self.hearing.stopped = True
        raise DayStoppedError

    def start_item(self, place: Place) -> None:
        """Write down that an item is begun."""
        section, index = place
        blind = section == "agenda" and self.file.agenda[index].blind
        data = {
            "section": section,
            "index": index,
            "kind": kind_of(self.file, place),
            "title": title_of(self.file, place),
        }
        attempt = self.progress.at(place).attempts + 1
        self.journal.write(
            "item-started", {**data, "blind": blind, "role": asked_role(self.file, place), "attempt": attempt}
        )
        self.journal.sync()

    def end_item(self, place: Place, outcome: str, answer: Answer | None = None) -> None:
        """Write down how an item of the agenda, or a prerequisite, ended."""
        section, index = place
        state = self.progress.at(place)
        said = answer.said() if answer is not None else {"by": "", "role": "", "why": "", "message": None}
        data: dict[str, Any] = {"index": index, "kind": kind_of(self.file, place), "title": title_of(self.file, place)}
        data |= {"outcome": outcome, **said, "runs": list(state.runs)}
        if section == "prerequisites":
            self.journal.write("prerequisite", data)
        else:
            evidence = [dict(one) for one in (answer.evidence if answer is not None else ())]
            seconds = round((self.journal.now_ms() - state.first_ms) / 1000, 3)
            self.journal.write("item-ended", {"section": section, **data, "evidence": evidence, "seconds": seconds})
        self.journal.sync()

    def interrupt(self, place: Place, why: str) -> None:
        """Write down that an item was broken off: it can be done again when the day is resumed."""
        self.end_item(place, INTERRUPTED, Answer(word="", by=self.desk.by, role=self.desk.role, text=why))

    def close(self) -> dict[str, Any]:
        """End the day for good: take in the last that was said, judge, and write the last record."""
        self.hearing.take(None, inbox.close(self.folder))
        self.journal.sync()
        document = judge_day(read_day(self.folder.path), leading=True)
        self.journal.write("closed", {"verdict": document["verdict"], "reasons": document["reasons"]})
        self.journal.sync()
        return write_verdict(self.folder)


def lacks_evidence(file: DayFile, place: Place, word: str, evidence: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an answer says that a step is done and lacks the evidence that it needs."""
    manual = file.agenda[place[1]].manual if place[0] == "agenda" else None
    return manual is not None and manual.evidence == "required" and word == "done" and not evidence


def write_verdict(folder: DayFolder) -> dict[str, Any]:
    """Judge the day of a folder and write its verdict.json; return it."""
    document = judge_day(read_day(folder.path))
    replace_file(folder.verdict, verdict_bytes(document))
    return document
