"""What a day came to: one verdict with reasons, a pure function of its file and its journal.

A day passes only when every experiment passed and every step was done, in time and with the evidence that it needs; what is missing
is inconclusive, never a pass. The worst wins, and dirty is the worst.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gameday.gamedays.day.folder import Day
from gameday.gamedays.day.progress import ItemState, Place, Progress, kind_of, places, read_progress, title_of
from gameday.model import Verdict
from gameday.schema.day.file import DayFile

SCHEMA = "gameday/day-verdict/1"
_TALK = ("brief", "debrief")
"""Items that show nothing, and so decide nothing."""
_OUTCOMES = {
    "skipped": (Verdict.INCONCLUSIVE, "skipped", "was left out"),
    "interrupted": (Verdict.ABORTED, "interrupted", "was broken off"),
    "failed": (Verdict.FAIL, "step-failed", "could not be done"),
    "late": (Verdict.FAIL, "late", "was done too late"),
    "no-go": (Verdict.INCONCLUSIVE, "no-go", "was a no-go: the day ended there"),
    "not-met": (Verdict.INCONCLUSIVE, "prerequisite", "is not met"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that made the verdict what it is."""

    verdict: Verdict
    reason: str
    says: str
    place: Place | None = None

    def to_json(self) -> dict[str, Any]:
        """As verdict.json has it."""
        section, index = self.place or (None, None)
        return {"reason": self.reason, "section": section, "index": index, "says": self.says}


def judge_day(day: Day, *, leading: bool = False) -> dict[str, Any]:
    """Return verdict.json of a day. While it is ``leading``, that nobody leads it any more is not held against it."""
    progress = read_progress(day.events)
    found = list(_reasons(day.file, progress, leading=leading))
    worst = max((one.verdict for one in found), default=Verdict.PASS)
    telling = [one for one in found if one.verdict is worst] if found else []
    rest = [one for one in found if one.verdict is not worst]
    reasons = [one.to_json() for one in (*telling, *rest)]
    if not found:
        reasons = [Reason(verdict=Verdict.PASS, reason="proven", says="everything was done, and passed").to_json()]
    items = [_item(day.file, progress, place) for place in places(day.file)]
    return {
        "schema": SCHEMA,
        "day": day.folder.name,
        "title": day.file.title,
        "verdict": worst.word,
        "reasons": reasons,
        "summary": _summary(reasons),
        "finished": progress.closed or leading,
        "started_wall": progress.started_wall,
        "ended_wall": progress.ended_wall,
        "prerequisites": items[: len(day.file.prerequisites)],
        "items": items[len(day.file.prerequisites) :],
    }


def verdict_bytes(document: Mapping[str, Any]) -> bytes:
    """Write it as the folder keeps it: the same bytes for the same document."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _summary(reasons: list[dict[str, Any]]) -> str:
    more = len(reasons) - 1
    return str(reasons[0]["says"]) + (f"; and {more} more" if more else "")


def _reasons(file: DayFile, progress: Progress, *, leading: bool) -> Iterator[Reason]:
    if progress.refused is not None:
        yield Reason(verdict=Verdict.INCONCLUSIVE, reason="refused", says=str(progress.refused.get("why", "")))
    if progress.stopped is not None:
        by, why = (str(progress.stopped.get(name) or "") for name in ("by", "why"))
        yield Reason(verdict=Verdict.ABORTED, reason="stopped", says=f"stopped by {by}" + (f": {why}" if why else ""))
    elif not progress.closed and not leading:
        yield Reason(
            verdict=Verdict.ABORTED, reason="leader-lost", says="whoever led it was lost, and nobody resumed it"
        )
    if not any(kind_of(file, place) in ("experiment", "manual") for place in places(file)):
        says = "no experiment and no step: nothing was put to the test"
        yield Reason(verdict=Verdict.INCONCLUSIVE, reason="nothing-tested", says=says)
    for place in places(file):
        yield from _of_item(file, place, progress.items.get(place))


def _of_item(file: DayFile, place: Place, state: ItemState | None) -> Iterator[Reason]:
    kind, title = kind_of(file, place), title_of(file, place)
    if kind in _TALK:
        return
    if state is None or state.outcome is None:
        says = f"{title}: not done" if state is None else f"{title}: begun, and not ended"
        yield Reason(verdict=Verdict.INCONCLUSIVE, reason="not-done", says=says, place=place)
    elif state.outcome in _OUTCOMES:
        verdict, reason, says = _OUTCOMES[state.outcome]
        why = f" ({state.why})" if state.why else ""
        yield Reason(verdict=verdict, reason=reason, says=f"{title} {says}{why}", place=place)
    item = file.agenda[place[1]] if place[0] == "agenda" else None
    needs = item is not None and item.manual is not None and item.manual.evidence == "required"
    if needs and state is not None and state.outcome in ("done", "late") and not state.evidence:
        yield Reason(verdict=Verdict.INCONCLUSIVE, reason="no-evidence", says=f"{title}: no evidence", place=place)
    yield from _of_runs(title, place, kind, state)


def _of_runs(title: str, place: Place, kind: str, state: ItemState | None) -> Iterator[Reason]:
    runs = state.runs if state is not None else []
    for one in runs:
        word = one["verdict"]
        verdict = Verdict.from_word(word) if word else Verdict.ABORTED
        if verdict is not Verdict.PASS:
            reasons = [str(reason) for reason in one["reasons"]] or ["runner-lost"]
            says = f"{title}: {verdict.word} ({', '.join(reasons)})"
            yield Reason(verdict=verdict, reason=reasons[0], says=says, place=place)
    done = state is not None and state.over and state.outcome not in ("skipped", "not-met")
    if kind == "experiment" and done and not runs:
        yield Reason(verdict=Verdict.INCONCLUSIVE, reason="not-done", says=f"{title}: no run of it", place=place)


def _item(file: DayFile, progress: Progress, place: Place) -> dict[str, Any]:
    state = progress.items.get(place) or ItemState()
    found: dict[str, Any] = {"index": place[1], "kind": kind_of(file, place), "title": title_of(file, place)}
    if place[0] == "agenda":
        found["blind"] = file.agenda[place[1]].blind
    return found | {
        "outcome": state.outcome,
        "attempts": state.attempts,
        "by": state.by,
        "role": state.role,
        "why": state.why,
        "evidence": state.evidence,
        "runs": state.runs,
        "started_wall": state.started_wall,
        "ended_wall": state.ended_wall,
    }
