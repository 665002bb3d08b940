"""How a run ended, from its journal: refused, never ready, stopped at the gate, aborted, lost, or whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.judge.result import Result, unsure
from gameday.model import Event, Reason, Run, Verdict

_IMPLIED = {"load-lost": Reason.LOAD_GENERATOR, "watchdog-lost": Reason.WATCHDOG_LOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the end of a run says about it, whatever its objectives did."""

    results: tuple[Result, ...]
    """Merged into the verdict; empty for a run that came to its end in order."""
    stopped: Result | None = None
    """Why nothing was injected; None when the gate passed."""
    cut_short: bool = False
    """The fault phase ended before its time."""
    abort: dict[str, Any] | None = None
    """``{reason, detail, at_ms}`` of what stopped the run."""
    detail: str = ""


def is_whole(run: Run) -> bool:
    """Whether the journal has every record from ``opened`` to ``closed`` and nothing after: only then can a run pass."""
    if not run.closed or run.torn or not run.events:
        return False
    numbered = all(event.seq == index for index, event in enumerate(run.events))
    return numbered and run.events[0].kind == "opened" and run.events[-1].kind == "closed"


def find_ending(run: Run) -> Ending:
    """Read how the run ended."""
    stopped, detail = _stopped(run)
    abort = _abort(run)
    results: list[Result] = []
    if abort is not None:
        results.append(Result(Verdict.ABORTED, Reason(abort["reason"])))
    if not is_whole(run):
        lost = _lost(run)
        results.append(Result(Verdict.ABORTED, Reason(lost["reason"])))
        abort = abort or lost
    elif run.events[-1].data.get("undone") is not True:
        results.append(Result(Verdict.DIRTY, Reason.RESIDUE))
    if any(not event.data.get("fault") for event in run.of_kind("action-failed")):
        results.append(unsure(Reason.ACTION_FAILED))
    if stopped is not None and (abort is None or stopped.reason is not Reason.SKIPPED):
        results.append(stopped)
    return Ending(
        results=tuple(results), stopped=stopped, cut_short=abort is not None and _cut(run), abort=abort, detail=detail
    )


def _lost(run: Run) -> dict[str, Any]:
    """Say why the journal does not end as it should: nobody closed it, or a residue was undone after it was closed."""
    at_ms = run.events[-1].at_ms if run.events else 0
    if any(event.data.get("undone") is False for event in run.of_kind("closed")):
        return {
            "reason": str(Reason.RESIDUE),
            "detail": "it left a fault behind, which was undone later",
            "at_ms": at_ms,
        }
    return {"reason": str(Reason.RUNNER_LOST), "detail": "the journal has no whole end", "at_ms": at_ms}


def _reason(word: object, otherwise: Reason) -> Reason:
    try:
        return Reason(str(word))
    except ValueError:
        return otherwise


def _stopped(run: Run) -> tuple[Result | None, str]:
    """Say why the run never came to its faults; a gate that nobody recorded was not passed."""
    if refused := run.of_kind("refused"):
        data = refused[0].data
        return unsure(_reason(data.get("reason"), Reason.REFUSED)), str(data.get("detail") or "")
    if late := run.of_kind("process-not-ready"):
        data = late[0].data
        return unsure(
            Reason.NOT_READY
        ), f"{data.get('name')} did not become ready: {data.get('error', 'no reason given')}"
    gates = run.of_kind("gate")
    failed = run.of_kind("action-failed")
    if not gates and failed and _abort_event(run) is None:
        return unsure(Reason.ACTION_FAILED), str(failed[0].data.get("error") or "")
    if not gates:
        return unsure(Reason.SKIPPED if _abort_event(run) else Reason.BASELINE), ""
    if gates[-1].data.get("passed") is True:
        return None, ""
    return unsure(_reason(gates[-1].data.get("reason"), Reason.BASELINE)), ""


def _abort(run: Run) -> dict[str, Any] | None:
    event = _abort_event(run)
    if event is None:
        return None
    if event.kind == "abort":
        reason, detail = _reason(event.data.get("reason"), Reason.RUNNER_LOST), event.data.get("detail")
    else:
        reason, detail = _IMPLIED[event.kind], event.data.get("error")
    return {"reason": str(reason), "detail": "" if detail is None else str(detail), "at_ms": event.at_ms}


def _abort_event(run: Run) -> Event | None:
    """Return the first abort, or else what always means one."""
    return next(iter((*run.of_kind("abort"), *run.of_kind(*_IMPLIED))), None)


def _cut(run: Run) -> bool:
    """Whether the recovery phase had not begun in order before the run was stopped."""
    recovery = next((event for event in run.of_kind("phase") if event.data.get("name") == "recovery"), None)
    event = _abort_event(run)
    return recovery is None or (event is not None and event.seq < recovery.seq)
