"""A postmortem as Markdown, to be completed by people: for a wiki, an issue or a merge request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.model import GameDay
from gameday_reports import words
from gameday_reports.markdown_text import block, code, escape, joined, strong, table
from gameday_reports.postmortem.agenda import Evidence, Item
from gameday_reports.postmortem.story import Story, story

_NOTHING = "Nothing that was recorded shows it. Add what people say."


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownPostmortem:
    """Markdown, UTF-8."""

    name: str = "markdown"
    filename: str = "report.md"

    def render(self, day: GameDay) -> bytes:
        """Render."""
        return ("\n".join(_document(story(day))).rstrip("\n") + "\n").encode()


def _document(told: Story) -> list[str]:
    lines = [f"# {escape(told.headline)} · {escape(told.title)}", ""]
    for one in told.residues:
        lines += [
            f"{strong('A fault may still be on:')} {escape(one.fault)} of {escape(one.run)}. Finish the job with:",
            "",
            *block([one.command]),
        ]
    lines += [
        *_paragraph(told.summary),
        *_reasons(told.reasons),
    ]
    lines += [
        *([f"{strong('Goal:')} {escape(told.goal)}", ""] if told.goal else []),
        *(f"- {name}: {escape(said)}" for name, said in told.facts),
        "",
    ]
    lines += _impact(told)
    lines += _times(told)
    for title, sentences in (
        ("What went well", told.lessons.well),
        ("What did not", told.lessons.badly),
        ("Where we were lucky", told.lessons.lucky),
        ("What people said", told.lessons.said),
    ):
        lines += [f"## {title}", "", *(f"- {escape(said)}" for said in sentences or (_NOTHING,)), ""]
    lines += _actions(told)
    lines += ["## Agenda", "", *_items((*told.prerequisites, *told.agenda))]
    lines += ["## Timeline", "", "Times are UTC.", ""]
    rows = [(code(one.when), escape(one.what), escape(one.who), _links(one.evidence)) for one in told.timeline]
    lines += table(("when", "what", "who", "evidence"), rows)
    if told.more:
        lines += [f"{words.count(told.more)} more entries are in the journal.", ""]
    return [*lines, f"Journal head: {code(told.head)}"]


def _reasons(reasons: Sequence[str]) -> list[str]:
    """List them where there are more than the summary says."""
    return [*(f"- {escape(said)}" for said in reasons), ""] if len(reasons) > 1 else []


def _paragraph(said: str) -> list[str]:
    return [escape(said), ""] if said else []


def _impact(told: Story) -> list[str]:
    lines = [
        f"- {joined(f'{strong(one.title)}: {escape(one.verdict)}', escape(one.sentence), escape(one.numbers))}"
        for one in told.impacts
    ]
    return ["## Impact", "", *(lines or ["No experiment was run."]), ""]


def _times(told: Story) -> list[str]:
    if not told.times:
        return []
    rows = [
        (
            escape(one.title),
            "<br>".join(map(escape, one.detect)) or "not detected",
            "<br>".join(map(escape, one.mitigate)) or "not mitigated",
        )
        for one in told.times
    ]
    return [
        "## Times to detect and to mitigate",
        "",
        "From the proven injection.",
        "",
        *table(("experiment", "detected after", "mitigated after"), rows),
    ]


def _actions(told: Story) -> list[str]:
    rows = [
        (
            escape(one.what),
            escape(joined(one.severity, one.why)),
            escape(one.owner) or "nobody yet",
            escape(one.due) or "no day yet",
            escape(one.ticket),
        )
        for one in told.actions
    ]
    return [
        "## Action items",
        "",
        *(table(("action", "because", "owner", "due", "ticket"), rows) if rows else ["None was found.", ""]),
    ]


def _items(items: Sequence[Item]) -> list[str]:
    rows = [
        (
            one.number,
            escape(joined(f"{one.kind}: {one.title}", one.why)),
            escape(one.outcome),
            escape(one.who),
            joined(_links(one.runs), _links(one.evidence)),
        )
        for one in items
    ]
    return table(("", "item", "outcome", "who", "evidence"), rows)


def _links(several: Iterable[Evidence]) -> str:
    return " · ".join(
        f"[{escape(one.text)}](<{one.href}>)" if _plain(one.href) else escape(one.text) for one in several
    )


def _plain(href: str) -> bool:
    """Whether an address stays inside its brackets."""
    return bool(href) and not any(character in href for character in "<>\n\r |")
