"""What is printed of finished runs, and the exit code that they come to together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.running import Ran, variant_words
from gameday.cli.terminal import printable
from gameday.model import Json, Verdict

if TYPE_CHECKING:
    from gameday.runner.ending import Judged


def alarm(document: Json, *, err: bool = False) -> None:
    """Print what may still be on, and what finishes the job: the first lines of every output."""
    for left in document.get("residue", ()):
        targets = ", ".join(left["targets"])
        say(f"DIRTY: {left['fault']} may still be on ({targets}); finish the job with: {left['command']}", err=err)


def show(judged: Judged) -> None:
    """Print what people look for, the loudest first."""
    document = judged.document
    alarm(document)
    say(document["title"])
    say(f"verdict: {document['verdict']} ({', '.join(document['reasons'])})")
    if judged.verdict is Verdict.ABORTED and document["objectives_broken"]:
        say(f"already broken: {', '.join(document['objectives_broken'])}")
    say(f"  {document['summary']}")
    for played in document.get("chaostoolkit") or ():
        found = played["hypothesis"]
        say(f"  {found['verdict'] or '–':<13}steady-state-hypothesis: {found['detail'] or 'not judged'}")
    for objective in document["objectives"]:
        say(f"  {objective['verdict']:<13}{objective['name']}: {objective['reason']}")
    show_hints(hints(judged.folder.journal))
    say(f"journal head: {document['journal_head']}")
    for report in judged.reports:
        if report.suffix == ".html":
            say(f"report: {report}")
    for failure in judged.failed:
        click.echo(f"not written: {printable(failure)}", err=True)
    if not judged.reports:
        say(f"run folder: {judged.folder.path}")


def hints(journal: Path) -> Iterator[str]:
    """Yield what drivers said would help, of a run in which an action failed."""
    from gameday.journal.reader import read_journal  # noqa: PLC0415 - heavy

    events = read_journal(journal).events
    yield from dict.fromkeys(str(event.data["hint"]) for event in events if event.data.get("hint"))


def show_hints(found: Iterable[str], *, err: bool = True) -> None:
    """Print them, each line a line of its own: it may be a document that people copy."""
    for hint in found:
        first, *others = hint.rstrip().splitlines() or [""]
        say(f"  = help: {first}", err=err)
        for line in others:
            say(line, err=err)


def say(text: str, *, err: bool = False) -> None:
    """Print one line; what the target wrote must not reach a terminal as it is."""
    click.echo(printable(text), err=err)


def show_all(done: Sequence[Ran], planned: int) -> None:
    """Print every run and, of several, a line each at the end."""
    if len(done) > 1:
        for one in done:
            alarm(one.judged.document)
    for index, one in enumerate(done):
        if index:
            click.echo()
        show(one.judged)
    if planned > 1:
        click.echo()
        for one in done:
            words = [f"{one.judged.document['verdict']:<13}{one.entry.source}", *variant_words(one.entry)]
            say(" ".join(words))
        passed = sum(one.judged.verdict is Verdict.PASS for one in done)
        say(f"{passed} of {planned} passed" + (f"; {planned - len(done)} not started" if planned > len(done) else ""))


def repeats(done: Iterable[Ran]) -> Iterator[dict[str, Any]]:
    """Yield, for each experiment that was run, how many of its runs passed and what that proves."""
    from gameday.judge.binomial import ALPHA  # noqa: PLC0415 - only for repeats
    from gameday.judge.chance import lower_bound  # noqa: PLC0415 - only for repeats

    groups: dict[tuple[str, ...], list[Ran]] = {}
    for one in done:
        groups.setdefault((str(one.entry.source), *variant_words(one.entry)), []).append(one)
    for ran in groups.values():
        passed = sum(one.judged.verdict is Verdict.PASS for one in ran)
        yield {
            "source": str(ran[0].entry.source),
            "variant": dict(ran[0].entry.variant),
            "runs": len(ran),
            "passed": passed,
            "lower_bound": lower_bound(passed, len(ran)),
            "confidence": 1 - ALPHA,
        }


def show_repeats(done: Iterable[Ran]) -> None:
    """Print what the repeats prove together."""
    for row in repeats(done):
        variant = "".join(f" {name}={value}" for name, value in row["variant"].items())
        say(f"{row['source']}{variant}: {row['passed']} of {row['runs']} passed: {_proves(row)}")


def _proves(row: Json) -> str:
    if not row["passed"]:
        return "that such a run can pass is not shown"
    return f"at least {100 * row['lower_bound']:.1f}% of such runs pass, with {100 * row['confidence']:.0f}% confidence"


def exit_code(done: Iterable[Ran], *, accept: bool = False) -> int:
    """Return the exit code of the most serious verdict; with ``accept`` a run that is only near its limit counts as passed."""
    from gameday.judge.acceptance import acceptable  # noqa: PLC0415 - heavy

    codes = [
        (Verdict.PASS, 0) if accept and acceptable(one.judged.document) else (one.judged.verdict, one.judged.exit_code)
        for one in done
    ]
    return max(codes, default=(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE.exit_code))[1]
