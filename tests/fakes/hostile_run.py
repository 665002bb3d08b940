"""Judged runs in which every text, in every field of every input, is something that would like to act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

from gameday.model import GaugeSample, Run
from tests.fakes.sample_facts import Outcome
from tests.fakes.sample_run import sample_run
from tests.fakes.showcase import showcase

TEXTS = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example>",
    "https://evil.example www.evil.example me@evil.example mailto:me@evil.example",
    "@everyone #1 !1 $1 ~label %1 &1 :smile: :+1: GH-1 org/repo#1 [[_TOC_]] {+ins+}",
    "a | b | c\n| --- | --- |\n| x | y |",
    "\n\n# Heading\n\n- list\n\n    code\n\n```\nfence\n````\n~~~\n---\n***\n/close\n> quote",
    "**bold** _em_ ~~gone~~ `code` ``` ``x`` $`math`$ $$x$$ \\` \\| \\",
    '=HYPERLINK("https://evil.example","x")',
    "+1+cmd|'/C calc'!A0",
    "-2+3",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\uff1d1+1",
    "::error file=x,line=1::hi",
    "x\n::set-output name=a::b\r\n::stop-commands::t\n##[error]x",
    "%0A::error::x%25",
    'a="b" c\\ {le="1"} 1\n# EOF\ngameday_run_verdict{verdict="pass"} 1',
    "]]> &lt;script&gt; &#60; <!-- --> <?php ?>",
    "\u202eteh si tluaf eht\u202c \u2066x \u2028 \u2029 \x85",
    "\x00\x07\x1b[31mred\x9f\ud800\ufffe",
    "{{ 7*7 }} {% for %} ${token} %(x)s {0}",
    "A" * 10_000,
    "",
    "   ",
)
"""Markdown, HTML, spreadsheets, workflow commands, metrics, XML, terminals, templates, and simply too much."""
_CLOSED = (
    "schema", "verdict", "reasons", "reason", "result", "undo", "proof", "severity", "model", "kinds", "phases", "windows",
)  # fmt: skip
"""Members whose words are of closed lists, which the judge writes; and those whose keys are."""


def hostile_run(outcome: Outcome, text: str) -> Run:
    """A run of every outcome whose titles, names, endpoints, details, notes, file names, commands and errors are ``text``."""
    run = _calm(outcome)
    load = replace(
        run.load,
        rows=tuple(
            replace(row, endpoint=text if row.endpoint == "checkout" else row.endpoint) for row in run.load.rows
        ),
        histograms=tuple(
            replace(one, endpoint=text) if one.endpoint == "checkout" else one for one in run.load.histograms
        ),
    )
    return replace(
        run,
        name=text,
        head=text,
        verdict=_spoilt(run.verdict, text),
        experiment=_spoilt(run.experiment, text) | {"abort": [text], "slis": {text: {"every": text}}},
        plan=_spoilt(run.plan, text) | {"variant": {text: text}, "environment": {text: text}},
        events=tuple(replace(event, data=_spoilt(event.data, text)) for event in run.events),
        load=load,
        previous=None if run.previous is None else _spoilt(run.previous, text) | {"series": {text: [[1, 2, 1, 3.0]]}},
        remarks={text: dict.fromkeys(("owner", "due", "ticket", "action", "kind", "cause", "note"), text)},
        remarks_wrong=(text,),
        gauges=(
            GaugeSample(sli=text, at_ms=14_000, value=None, error=text),
            GaugeSample(sli=text, at_ms=15_000, value=-3.5),
        ),
    )  # fmt: skip


@cache
def _calm(outcome: Outcome) -> Run:
    run = showcase(outcome)
    return replace(run, load=sample_run(outcome, baseline_s=4, fault_s=4, recovery_s=12).load)


def _spoilt(value: Any, text: str) -> Any:
    """Replace every text but the words of closed lists."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {
            key: item if key in _CLOSED and not _holds_objects(item) else _spoilt(item, text) for key, item in items
        }
    if isinstance(value, list | tuple):
        return [_spoilt(item, text) for item in cast("Sequence[Any]", value)]
    return text if isinstance(value, str) else value


def _holds_objects(value: Any) -> bool:
    """``phases`` of a criterion holds texts to be spoilt; ``phases`` of the run, names of a closed list."""
    return isinstance(value, Mapping) and any(
        isinstance(item, Mapping) for item in cast("Mapping[str, Any]", value).values()
    )
