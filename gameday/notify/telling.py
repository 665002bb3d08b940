"""Watch the records of a run and post what people want to be told while it is on, and at its end its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gameday.model import Event, Json
from gameday.notify import notices
from gameday.notify.channels import routes
from gameday.notify.outbox import Outbox, Outcome
from gameday.schema.notify import Channel
from gameday.spi import Notice, Secrets

LOG = "notify.log"
"""In the folder ``logs/`` of a run: a line for each outcome."""


class Teller:
    """One run's notifications; each method returns at once."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        title: str,
        link: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.outbox = outbox
        self._title, self._link, self._now = title, link, now
        self._run = ""
        self._environment: tuple[str, ...] = ()

    def __call__(self, event: Event) -> None:
        """Take in one journal record: a run begins once its watchdog is there, and is aborted once."""
        data = event.data
        if event.kind == "opened":
            self._run = str(data.get("run_id", ""))
            self._environment = _environments(data.get("policy") or ())
        elif event.kind == "watchdog-started":
            self.outbox.post(notices.started(**self._about(event.wall)))
        elif event.kind == "abort":
            reason, detail = str(data.get("reason", "")), str(data.get("detail") or "")
            self.outbox.post(notices.aborted(reason, detail, **self._about(event.wall)))

    def notified(self) -> tuple[Json, ...]:
        """Return what became of the messages so far, as the journal's ``notified`` has it; what is still on its way as ``pending``."""
        known = [outcome.to_json() for outcome in self.outbox.outcomes()]
        return (*known, *(outcome.to_json() for outcome in self.outbox.on_their_way()))

    def ended(self, document: Json) -> None:
        """Post what the run came to."""
        self.post(notices.judged(document, environment=self._environment, wall=self._now(), link=self._link))

    def post(self, notice: Notice) -> None:
        """Post a message."""
        self.outbox.post(notice)

    def _about(self, wall: float) -> dict[str, Any]:
        known = {"run": self._run, "title": self._title, "environment": self._environment}
        return {**known, "wall": wall, "link": self._link}


def teller(
    channels: Sequence[Channel], secrets: Secrets, *, base: Path, title: str, logs: Path | None = None, link: str = ""
) -> Teller:
    """Return who tells of a run or a game day; ``logs`` is the folder for its log. Raises PluginError for an unknown channel."""
    outbox = Outbox(routes(channels, base), secrets, told=_logged(logs))
    return Teller(outbox, title=title, link=link)


def _logged(logs: Path | None) -> Callable[[Outcome], None]:
    def told(outcome: Outcome) -> None:
        with suppress(OSError):  # a full disk: it is still told at the end
            if logs is not None:
                logs.mkdir(parents=True, exist_ok=True)
                with (logs / LOG).open("a", encoding="utf-8", errors="replace") as file:
                    file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {outcome}\n")

    return told


def _environments(policy: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(name) for one in policy for name in one.get("environments") or ()))


def report_link(given: str, environ: Mapping[str, str]) -> str:
    """Return where people find the report: ``given``, or else the job of the CI system that we run in; empty when neither is known."""
    if given:
        return given
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_REPOSITORY"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{environ['GITHUB_REPOSITORY']}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL") or ""
