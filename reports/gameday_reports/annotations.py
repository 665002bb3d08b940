"""What GitHub shows beside the lines of the experiment file: an error for what is broken, a warning for what is not proven.

Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions. GitHub keeps ten errors and ten
warnings of a step and drops the rest unseen, hence the worst first, and the last place says how many there are beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gameday.model import Run, Verdict
from gameday_reports import words
from gameday_reports.facts import Facts, facts_of
from gameday_reports.reading import PARAGRAPH, number, parts, text, texts

MOST = 10
Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One remark at a line of the experiment file."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int | None = None

    def command(self) -> str:
        """Return the workflow command: one line, in which nothing of its text can act."""
        places = {"file": self.file, "line": "" if self.line is None else str(self.line), "title": self.title}
        given = ",".join(f"{name}={_property(value)}" for name, value in places.items() if value)
        return f"::{self.level} {given}::{_data(self.message)}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubAnnotations:
    """Workflow commands for the log of a GitHub job."""

    name: str = "github-annotations"
    filename: str = "annotations.txt"
    on_request: bool = True

    def render(self, run: Run) -> bytes:
        """Render as UTF-8, a command a line; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render what several runs of one step came to, the worst of all of them first."""
        told = sorted((facts_of(run) for run in runs), key=lambda facts: facts.word, reverse=True)
        found = [one for facts in told for one in remarks(facts)]
        kept = [*_most(found, "error"), *_most(found, "warning")]
        return "".join(f"{one.command()}\n" for one in kept).encode()


def _most(found: Sequence[Annotation], level: Level) -> list[Annotation]:
    chosen = [one for one in found if one.level == level]
    if len(chosen) <= MOST:
        return chosen
    rest = len(chosen) - MOST + 1
    more = Annotation(level=level, title="gameday", message=f"{rest} more are in the step's summary and the reports")
    return [*chosen[: MOST - 1], more]


def remarks(facts: Facts) -> Iterator[Annotation]:
    """Yield what is to be said of one run, the worst first; nothing of a pass."""
    source, title = text(facts.run.plan, "source"), text(facts.verdict, "title")
    for left in parts(facts.verdict, "residue"):
        said = f"{text(left, 'fault')} may still be on ({', '.join(texts(left, 'targets'))}). Run: {text(left, 'command', 600)}"
        yield Annotation(level="error", title=f"DIRTY: {title}", message=said, file=source)
    if facts.word in (Verdict.DIRTY, Verdict.ABORTED):
        yield Annotation(
            level="error", title=f"{words.VERDICTS[facts.word]}: {title}", message=_why(facts), file=source
        )
    for word, level, head in (("fail", "error", "Broken"), ("inconclusive", "warning", "Not judged")):
        for raw in facts.objectives:
            if text(raw, "verdict") == word:
                yield Annotation(
                    level="error" if level == "error" else "warning",
                    title=f"{head}: {text(raw, 'name')}",
                    message=f"{title}: {words.reason(text(raw, 'reason'))}. {text(facts.verdict, 'summary', PARAGRAPH)}",
                    file=source,
                    line=_line(number(raw, "line")),
                )
    if facts.word is Verdict.INCONCLUSIVE:
        yield Annotation(level="warning", title=f"Inconclusive: {title}", message=_why(facts), file=source)


def _why(facts: Facts) -> str:
    reasons = "; ".join(words.reason(word) for word in texts(facts.verdict, "reasons"))
    return f"{reasons}. {text(facts.verdict, 'summary', PARAGRAPH)}"


def _line(found: float | None) -> int | None:
    return None if found is None or found < 1 else int(found)
