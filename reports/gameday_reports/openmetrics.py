"""The verdict's numbers as OpenMetrics text, for GitLab's metrics report, Prometheus' textfile collector and whoever draws trends.

Format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md. Only gauges are used, which the older
text format of Prometheus reads as well. A number that is not known has no line. No line holds the run's name, the seed or the time of the
rendering: a label that is new in each run could not be compared with the run before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.model import Run
from gameday_reports.measures import FAMILIES, Labels, Measure, measures
from gameday_reports.reading import bounded, part, text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMetricsReport:
    """What was judged, as metrics."""

    name: str = "openmetrics"
    filename: str = "metrics.txt"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render several runs, told apart by the experiment's title, or by their names when they are of one experiment."""
        titles = Counter(_title(run) for run in runs)
        found: list[Measure] = []
        for run in runs:
            title = _title(run)
            base: Labels = {"experiment": title} | ({"run": bounded(run.name)} if titles[title] > 1 else {})
            found += [Measure(one.family, {**base, **one.labels}, one.value) for one in measures(run)]
        return _text(found).encode()


def _title(run: Run) -> str:
    verdict = run.verdict or {}
    named = ", ".join(f"{key}={value}" for key, value in part(run.plan, "variant").items())
    title = text(verdict, "title") or bounded(run.name)
    return f"{title} ({bounded(named)})" if named else title


def _text(found: Iterable[Measure]) -> str:
    """Write all samples of a family together, in the order of FAMILIES; a series that is there already gets a number of its own."""
    lines: dict[str, list[str]] = {}
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for one in found:
        labels, copy = dict(one.labels), 1
        while (key := (one.family, tuple(sorted(labels.items())))) in seen:
            copy += 1
            labels["copy"] = str(copy)
        seen.add(key)
        lines.setdefault(one.family, []).append(f"{one.family}{_labels(labels)} {_number(one.value)}")
    written = [
        line for name, family in FAMILIES.items() if name in lines for line in (*family.head(name), *lines[name])
    ]
    return "\n".join([*written, "# EOF", ""])


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"').replace("\r", "\\r")


def _number(value: float) -> str:
    """Write a number so that it reads back as the same one."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
