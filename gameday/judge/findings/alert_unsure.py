"""Rule: it is not known what an alert would have done, or it fired before the fault."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.alertwords import why
from gameday.judge.findings.rule import Draft, started
from gameday.model import Json

_NEXT = {
    "alert-before": "Wait until the alert is quiet, or find out what makes it fire without the fault.",
    "query-error": "Correct the alert's name and labels, or the rule itself: its source answers, but not to this.",
    "too-short": "Leave the fault on for as long as the alert is given, or give it less.",
    "stale": "Find out why the rule is not evaluated any more: its group may take longer than its interval.",
    "load-generator": "Give the load generator more processor time, or less to do.",
}
_OTHERWISE = "See that the source answers throughout the run, and that its rule has anything to look at."


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each alert without a result; of a run that never came to its faults, for each that kept it from them."""
    if document["abort"]:
        return
    for objective in document["objectives"]:
        alert = objective["alert"]
        if (
            alert
            and alert["result"] == "inconclusive"
            and (not document["stopped"] or alert["before"] or alert.get("error"))
        ):
            yield _draft(document, objective, alert)


def _draft(document: Json, objective: Json, alert: Json) -> Draft:
    reason = "alert-before" if alert["before"] else alert["reason"]
    said = why({**alert, "reason": reason})
    return Draft(
        rule="alert-unsure",
        severity="medium" if document["stopped"] else "low",
        title=f"{objective['name']} is not proven ({reason}): alert {alert['name']}",
        saw=f"Nothing is proven about alert {alert['name']}: {said}."
        + (" Nothing was injected." if document["stopped"] else ""),
        matters="An alert that nobody saw fire, or that fires anyway, does not show that this fault would be noticed.",
        next=_NEXT.get(reason, _OTHERWISE),
        objective=objective["name"],
        phase="alert",
        faults=started(document),
    )
