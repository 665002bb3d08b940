"""Who is told of a game day by its ``notify:``, beside what its experiments tell of themselves: it begins, is stopped, is over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.terminal import printable
from gameday.model import Event

if TYPE_CHECKING:
    from gameday.gamedays.day.session import Session
    from gameday.notify.telling import Teller
    from gameday.schema.day.loader import LoadedDay


class DayTeller:
    """One stretch of a day's notifications; nothing here waits but ``settle``."""

    def __init__(self, teller: Teller, session: Session) -> None:
        self._teller, self._session = teller, session
        self._before = session.journal.listener
        session.journal.listener = self._see

    def began(self, wall: float) -> None:
        """Say that the day begins, or goes on."""
        from gameday.notify import notices  # noqa: PLC0415 - only for who uses it

        self._teller.post(notices.started(**self._about(wall)))

    def _see(self, event: Event) -> None:
        if self._before is not None:
            self._before(event)
        if event.kind == "stopped":
            from gameday.notify import notices  # noqa: PLC0415 - only for who uses it

            why = f"stopped by {event.data.get('by')}: {event.data.get('why')}"
            self._teller.post(notices.aborted(str(event.data["how"]), why, **self._about(event.wall)))

    def ended(self, document: Mapping[str, Any], wall: float) -> None:
        """Say what the day came to, once it is finished; that something may still be on, at once."""
        from gameday.notify import notices  # noqa: PLC0415 - only for who uses it

        if document["finished"] or document["verdict"] == "dirty":
            reasons = [f"{one['reason']}: {one['says']}" for one in document["reasons"]]
            said = {**document, "run": document["day"], "reasons": reasons, "objectives": []}
            self._teller.post(notices.judged(said, environment=self._about(wall)["environment"], wall=wall))

    def settle(self) -> None:
        """Wait a moment for what is on its way, and say what did not get through."""
        from gameday.notify.outbox import settle_all  # noqa: PLC0415 - only for who uses it

        for outcome in settle_all([self._teller.outbox]):
            click.echo(f"not notified: {printable(str(outcome))}", err=True)

    def _about(self, wall: float) -> dict[str, Any]:
        file = self._session.file
        environment = (file.environment,) if file.environment else ()
        return {"run": self._session.folder.name, "title": file.title, "environment": environment, "wall": wall}


def day_teller(loaded: LoadedDay, session: Session) -> DayTeller | None:
    """Return who tells of a day; None where its file tells nobody."""
    if not loaded.day.notify:
        return None
    from gameday.notify.telling import report_link, teller  # noqa: PLC0415 - only for who uses it

    made = teller(
        loaded.day.notify,
        loaded.secrets,
        base=loaded.path.absolute().parent,
        title=loaded.day.title,
        logs=session.folder.path / "logs",
        link=report_link("", os.environ),
    )
    return DayTeller(made, session)
