"""What a report format must provide: a pure function of a run folder."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gameday.model import Run


@runtime_checkable
class Renderer(Protocol):
    """Turn a judged run into one document; the same run gives the same bytes, whenever it is rendered."""

    @property
    def name(self) -> str:
        """What ``--format`` calls it."""
        ...

    @property
    def filename(self) -> str:
        """The file it is written to in the run folder: ``report.html``."""
        ...

    def render(self, run: Run) -> bytes:
        """Render; ``run.verdict`` is always present, and no clock may be read."""
        ...
