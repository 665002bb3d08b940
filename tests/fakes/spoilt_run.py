"""A judged run in which every text, those of closed lists too, is something that would like to act in a page."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, cast

from gameday.model import GaugeSample, Run
from tests.fakes.sample_run import small_run
from tests.fakes.showcase import showcase

HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "</title><base href=//evil.example>",
    "\u202eteh si tluaf eht\u202c \u2066x",
    "\x00\x07\x1b[31mred\x9f\ud800",
    "javascript:alert(1)",
    "{{ view.__class__ }} {% for %} ${token}",
    "A" * 10_000,
    "<!-- --> ]]> &lt;script&gt; &#60;",
]


def spoilt(value: Any, spoil: str) -> Any:
    """The same structure with every text and every key of free choice replaced."""
    if isinstance(value, dict):
        return {key: spoilt(item, spoil) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [spoilt(item, spoil) for item in cast("Sequence[Any]", value)]
    return spoil if isinstance(value, str) else value


def spoilt_run(spoil: str) -> Run:
    run = small_run("dirty")
    assert run.verdict is not None
    verdict = spoilt(deepcopy(run.verdict), spoil)
    verdict["load"]["by_endpoint"][0]["kinds"] = {spoil: 3, "ok": 2}
    closed_lists = {"verdict": "dirty", "reasons": ["residue", spoil]}
    events = tuple(
        replace(event, kind=event.kind if event.seq % 3 else spoil, data=spoilt(dict(event.data), spoil))
        for event in run.events
    )
    spoilt_rows = tuple(replace(row, endpoint=spoil) for row in run.load.rows)
    plan = spoilt(deepcopy(run.plan), spoil)
    before = earlier_run()
    verdict["objectives"][0]["alert"] = spoilt(dict(showcase_alert()), spoil)
    verdict["objectives"][0]["criteria"] = []
    return replace(
        run,
        name=spoil,
        head=spoil,
        verdict={**verdict, **closed_lists},
        experiment={**spoilt(deepcopy(run.experiment), spoil), spoil: spoil},
        plan={**plan, "environment": {spoil: spoil}},
        events=events,
        load=replace(run.load, rows=spoilt_rows),
        gauges=(
            GaugeSample(sli=spoil, at_ms=20_000, value=1.0),
            GaugeSample(sli=spoil, at_ms=21_000, value=None, error=spoil),
        ),
        previous={**spoilt(before, spoil), "series": {spoil: before["series"]["checkout"]}},
        remarks={
            spoil: dict.fromkeys(("owner", "due", "ticket", "action", "kind", "cause", "note"), spoil),
            f"{spoil}2": {},
        },
        remarks_wrong=(spoil,),
    )


@cache
def earlier_run() -> Any:
    return showcase("fail").previous


@cache
def showcase_alert() -> Any:
    return (showcase("fail").verdict or {})["objectives"][-1]["alert"]
