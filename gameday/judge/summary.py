"""The one sentence at the top of a verdict, in the users' terms, with numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from gameday.judge.alertwords import told
from gameday.judge.findings.rule import during, in_force
from gameday.judge.words import effect, is_gauge, listed, read, seconds
from gameday.model import Json
from gameday.schema.grammar import parse_criterion

_INCONCLUSIVE = {
    "near-limit": "the counts are too close to the limit to tell",
    "too-few": "there were too few requests to tell",
    "too-short": "a phase was too short to tell",
    "no-data": "there is no data for it",
    "stale": "what was read is too old",
    "query-error": "a probe's source does not have the number that it asks for",
    "baseline": "steady state was not shown before the fault, so nothing was injected",
    "load-generator": "the load generator did not measure reliably",
    "not-ready": "a process did not become ready",
    "action-failed": "a fault could not be injected, measured or reverted as planned",
    "fault-unproven": "it is not proven that the fault was in force",
    "not-recovered": "what a fault took away was not replaced before the run was over",
    "skipped": "a part of the run was skipped",
    "alert-before": "an alert fired before the fault",
}
_ABORTED = {
    "guard": "an abort rule",
    "person": "a person",
    "signal": "a signal",
    "runner-lost": "the loss of its runner",
    "watchdog-lost": "the loss of its watchdog",
    "load-generator": "the loss of its load generator",
    "action-failed": "a fault that could not be injected or reverted",
    "residue": "a fault that it left behind",
}


def summarise(document: Json) -> str:
    """Return the sentence for a verdict document that has everything but this."""
    return _SENTENCES[document["verdict"]](document)


def _dirty(document: Json) -> str:
    names = listed([row["fault"] for row in document["residue"]]) or "a fault"
    return f"It is not proven that {names} is undone: run `gameday recover {document['run']}`."


def _aborted(document: Json) -> str:
    abort: dict[str, Any] = document["abort"] or {}
    reason = str(abort.get("reason", ""))
    detail = f": {abort['detail']}" if abort.get("detail") else ""
    broken = document["objectives_broken"]
    beside = f" Already proven broken: {listed(broken)}." if broken else ""
    return f"The run was stopped by {_ABORTED.get(reason, reason)}{detail}.{beside}{_undone(document)}"


def _undone(document: Json) -> str:
    """Say that nothing is left, where every fault that was armed is proven to be gone."""
    armed = [fault for fault in document["faults"] if fault["armed_ms"] is not None]
    proven = all(fault["undo"] in ("proven", "not-needed") for fault in armed)
    return " Every fault is proven undone." if armed and proven else ""


def _fail(document: Json) -> str:
    for finding in document["findings"]:
        if finding["objective"] in document["objectives_broken"]:
            return str(finding["saw"])
    return f"Broken: {listed(document['objectives_broken'])}."


def _inconclusive(document: Json) -> str:
    reasons: list[str] = document["reasons"]
    said = [_INCONCLUSIVE.get(reason, reason) for reason in reasons]
    if lacking := _lacking(document):
        return f"Nothing is proven: {lacking}."
    stopped: dict[str, Any] = document["stopped"] or {}
    detail = f" ({stopped['detail']})" if stopped.get("detail") else ""
    return f"Nothing is proven: {listed(said)}{detail}."


def _lacking(document: Json) -> str:
    """Say what a Chaos Toolkit experiment alone lacks, in its own terms."""
    if document["objectives"]:
        return ""
    found = [played["hypothesis"]["detail"] for played in document.get("chaostoolkit") or ()]
    found = [text for text in found if text]
    found += [fault["detail"] for fault in document["faults"] if fault["verdict"] == "inconclusive"]
    return "; ".join(dict.fromkeys(text for text in found if "it was met" not in text))


def _pass(document: Json) -> str:
    if not document["objectives"]:
        return _held(document)
    said = "; ".join([*_nearest(document), *(told(row["alert"]) for row in document["objectives"] if row["alert"])])
    count = len(document["objectives"])
    held = f"all {count} objectives held" if count > 1 else "the objective held"
    return f"While {in_force(document)} on, {said}: {held}{_again(document)}."


def _held(document: Json) -> str:
    """Say it of Chaos Toolkit experiments alone."""
    done = [activity for played in document["chaostoolkit"] for activity in played["activities"]]
    method, rollbacks = (sum(one["section"] == name for one in done) for name in ("method", "rollbacks"))
    plural = "ies" if method != 1 else "y"
    undone = (
        f", and so did all {rollbacks} rollbacks" if rollbacks > 1 else ", and so did its rollback" if rollbacks else ""
    )
    return f"The hypothesis was met before the method and after it; {method} activit{plural} succeeded{undone}."


def _again(document: Json) -> str:
    """Say when steady state was back; nothing of alerts alone, which have none."""
    back = [row["recovery"]["seconds"] for row in document["objectives"] if row["recovery"]]
    if not back:
        return ""
    return (
        f", and steady state was back after {seconds(max(back))}"
        if max(back)
        else ", and steady state held again at once"
    )


def _nearest(document: Json) -> Iterator[str]:
    """Say what came nearest to its budget; of gauges, which have none to compare, the first; nothing of alerts alone."""
    counted = [(row, phase) for row, phase in during(document) if not is_gauge(phase) and phase["n"]]
    if not counted:
        yield from (read(phase) for _, phase in itertools.islice(during(document), 1))
        return
    row, phase = max(counted, key=lambda entry: entry[1]["k"] / entry[1]["n"] / (entry[1]["budget"] or 1))
    yield effect(parse_criterion(phase["criterion"]), row["endpoints"], phase["k"], phase["n"])


_SENTENCES = {"dirty": _dirty, "aborted": _aborted, "fail": _fail, "inconclusive": _inconclusive, "pass": _pass}
