"""``gameday day note | mark | answer | stop``: join a day from another terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.completing import complete_days
from gameday.cli.outcome import say
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.gamedays.day.folder import Day
    from gameday.gamedays.day.inbox import Message

_ROLES = click.Choice(["owner", "coordinator", "reporter", "responder", "observer"])
_MARKS = click.Choice(["paged", "noticed", "mitigated"])
_ANSWERS = click.Choice(["yes", "no", "begin", "again", "done", "fail", "skip", "go", "no-go"])
_TAKEN_SECONDS = 20.0
"""How long to wait until a leader that is alive has written it down; it is kept in any case."""
NOTE_EPILOG = """\b
Examples:
  gameday day note "dashboard shows 3% errors"
  gameday day note "the graph" --evidence graph.png --evidence https://grafana.example.com/d/1
  gameday day note "wrong runbook linked" --day runs/day-20261124T100000Z-brown-out-1a2b --by dee@example.com
"""
MARK_EPILOG = """\b
Examples:
  gameday day mark paged
  gameday day mark noticed "checkout is slow" --by eve@example.com --role responder
  gameday day mark mitigated "failed over"
"""
ANSWER_EPILOG = """\b
Examples:
  gameday day answer done --evidence https://ci.example.com/job/7
  gameday day answer no-go "error budget is spent" --by ana@example.com
"""
STOP_EPILOG = """\b
Example:
  gameday day stop "real customers are affected"
"""


def join_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--day``, ``--by`` and ``--role`` of who joins."""
    role = click.option("--role", type=_ROLES, help="As what; default: the file's role for --by, or observer.")
    by = click.option("--by", metavar="PERSON", help="Who says it; default: $USER.")
    day = click.option(
        "--day",
        "day_folder",
        metavar="DAY",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        shell_complete=complete_days,
        help="The day's folder; default: the one under runs/ that is being led.",
    )
    return day(by(role(command)))


def evidence_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--evidence LINK-or-FILE``, repeatable."""
    return click.option(
        "--evidence", "shown", metavar="LINK|FILE", multiple=True, help="What shows it; a file is copied. Repeatable."
    )(command)


@click.command(epilog=NOTE_EPILOG)
@click.argument("words", metavar="TEXT", nargs=-1, required=True)
@evidence_option
@join_options
def note(*, words: tuple[str, ...], shown: tuple[str, ...], **joined: Any) -> None:
    """Say something to the day that is on. It keeps its author and its time; after a crash of the leader it is taken up at the resume."""
    _send("note", joined, shown, text=" ".join(words))


@click.command(epilog=MARK_EPILOG)
@click.argument("what", type=_MARKS)
@click.argument("words", metavar="[TEXT]", nargs=-1)
@evidence_option
@join_options
def mark(*, what: str, words: tuple[str, ...], shown: tuple[str, ...], **joined: Any) -> None:
    """Say that now is the time at which you were paged, noticed it, or mitigated it: times to detect and to mitigate come from that."""
    _send("mark", joined, shown, text=" ".join(words), mark=what)


@click.command(epilog=STOP_EPILOG)
@click.argument("words", metavar="[WHY]", nargs=-1)
@join_options
def stop(*, words: tuple[str, ...], **joined: Any) -> None:
    """Stop the day now: the experiment that is on aborts and is reverted. `gameday day resume` goes on with it.

    The owner and the coordinator may, or everybody where the file names neither. That is an agreement among colleagues, no access
    control: whoever can write the folder can say that they are anybody. `gameday stop` stops every run of this machine's user.
    """
    _send("stop", joined, (), text=" ".join(words))


@click.command(epilog=ANSWER_EPILOG)
@click.argument("word", type=_ANSWERS)
@click.argument("words", metavar="[WHY]", nargs=-1)
@evidence_option
@join_options
def answer(*, word: str, words: tuple[str, ...], shown: tuple[str, ...], **joined: Any) -> None:
    """Answer what the leader asks now. Who is asked may, and the owner and the coordinator."""
    _send("answer", joined, shown, text=" ".join(words), answer=word)


def _send(what: Any, joined: dict[str, Any], shown: tuple[str, ...], **more: Any) -> None:
    """Put it into the day's inbox and wait until it is written down; say what became of it."""
    from gameday.cli.daydesk import me  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.evidence import keep  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.inbox import drop, new_message  # noqa: PLC0415 - heavy

    day = _day(joined["day_folder"])
    by = joined["by"] or me()
    role = joined["role"] or day.file.people.role_of(by) or "observer"
    if what == "answer":
        more["place"] = _asked(day, str(more["answer"]), role, shown)
    evidence = tuple(keep(day.folder, shown))
    message = new_message(what, by=by, role=role, evidence=evidence, **more)
    drop(day.folder, message)
    _tell(day, message)


def _asked(day: Day, word: str, role: str, shown: tuple[str, ...]) -> tuple[str, int]:
    """Return what is asked now; raise GamedayError when nothing is, or this is no answer of theirs to it."""
    from gameday.gamedays.day.answers import CHOICES, may_answer  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import read_progress  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.session import lacks_evidence  # noqa: PLC0415 - heavy

    progress = read_progress(day.events)
    place, asked = progress.asked, progress.asked_data
    if place is None or not day.leader:
        raise GamedayError("nothing is asked now", hint="gameday day watch shows when something is")
    choices = CHOICES[str(asked["kind"])]
    if word not in choices:
        raise GamedayError(f"asked is {str(asked['title'])!r}: answer {' or '.join(choices)}")
    if not may_answer(day.file.people, str(asked["role"]), role, str(asked["kind"])):
        raise GamedayError(f"only the {asked['role'] or 'owner or the coordinator'} may answer that; you are {role}")
    if lacks_evidence(day.file, place, word, [{"given": one} for one in shown if one.strip()]):
        raise GamedayError("this step needs evidence", hint="gameday day answer done --evidence LINK or FILE")
    return place


def _day(named: Path | None) -> Day:
    """Return the day that is meant; raise GamedayError when there is none, or several."""
    from gameday.gamedays.day.folder import read_day  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import read_progress  # noqa: PLC0415 - heavy

    if named is not None:
        day = read_day(named)
        if read_progress(day.events).closed:
            raise GamedayError(f"{day.folder.name} is finished: it takes nothing any more")
        return day
    led = [day for path in sorted(Path("runs").glob("day-*/day.json")) if (day := read_day(path.parent)).leader]
    if len(led) == 1:
        return led[0]
    names = ", ".join(str(one.folder.path) for one in led)
    why = f"several days are on: {names}" if led else "no day under runs/ is being led"
    raise GamedayError(why, hint="name its folder: --day runs/day-…")


def _tell(day: Day, message: Message) -> None:
    """Wait until the leader has it, and say what became of it."""
    from gameday.journal.reader import read_journal  # noqa: PLC0415 - heavy

    end = time.monotonic() + _TAKEN_SECONDS
    while day.leader and time.monotonic() < end:
        said = [one for one in read_journal(day.folder.journal).events if one.data.get("message") == message.id]
        if said:
            if said[-1].kind == "ignored":
                say(f"not taken: {said[-1].data.get('why')}", err=True)
                sys.exit(2)
            say("stopping the day" if message.what == "stop" else "noted")
            return
        time.sleep(0.05)
    say("kept: it is written down when the day goes on", err=True)
