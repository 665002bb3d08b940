"""What is said in other terminals, taken from the inbox into the journal: each thing once, and only what a role may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from gameday.gamedays.day.answers import CHOICES, may_answer, may_decide
from gameday.gamedays.day.folder import DayFolder
from gameday.gamedays.day.inbox import Message, waiting
from gameday.gamedays.day.progress import Place, Progress
from gameday.journal.folder import RunFolder
from gameday.journal.writer import Journal, JournalError
from gameday.schema.day.file import DayFile

LOOK_SECONDS = 0.2
"""How often the inbox is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the leader waits for."""

    place: Place
    kind: str
    role: str
    """Who is asked; empty for anybody."""


@dataclass(slots=True, kw_only=True)
class Hearing:
    """Takes messages in; one thread at a time uses it, and the journal."""

    folder: DayFolder
    file: DayFile
    journal: Journal
    progress: Progress
    stopped: bool = False
    """Somebody who may has stopped the day; its record is written."""
    stop_why: str = ""
    answer: Message | None = None
    """The answer to the question, not written down yet."""

    def take(self, question: Question | None, inbox: Path | None = None) -> None:
        """Take in what was said. An answer stays in the inbox until a record has its id; everything else goes once it is on the disk."""
        for path, message in waiting(inbox or self.folder.inbox):
            if message is None:
                self._ignore({"what": "unreadable", "why": f"{path.name} is no message", "message": path.stem})
            elif message.id not in self.progress.messages:
                self._note(message, question)
                if self.answer is message:
                    return
            self.journal.sync()
            path.unlink(missing_ok=True)

    def _note(self, message: Message, question: Question | None) -> None:
        said: dict[str, Any] = {"by": message.by, "role": message.role, "at": message.at, "message": message.id}
        kept = {"text": message.text, **said, "evidence": list(message.evidence)}
        match message.what:
            case "note":
                self.journal.write("note", kept)
            case "mark":
                self.journal.write("mark", {"mark": message.mark, **kept, "source": "person"})
            case "stop" if may_decide(self.file.people, message.role):
                self.journal.write("stopped", {**said, "why": message.text, "how": "person"})
                self.stopped, self.stop_why = (
                    True,
                    f"{message.by} stopped the day" + f": {message.text}" * bool(message.text),
                )
            case "stop":
                self._ignore({"what": "stop", "why": "only the owner and the coordinator may stop the day", **said})
            case "answer":
                self._answer(message, question, said)

    def _answer(self, message: Message, question: Question | None, said: Mapping[str, Any]) -> None:
        if question is None or message.place != question.place or message.answer not in CHOICES[question.kind]:
            self._ignore({"what": "answer", "why": "that was not asked when it came", **said})
        elif not may_answer(self.file.people, question.role, message.role, question.kind):
            why = f"the {question.role or 'owner or the coordinator'} is asked"
            self._ignore({"what": "answer", "why": why, **said})
        else:
            self.answer = message

    def _ignore(self, data: Mapping[str, Any]) -> None:
        self.journal.write("ignored", data)


@dataclass(slots=True)
class Pump:
    """Hears while an experiment is on, from a thread of its own; a stop presses the run's own red button."""

    hearing: Hearing
    run: RunFolder
    interrupted: Callable[[], str]
    """Names a signal that came where the run itself has no ear for it yet, or any more."""
    broken: str = ""
    """Why the journal of the day cannot be written any more; empty while all is well."""
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to hear."""
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; nothing is written by it any more when this returns."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            over = self._over.wait(LOOK_SECONDS)
            try:
                self.hearing.take(None)
            except (JournalError, OSError) as error:
                self.broken = str(error)
            if why := self.broken or self.hearing.stop_why or self.interrupted():
                self._press(why)
            if over or self.broken:
                return

    def _press(self, why: str) -> None:
        try:
            if self.run.path.is_dir() and not self.run.stop.exists():
                self.run.stop.write_text(why[:500], encoding="utf-8")
        except OSError as error:
            self.broken = self.broken or str(error)
