"""What a comparison, a ledger's findings, a postmortem and the pages of a site must provide: pure functions of what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from gameday.model import GameDay, Json, Run


@runtime_checkable
class Comparer(Protocol):
    """Turn two judged runs into one document; the same runs give the same bytes."""

    @property
    def name(self) -> str:
        """What ``gameday compare --format`` calls it."""
        ...

    def render(self, before: Run, now: Run) -> bytes:
        """Render; both have a verdict, and no clock may be read."""
        ...


@runtime_checkable
class SitePages(Protocol):
    """Turn many runs into the pages of a static site; pure, so that whoever keeps the files knows what changed."""

    @property
    def version(self) -> str:
        """Changes when the same runs would give other pages, or records of another form."""
        ...

    def record(self, plan: Json, verdict: Json, remarks: Mapping[str, Mapping[str, str]]) -> Json:
        """Return all that the pages need of one run, as small JSON."""
        ...

    def pages(
        self, records: Sequence[Json], unreadable: Sequence[tuple[str, str]], *, now: float, stale_days: int
    ) -> Mapping[str, bytes]:
        """Return the pages by file name; ``records`` also have ``report``, the path of the run's report in the site, or nothing.

        ``unreadable`` are folders and why they could not be read; ``now`` is in seconds since the epoch.
        """
        ...


@runtime_checkable
class FindingsForm(Protocol):
    """Turn findings of a ledger into one document; the same findings give the same bytes."""

    @property
    def name(self) -> str:
        """What ``gameday findings export --format`` calls it."""
        ...

    def render(self, document: Json) -> bytes:
        """Render a document ``gameday/findings/1``, as docs/findings.md has it; no clock may be read."""
        ...


@runtime_checkable
class Postmortem(Protocol):
    """Turn a game day into the draft of its postmortem; the same folder gives the same bytes."""

    @property
    def name(self) -> str:
        """What ``gameday day report --format`` calls it."""
        ...

    @property
    def filename(self) -> str:
        """The file it is written to in the day's folder: ``report.html``."""
        ...

    def render(self, day: GameDay) -> bytes:
        """Render; no clock may be read."""
        ...
