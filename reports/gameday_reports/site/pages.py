"""Records of runs → the pages of the site, as files: plain HTML for any web server or artifact store, no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.model import Json
from gameday_reports import words
from gameday_reports.reading import bounded
from gameday_reports.site.executive import executive
from gameday_reports.site.hypotheses import hypotheses, standing
from gameday_reports.site.oncall import all_runs, on_call
from gameday_reports.site.openfindings import open_findings
from gameday_reports.site.record import record_of
from gameday_reports.site.wording import STATE_TONES
from gameday_reports.templating import environment, stylesheet

RECORDS = "2"
"""The form of a record; a site whose records have another form reads every run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticSite:
    """The pages ``index.html`` (executive), ``oncall.html`` and ``runs.html``."""

    version: str = RECORDS

    def record(self, plan: Json, verdict: Json, remarks: Mapping[str, Mapping[str, str]]) -> Json:
        """Return the record of one run."""
        return record_of(plan, verdict, remarks)

    def pages(
        self, records: Sequence[Json], unreadable: Sequence[tuple[str, str]], *, now: float, stale_days: int
    ) -> Mapping[str, bytes]:
        """Render every page; the same records on the same day give the same bytes."""
        found = hypotheses(records, now=now, stale_days=stale_days)
        opened, runs = open_findings(found), sum(len(one.runs) for one in found)
        shared: dict[str, Any] = {
            "css": stylesheet("report.css", "site/site.css"),
            "as_of": words.utc(now, "%Y-%m-%d"),
            "counts": f"{words.plural(runs, 'run')} of {words.plural(len(found), 'hypothesis', 'hypotheses')}",
            "standing": standing(found),
            "stale_days": stale_days,
            "tone": STATE_TONES[found[0].state] if found else "none",
            "unreadable": [(bounded(folder), bounded(why)) for folder, why in unreadable],
        }
        views = {
            "index.html": executive(found, opened, now=now, stale_days=stale_days),
            "oncall.html": on_call(found, opened, now=now),
            "runs.html": all_runs(found),
        }
        return {name: _fill(name, view=view, here=name, **shared) for name, view in views.items()}


def _fill(name: str, **values: Any) -> bytes:
    return environment().get_template(f"site/{name}.j2").render(**values).encode()
