"""The page for who is on call: what may still be broken by us, what is overdue, what is open, what ran last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.parts.findings import LINK
from gameday_reports.reading import number, parts, text, texts
from gameday_reports.site.executive import Tile
from gameday_reports.site.hypotheses import DAY, Hypothesis
from gameday_reports.site.openfindings import Open, overdue
from gameday_reports.site.wording import SEVERITY_TONES, RunView, ago, link_to, run_view

LATEST = 20
"""Runs that the page lists; all of them have a page of their own."""
MOST = 300
"""Findings that are shown in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A text that is a link when it is an http or https address."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """A fault that may still be on."""

    fault: str
    targets: str
    command: str
    run: RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenView:
    """One open finding."""

    title: str
    severity: str
    tone: str
    status: str
    status_tone: str
    hypothesis: str
    anchor: str
    link: str
    next: str
    runbook: Linked
    seen: str
    owner: str
    due: str
    late: str
    """How long it is overdue; empty when it is not."""
    ticket: Linked
    cause: str
    note: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """The whole page."""

    residues: tuple[Residue, ...]
    tiles: tuple[Tile, ...]
    overdue: tuple[OpenView, ...]
    open: tuple[OpenView, ...]
    more: int
    """Open findings that are not shown."""
    latest: tuple[RunView, ...]


def on_call(found: Sequence[Hypothesis], opened: Sequence[Open], *, now: float) -> OnCall:
    """Describe the page."""
    newest = sorted(
        ((number(run, "started_wall") or 0.0, text(run, "run"), one.name, run) for one in found for run in one.runs),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    return OnCall(
        residues=tuple(residue for one in found for residue in _residues(one)),
        tiles=_tiles(opened, [run_view(run, name) for _, _, name, run in newest[:1]], now),
        overdue=tuple(_view(one, now) for one in overdue(opened, now)),
        open=tuple(_view(one, now) for one in opened[:MOST]),
        more=max(0, len(opened) - MOST),
        latest=tuple(run_view(run, name) for _, _, name, run in newest[:LATEST]),
    )


def _tiles(opened: Sequence[Open], newest: Sequence[RunView], now: float) -> tuple[Tile, ...]:
    high = sum(text(one.finding, "severity") == "high" for one in opened)
    fresh = sum(one.status in ("new", "regressed") for one in opened)
    undated = sum(one.due is None for one in opened)
    late = len(overdue(opened, now))
    last = newest[0] if newest else None
    return (
        Tile(name="Overdue actions", value=f"{late:,}", note="by findings.yaml", tone="fail" if late else "none", link="#overdue"),
        Tile(
            name="Open findings", value=f"{len(opened):,}", note=f"{high:,} of high severity, {fresh:,} new or back",
            tone="fail" if high else "none", link="#findings",
        ),
        Tile(
            name="Open without a due day", value=f"{undated:,}", note="findings.yaml gives them none", tone="warn" if undated else "none"
        ),
        Tile(
            name="Latest run", value=last.verdict if last else "none", note=f"{last.title}, {last.when}" if last else "",
            tone=last.tone if last else "none", link="#latest",
        ),
    )  # fmt: skip


def _residues(one: Hypothesis) -> list[Residue]:
    """Name what its latest run may have left on; what an older run left would have stopped that one from starting."""
    run = run_view(one.latest, one.name)
    return [
        Residue(
            fault=text(raw, "fault"),
            targets=", ".join(texts(raw, "targets")),
            command=text(raw, "command"),
            run=run,
        )
        for raw in parts(one.latest, "residue")
    ]


def _view(one: Open, now: float) -> OpenView:
    remark, finding, due = one.remark, one.finding, one.due
    late = 0 if due is None else int((now - _midnight(due.toordinal())) // DAY)
    first = number(one.first, "started_wall")
    return OpenView(
        title=text(finding, "title"),
        severity=text(finding, "severity", 20).capitalize() or "Finding",
        tone=SEVERITY_TONES.get(text(finding, "severity", 20), "warn"),
        status=one.word,
        status_tone="warn" if one.status in ("new", "regressed") else "none",
        hypothesis=one.hypothesis.name,
        anchor=one.hypothesis.anchor,
        link=link_to(one.last, text(finding, "anchor", 40)),
        next=text(remark, "action", 2_000) or text(finding, "next", 2_000),
        runbook=linked(text(one.last, "runbook")),
        seen=_seen(one, first, now),
        owner=text(remark, "owner", 120) or text(one.hypothesis.latest, "owner", 120),
        due="" if due is None else due.isoformat(),
        late=words.plural(late, "day") if late > 0 else "",
        ticket=linked(text(remark, "ticket", 500)),
        cause=text(remark, "cause", 2_000),
        note=text(remark, "note", 2_000),
        fingerprint=text(finding, "fingerprint", 120),
    )


def _seen(one: Open, first: float | None, now: float) -> str:
    since = f"since {words.utc(first, '%Y-%m-%d')} ({ago(first, now)})" if first is not None else "since an unknown day"
    return f"{since}, in {words.plural(one.times, 'run')}"


def _midnight(ordinal: int) -> float:
    """Return the first second of a day since the epoch; day 719163 of the calendar is 1970-01-01."""
    return (ordinal - 719_163) * float(DAY)


def linked(said: str) -> Linked:
    """Make a link of an address, and of nothing else."""
    return Linked(text=said, href=said if LINK.fullmatch(said) else "")


def all_runs(found: Sequence[Hypothesis]) -> tuple[RunView, ...]:
    """Return every run, newest first."""
    runs: list[tuple[float, str, str, Json]] = [
        (number(run, "started_wall") or 0.0, text(run, "run"), one.name, run) for one in found for run in one.runs
    ]
    runs.sort(key=lambda entry: entry[:2], reverse=True)
    return tuple(run_view(run, name) for _, _, name, run in runs)
