"""``gameday day run --scheduled``: what an engine starts, kept to the schedule of the file."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.model import EXIT_NOT_NOW
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.gamedays.day.folder import DayFolder

BY = "schedule"
"""Who stops a day that may be on no longer, as its journal says it."""


@dataclass(slots=True)
class Kept:
    """One day on this process's side, while its schedule watches over it."""

    folder: DayFolder | None = None
    """Where it is, as soon as it is anywhere."""
    ended: Callable[[int], None] = lambda _code: None
    """To be told the exit code before the process ends."""

    def stop(self, why: str) -> None:
        """Stop the day as a person does, so that its journal has the reason; before it has one, end the process."""
        from gameday.gamedays.day.inbox import drop, new_message  # noqa: PLC0415 - only then

        try:
            if self.folder is not None:
                drop(self.folder, new_message("stop", by=BY, role="coordinator", text=why))
                return
        except GamedayError as error:
            _say(str(error))
        os.kill(os.getpid(), signal.SIGTERM)


def scheduled_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--scheduled``, ``--late``, ``--state`` and ``--due``, together as ``when: When``."""

    @wraps(command)
    def together(*, scheduled: bool, late: str | None, state: Path | None, due: str | None, **others: Any) -> Any:
        return command(when=When(scheduled=scheduled, late=late, state=state, due=due), **others)

    kind = click.Path(file_okay=False, path_type=Path)
    options = (
        click.option("--scheduled", is_flag=True, help="Only if its schedule allows it now (else exit code 6), and as long as it does."),
        click.option("--late", metavar="DURATION", help="With --scheduled: how late it may begin; default: 30m, or what if_missed allows."),
        click.option("--state", type=kind, metavar="FOLDER", help="With --scheduled: where times are claimed; none begins twice."),
        click.option("--due", hidden=True, help="With --scheduled: the time that has come."),
    )  # fmt: skip
    made: Callable[..., Any] = together
    for option in reversed(options):
        made = option(made)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What the command line says of the schedule."""

    scheduled: bool = False
    late: str | None = None
    state: Path | None = None
    due: str | None = None

    def keep(self, path: Path) -> Kept:
        """Wait for the jitter and claim the time; ends the program with exit code 6 when the schedule refuses the day now."""
        if not self.scheduled:
            if self.late or self.state or self.due:
                raise click.UsageError("--late, --state and --due need --scheduled")
            return Kept()
        from gameday.gamedays.schedule.attend import NotNowError  # noqa: PLC0415 - heavy

        try:
            return self._begin(path)
        except NotNowError as error:
            click.echo(f"gameday: {error}", err=True)
            sys.exit(EXIT_NOT_NOW)

    def _begin(self, path: Path) -> Kept:
        from gameday.gamedays.schedule import attend as attending  # noqa: PLC0415 - heavy
        from gameday.gamedays.schedule.files import read_schedule  # noqa: PLC0415
        from gameday.gamedays.schedule.store import Store  # noqa: PLC0415

        kept = Kept()
        attended = attending.Attended(
            path=path, schedule=read_schedule(path), clock=attending.system_clock, say=_say, stop=kept.stop
        )
        due = _moment(self.due) if self.due else attending.due_now(attended, _late(self.late))
        attending.wait_for_begin(attended, due)
        store = Store(self.state) if self.state is not None else None
        click.get_current_context().with_resource(attending.attend(attended, due, store))
        if store is not None:
            kept.ended = lambda code: attending.note_end(attended, due, store, code)
        return kept


def _late(text: str | None) -> timedelta | None:
    from gameday.schema.quantities import parse_duration  # noqa: PLC0415 - heavy

    try:
        return timedelta(milliseconds=parse_duration(text)) if text is not None else None
    except ValueError as error:
        raise click.UsageError(f"--late: {error}") from None


def _moment(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--due: no moment: {text!r}; write one like 2026-11-24T10:00:00+00:00") from None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _say(line: str) -> None:
    sys.stderr.write(f"schedule: {line}\n")
    sys.stderr.flush()
