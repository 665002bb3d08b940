"""The summary that GitHub shows below a job: the report in Markdown, as much of it as fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.model import Run
from gameday_reports.markdown import heading
from gameday_reports.markdown_parts import actions, again, comparison, faults, findings, load, objectives
from gameday_reports.markdown_text import code, escape, table
from gameday_reports.view import ReportView, report_view

MOST_BYTES = 60_000
"""GitHub drops a step's summary beyond 1 MiB whole (``supports content up to a size of 1024k``), and 64 kB is the limit of a comment."""
_PARTS = (
    ("Objectives", objectives), ("Findings", findings), ("Action items", actions), ("Faults and guards", faults),
    ("Load", load), ("Beside the last run", comparison), ("Run it again", again),
)  # fmt: skip
_SHORT = "More is in the report of the run, beside this summary."


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubSummary:
    """What is appended to ``$GITHUB_STEP_SUMMARY``."""

    name: str = "github"
    filename: str = "summary.md"
    on_request: bool = True

    def render(self, run: Run) -> bytes:
        """Render as UTF-8, less than 60,000 bytes; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render several runs: a table of them all, then as many of them as fit, the most serious first."""
        views = [report_view(run) for run in runs]
        blocks = [_overview(views)] if len(views) > 1 else []
        for view in sorted(views, key=lambda view: view.verdict, reverse=True):
            blocks += [heading(view, 3), *_below(view)]
        return _fitting(blocks)


def _below(view: ReportView) -> list[list[str]]:
    found = [(title, part(view)) for title, part in _PARTS]
    return [[f"#### {title}", "", *lines] for title, lines in found if lines]


def _overview(views: Sequence[ReportView]) -> list[str]:
    rows = [
        [
            f"{view.summary.symbol} {escape(view.summary.headline)}",
            escape(view.title),
            code(view.source),
            code(view.run),
        ]
        for view in views
    ]
    return ["### gameday", "", *table(["Verdict", "Experiment", "File", "Run"], rows)]


def _fitting(blocks: Sequence[list[str]]) -> bytes:
    """Join whole blocks, none of them cut: a table or fence without its end would swallow what follows."""
    size, kept = len(_SHORT) + 2, bytearray()
    left_out = False
    for block in blocks:
        data = ("\n".join(block) + "\n").encode()
        if size + len(data) < MOST_BYTES:
            kept += data
            size += len(data)
        else:
            left_out = True
    return bytes(kept) + (f"{_SHORT}\n".encode() if left_out else b"")
