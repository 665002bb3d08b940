"""What a report format must provide: a pure function of a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@runtime_checkable
class OnRequest(Protocol):
    """A renderer that may say that a run does not write it at its end, only who asks for its format by name."""

    @property
    def on_request(self) -> bool:
        """Whether it waits to be asked for; without this attribute it does not."""
        ...


@runtime_checkable
class Together(Protocol):
    """A renderer that can also write several runs into one document."""

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render judged runs in their order; of one run the same bytes as ``render``."""
        ...


@runtime_checkable
class Linked(Protocol):
    """A renderer that can leave what a strict content policy forbids inside a document to files beside it."""

    def render_linked(self, run: Run) -> Mapping[str, bytes]:
        """Render: file name → bytes, the document itself under ``filename``; no name has a folder."""
        ...
