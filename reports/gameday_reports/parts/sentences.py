"""One sentence for each event of the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from gameday.model import Event
from gameday_reports import gauges, words
from gameday_reports.reading import bounded, number, parts, text

_SENTENCES: dict[str, tuple[str, str, str]] = {
    "opened": ("run", "none", "The run begins."),
    "process-started": ("system", "none", "Process {name} started (pid {pid})."),
    "process-ready": ("system", "none", "Process {name} is ready."),
    "process-exited": ("system", "warn", "Process {name} exited (code {code})."),
    "process-stopped": ("system", "none", "Process {name} stopped."),
    "process-not-ready": ("system", "fail", "Process {name} did not become ready: {error}"),
    "proxy-started": ("system", "none", "The fault proxy started (pid {pid})."),
    "proxy-stopped": ("system", "none", "The fault proxy stopped."),
    "watchdog-started": ("guard", "none", "The watchdog started (pid {pid}): it reverts if the runner is lost."),
    "watchdog-lost": ("guard", "fail", "The watchdog was lost: {error}"),
    "planned": ("fault", "none", "{fault} planned: {driver} on {targets}."),
    "load-started": ("load", "none", "The load began."),
    "probe-started": ("load", "none", "{sli} is read by a probe ({probe}) every {every_ms} ms."),
    "alert-watched": ("load", "none", "The alert of {objective} is looked at ({probe}, source {source})."),
    "kept": ("run", "none", "{file} is kept as it is: its digest is on the chain."),
    "witness-summoned": (
        "load",
        "none",
        "{name} is witnessed by {source} ({kind}): asked at the gate and after the recovery.",
    ),
    "load-stopped": ("load", "none", "The load ended: {offered} offered, {completed} completed."),
    "load-changed": ("load", "none", "{_load}"),
    "load-lost": ("load", "fail", "The load generator was lost: {error}"),
    "approved": ("guard", "none", "Approved for {environment} by {people}: {needed} people were needed."),
    "budget": ("guard", "none", "Of the error budget of {slo}, {left} is left as a share; {at_least} is asked for."),
    "notified": ("run", "none", "Told {channel} of {event}: {outcome}."),
    "refused": ("run", "warn", "The run is refused ({reason}): {detail}"),
    "phase": ("phase", "none", "Phase {name} begins."),
    "armed": ("fault", "none", "{fault} armed: its plan is on disk."),
    "round": ("fault", "none", "{fault}: round {round}, chosen anew."),
    "round-skipped": ("fault", "warn", "{fault}: round {round} was skipped: {why}"),
    "inject-called": ("fault", "none", "{fault}: injecting."),
    "injected": ("fault", "none", "{fault}: inject returned after {seconds} s."),
    "action-failed": ("fault", "fail", "{fault}: {action} failed: {error}"),
    "unproven": ("fault", "warn", "{fault} is not proven ({why})."),
    "met": ("fault", "none", "{fault}: {count} connections or requests met it."),
    "deed": ("fault", "hot", "{fault} is proven done; it cannot be reverted."),
    "ended": ("fault", "none", "{fault} has come to its own end."),
    "observed": ("fault", "none", "{fault}: the observation after it is over."),
    "revert-called": ("fault", "none", "{fault}: reverting (by the {by})."),
    "revert-failed": ("fault", "fail", "{fault}: the revert by the {by} failed: {error}"),
    "still-active": ("fault", "fail", "{fault} may still be on after the revert by the {by}: {error}"),
    "abort": ("guard", "fail", "The run is stopped ({reason}): {detail}"),
    "skipped": ("run", "warn", "{what} skipped: {why}"),
    "note": ("note", "none", "{text}"),
    "recovered": ("run", "none", "{_left}"),
    "taken-over": ("run", "warn", "The {by} took over: {why}"),
    "sealed": ("run", "warn", "A torn end of the journal was sealed ({length} bytes)."),
}


_PHASES = {
    "warmup": "Warm-up begins; nothing of it is judged.",
    "baseline": "Baseline begins: the steady state before the fault.",
    "gate": "Baseline ends; the gate waits until every request of it is decided.",
    "fault": "Time zero of the plan: the fault phase begins.",
    "recovery": "Recovery begins: the steady state must come back.",
    "end": "The phases are over.",
}


_COUNTS = ("count", "offered", "completed", "length")


_UNPROVEN = {
    "never": "it was never measured as on",
    "gone-early": "it was gone before its end",
    "no-traffic": "no traffic met it",
    "no-check": "its driver has no check",
}


def say(event: Event) -> tuple[str, str, str]:
    """Return (lane, tone, sentence) of an event."""
    special = {
        "gate": _gate,
        "active": _active,
        "recovery": _recovery,
        "reverted": _reverted,
        "closed": _closed,
        "told": _told,
    }
    if event.kind in special:
        return special[event.kind](event.data)
    lane, tone, sentence = _SENTENCES.get(event.kind, ("run", "none", "{_kind}: {_data}"))
    if event.kind == "phase":
        sentence = _PHASES.get(text(event.data, "name"), sentence)
    return lane, tone, sentence.format_map(_Shown(event))


class _Shown(dict[str, str]):
    """An event's data as bounded text; what it does not hold reads ``?``."""

    def __init__(self, event: Event) -> None:
        super().__init__({str(key): _plain(value) for key, value in event.data.items()})
        self["_kind"], self["_data"] = bounded(event.kind), bounded(dict(event.data))
        self.update({key: f"{value:,}" for key in _COUNTS if isinstance(value := event.data.get(key), int)})
        users = "users" in self
        self["_load"] = (
            f"The load was changed to {self.get('users' if users else 'rate', '?')}{' users' if users else '/s'}."
        )
        clean = "nothing is left of this run" if event.data.get("clean") is True else "not everything is proven undone"
        self["_left"] = f"Recover ended: {clean}."
        if "why" in self:
            self["why"] = _UNPROVEN.get(self["why"], self["why"])

    def __missing__(self, key: str) -> str:
        return "?"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return bounded(", ".join(bounded(item) for item in cast("Sequence[object]", value)))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return bounded(value)
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _gate(data: Mapping[str, Any]) -> tuple[str, str, str]:
    objectives = parts(data, "objectives")
    if data.get("passed") is True:
        return (
            "phase",
            "pass",
            f"The baseline gate passed: steady state holds for {words.plural(len(objectives), 'objective')}.",
        )
    broken = [
        f"{text(raw, 'name')}: {_gated(raw)}, {words.reason(text(raw, 'reason'))}"
        for raw in objectives
        if raw.get("result") != "pass"
    ]
    return "phase", "fail", bounded("The baseline gate did not pass; nothing is injected. " + "; ".join(broken), 600)


def _gated(raw: Mapping[str, Any]) -> str:
    if "criterion" in raw:
        return f"{gauges.read({**raw, 'readings': raw.get('n')})} (asked for {text(raw, 'criterion')})"
    return f"{words.count(number(raw, 'k'))} of {words.count(number(raw, 'n'))} bad"


def _active(data: Mapping[str, Any]) -> tuple[str, str, str]:
    fault, on, when = text(data, "fault"), data.get("active") is True, text(data, "when")
    if when == "proof":
        return (
            ("fault", "hot", f"{fault} is proven on.")
            if on
            else ("fault", "none", f"{fault} is not measured as on yet.")
        )
    if when == "before-revert":
        return (
            ("fault", "hot", f"{fault} is still on, just before its revert.")
            if on
            else ("fault", "warn", f"{fault} was gone before its revert.")
        )
    return "fault", "hot" if on else "warn", f"{fault} measured as {'on' if on else 'no longer on'}."


def _recovery(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Tell how far a loss was made good."""
    fault, over = text(data, "fault"), data.get("end") is True
    if data.get("error"):
        why = text(data, "error", 300)
        return "fault", "fail" if over else "warn", f"{fault}: it is not known whether what was lost is replaced: {why}"
    back, lost = words.count(number(data, "back")), words.count(number(data, "lost"))
    after, detail = words.duration(number(data, "after_ms")), text(data, "detail", 300)
    said = f"{fault}: {back} of {lost} replaced and ready, {after} after the loss{f': {detail}' if detail else '.'}"
    if data.get("recovered") is True:
        return "fault", "pass", said
    return "fault", "fail" if over else "warn", said


_TOLD = {
    "running": "the Chaos Toolkit experiment runs.",
    "method": "its method begins.",
    "method-over": "its method is over.",
    "rollbacks": "its rollbacks begin.",
    "replayed": "rollbacks that were not played are played by us.",
    "stopping": "it is told to stop.",
    "ended": "it says that it has ended.",
}


def _told(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Tell what an experiment that ran by itself has told."""
    fault, what = text(data, "fault"), text(data, "what")
    if what == "activity":
        good = text(data, "status") == "succeeded"
        error = f": {text(data, 'error')}" if data.get("error") else "."
        sentence = f"{fault}: {text(data, 'type')} {text(data, 'name')} {text(data, 'status')}{error}"
        return "fault", "none" if good else "fail", sentence
    if what == "hypothesis":
        met = "is met" if data.get("met") is True else "is NOT met"
        return (
            "fault",
            "none" if data.get("met") is True else "fail",
            f"{fault}: its hypothesis {met} ({text(data, 'when')}).",
        )
    if what in ("signalled", "asked-to-stop", "interrupted", "refused", "stopped", "watch-failed"):
        said = text(data, "error") or text(data, "signal") or text(data, "detail")
        return "fault", "fail", f"{fault}: {what.replace('-', ' ')}" + (f": {said}" if said else ".")
    return "fault", "none", f"{fault}: {_TOLD.get(what) or what + ' ' + text(data, 'name')}"


def _reverted(data: Mapping[str, Any]) -> tuple[str, str, str]:
    fault, by = text(data, "fault"), text(data, "by")
    error = f" The revert itself complained: {text(data, 'error')}" if data.get("error") else ""
    if data.get("proven") is True:
        return "fault", "pass", f"{fault} is reverted by the {by} and proven gone.{error}"
    if data.get("proven") is not None:
        return "fault", "fail", f"{fault} is reverted by the {by}, but not proven gone.{error}"
    return "fault", "warn", f"{fault} is reported undone by the {by}; its driver has no check.{error}"


def _closed(data: Mapping[str, Any]) -> tuple[str, str, str]:
    if data.get("undone") is True:
        return "run", "pass", "The run is over; everything is undone."
    return "run", "fail", "The run is over; not everything is undone."
