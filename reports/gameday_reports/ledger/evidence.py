"""What a finding rests on, as Markdown: shared by the page of all findings and by the issue that is made of one."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.model import Json
from gameday_reports.markdown_text import code, escape, joined
from gameday_reports.reading import PARAGRAPH, number, part, text, texts

_SAID = {"owner": "Owner", "due": "Due", "ticket": "Ticket", "kind": "Improves", "cause": "Cause", "note": "Note"}


def evidence(raw: Json) -> Iterator[str]:
    """Yield the paragraphs of one finding."""
    if seen := escape(text(raw, "saw", PARAGRAPH)):
        yield from (seen, "")
    action = escape(text(raw, "action", PARAGRAPH))
    step = escape(text(raw, "next", PARAGRAPH))
    if action or step:
        yield from (f"**{'Action' if action else 'Next step'}:** {action or step}", "")
    yield from (f"- {one}" for one in _facts(raw))
    yield from (f"- {name}: {said}" for key, name in _SAID.items() if (said := escape(text(raw, key, PARAGRAPH))))
    yield ""


def _facts(raw: Json) -> Iterator[str]:
    about = [f"objective {code(text(raw, 'objective'))}" if text(raw, "objective") else "", escape(text(raw, "phase"))]
    yield f"Experiment: {escape(joined(text(raw, 'experiment'), by=''))}" + "".join(f", {one}" for one in about if one)
    if where := [one for one in texts(raw, "open_in") if one != text(raw, "experiment")]:
        yield f"Open in: {escape('; '.join(where))}"
    first, last, runs = part(raw, "first"), part(raw, "last"), round(number(raw, "runs") or 0)
    since = f"First seen {escape(text(first, 'started'))} in {code(text(first, 'run'))}"
    yield since + (
        f", last {escape(text(last, 'started'))} in {code(text(last, 'run'))}, {runs} runs" if runs > 1 else ""
    )
    if back := round(number(raw, "reopened") or 0):
        yield f"Came back {back} time{'s' if back > 1 else ''} after it was closed"
    yield f"Fingerprint: {code(text(raw, 'fingerprint'))}"
