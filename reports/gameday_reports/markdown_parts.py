"""A report in Markdown, part by part, in the order of the page; the same words and numbers, from the same view."""

from __future__ import annotations

from collections.abc import Callable

from gameday_reports.comparison import Row
from gameday_reports.markdown_text import block, code, escape, folded, joined, strong, table
from gameday_reports.parts.cells import Cell
from gameday_reports.parts.objectives import CriterionView, ObjectiveView
from gameday_reports.view import ReportView

Part = Callable[[ReportView], list[str]]
"""A view → lines of Markdown below a heading of their own; none when there is nothing to say."""
_EVENTS = 120
"""Most entries of the timeline."""
_ROWS = 12
"""Most figures that differ from the last run."""


def alarm(view: ReportView) -> list[str]:
    """Say what may still be on, and the commands that finish the job; before everything else."""
    found = view.summary.residue
    if not found:
        return []
    said = [f"- {strong(left.fault)}: {escape(', '.join(left.targets)) or 'targets not known'}" for left in found]
    commands = list(dict.fromkeys(left.command for left in found))
    return ["**A fault may still be on. Finish the job with:**", "", *block(commands), *said, ""]


def summary(view: ReportView) -> list[str]:
    """Say what a manager reads."""
    found = view.summary
    said = [*found.why, found.harm, *found.safety, found.generator[0], *found.warnings]
    tiles = [[escape(tile.name), strong(tile.value), escape(tile.note)] for tile in found.tiles]
    hypothesis = [f"Hypothesis: {escape(view.hypothesis)}", ""] if view.hypothesis else []
    return [
        strong(found.sentence), "",
        *hypothesis,
        f"- {escape(found.counts)}.",
        *(f"- {escape(line)}" for line in said if line), "",
        *table(["", "Figure", ""], tiles),
    ]  # fmt: skip


def identity(view: ReportView) -> list[str]:
    """Say which run this is, whose, and what to read when it goes wrong."""
    runbook = f"<{view.runbook_link}>" if view.runbook_link.isascii() else ""
    said = [
        f"- Run {code(view.run)}, {escape(view.when)}",
        f"- Experiment {code(view.source)}" if view.source else "",
        f"- Owner: {escape(view.owner)}" if view.owner else "",
        f"- Tags: {joined(*map(code, view.tags))}" if view.tags else "",
        f"- Runbook: {runbook or escape(view.runbook)}" if view.runbook else "",
    ]
    return [*filter(None, said), ""]


def findings(view: ReportView) -> list[str]:
    """Write each finding: what was seen, why it matters, what to do, and what people added."""
    said: list[str] = [] if view.findings else [f"- {escape(view.no_findings)}"]
    for found in view.findings:
        severity = joined(found.number, found.severity, found.status)
        said += [f"- {strong(f'{severity}: {found.title}')}"]
        rest = (
            ("", found.saw), ("Why it matters: ", found.matters), ("Cause (people): ", found.cause), ("Next step: ", found.next),
            ("Note (people): ", found.note), ("Owner: ", joined(found.owner, found.due, found.ticket)),
        )  # fmt: skip
        said += [
            f"  - {label}{escape(text)}" for label, text in rest if text.strip()
        ]  # a dash alone would make a heading
    return [*said, *_since(view), ""]


def _since(view: ReportView) -> list[str]:
    if view.since is None:
        return []
    gone = [f"- {escape(one.word)} since the last run: {escape(one.title)}" for one in view.since.gone]
    return [*gone, *(f"- Better than in the last run: {escape(title)}" for title in view.since.good)]


def actions(view: ReportView) -> list[str]:
    """Write what people decided about the findings, as a list to be ticked off."""
    found = view.actions
    said = [f"- findings.yaml: {escape(error)}" for error in found.wrong]
    for one in found.items:
        who = joined(
            one.finding, one.kind, one.owner or "nobody yet", one.due or "no date yet", one.ticket or "no ticket yet"
        )
        said += [f"- [ ] {strong(one.action)} ({escape(who)})"]
    if found.undecided:
        said += [f"- No action yet: {escape(', '.join(found.undecided))}"]
    return [*said, ""] if said else []


def objectives(view: ReportView) -> list[str]:
    """Write the objectives before, during and after the fault, worst first."""
    head = ["Result", "Objective", "Asked", "Before", "While the fault was on", "After", "Error budget used"]
    rows = [_row(one, criterion, index) for one in view.objectives for index, criterion in enumerate(one.criteria)]
    warnings = [f"- {escape(one.name)}: {escape(one.warning)}" for one in view.objectives if one.warning]
    return [*table(head, rows), *warnings, *([""] if warnings else [])] if rows else ["No objectives.", ""]


def _row(one: ObjectiveView, criterion: CriterionView, index: int) -> list[str]:
    asked = joined(code(criterion.expect), f"while on {code(criterion.during)}" if criterion.during else "", by="<br>")
    cells = [asked, _cell(criterion.before_cell), _cell(criterion.during_cell)]
    if index:
        return ["", "", *cells, "", ""]
    result = joined(strong(one.verdict), escape(one.reason), by=": ")
    name = joined(strong(one.name), escape(one.scope), escape(one.line), by="<br>")
    budget = joined(escape(one.budget), escape(one.budget_note), by="<br>")
    return [result, name, *cells, _cell(one.after), budget]


def _cell(cell: Cell) -> str:
    return joined(*(escape(said) for said in (cell.value, cell.counted, cell.result, cell.note)), by="<br>")


def faults(view: ReportView) -> list[str]:
    """Write what was touched, when it was proven on, and when it was proven gone."""
    if not view.faults:
        return ["No faults.", ""]
    head = ["", "Fault", "Targets", "Planned", "Held", "On", "Undone"]
    rows = [
        [
            escape(found.label), joined(strong(found.name), code(found.driver), escape(found.story), by="<br>"),
            joined(*map(escape, found.targets), by="<br>"), escape(found.planned), escape(found.held),
            joined(escape(found.proof), escape(found.met), by="<br>"),
            joined(escape(found.undo), escape(found.replaced), by="<br>"),
        ]
        for found in view.faults
    ]  # fmt: skip
    more = f"- {len(view.more_faults):,} more faults are in the report" if view.more_faults else ""
    guards = [f"- Guard {code(guard.rule)}: {escape(guard.outcome)}" for guard in view.guards]
    return [*table(head, rows), *([more] if more else []), *guards, ""]


def load(view: ReportView) -> list[str]:
    """Write the load, planned against reached."""
    found = view.load
    said = [f"- {escape(problem)}" for problem in found.problems]
    said += [f"- {escape(pair.name)}: {escape(pair.value)}" for pair in found.figures]
    rows = [[escape(one.name), one.n, one.bad, one.share, escape(one.kinds)] for one in found.endpoints]
    below = table(["Endpoint", "Requests", "Failed", "Share", "How"], rows) if rows else []
    return [*said, "", *below] if said or rows else []


def timeline(view: ReportView) -> list[str]:
    """Write what happened, to be opened; of a long run the begin and the end."""
    told = view.timeline
    half = _EVENTS // 2
    left = len(told) - _EVENTS
    rows = [[escape(entry.clock), escape(entry.lane), escape(entry.text)] for entry in told]
    if left > 0:
        rows = [*rows[:half], ["", "", f"{left:,} more entries are in journal.ndjson"], *rows[-half:]]
    return folded(f"What happened, {len(told):,} entries", table(["Time", "", "What"], rows)) if rows else []


def comparison(view: ReportView) -> list[str]:
    """Write what differs from the last run of the same experiment; shown, never judged."""
    found = view.comparison
    if found is None:
        return []
    head = f"- With {code(found.since.run)}, {escape(found.since.day)}; {found.same:,} figures are the same"
    why = [f"- Not comparable: {escape(reason)}" for reason in found.since.why]
    rows = [
        [
            escape(row.subject),
            escape(row.measure),
            escape(row.before),
            escape(row.now),
            escape(row.change),
            _beyond(row),
        ]
        for row in found.rows[:_ROWS]
    ]
    left = found.left_out + max(0, len(found.rows) - _ROWS)
    below = table(["", "Figure", "Last run", "This run", "Change", ""], rows) if rows else []
    return [head, *why, *([f"- {left:,} more figures differ"] if left else []), "", *below]


def _beyond(row: Row) -> str:
    if not row.beyond:
        return "" if row.beyond is None else "within chance"
    return {True: "worse, beyond chance", False: "better, beyond chance", None: "beyond chance"}[row.worse]


def again(view: ReportView) -> list[str]:
    """Write how to do it again, and what exactly was run."""
    found = view.origin
    pairs = [[escape(pair.name), code(pair.value)] for pair in (*found.identity, *found.environment)]
    commands = block([found.command, *(pair.name for pair in found.again)])
    return [*commands, *folded("Identity and environment", table(["", ""], pairs))]


PARTS: tuple[tuple[str, Part], ...] = (
    ("Findings", findings),
    ("Action items", actions),
    ("Objectives", objectives),
    ("Timeline", timeline),
    ("Faults and guards", faults),
    ("Load", load),
    ("Beside the last run", comparison),
    ("Run it again", again),
)
"""Everything below the summary, in the order of the page."""
