"""Whether the silence around a run is proven gone: it is no fault, and leaving it behind is as bad as leaving one."""

from __future__ import annotations

from gameday.model import Run
from gameday.schema.silence import SILENCE

_ENDS = ("reverted", "revert-failed", "still-active")


def silences_left(run: Run) -> tuple[list[str], ...]:
    """Return the targets of a silence that was armed and is not known to be gone; nothing in a run that left none."""
    armed = [event for event in run.of_kind("armed") if event.data.get("fault") == SILENCE]
    if not armed:
        return ()
    ends = [event for event in run.of_kind(*_ENDS) if event.data.get("fault") == SILENCE and event.seq > armed[-1].seq]
    if ends and ends[-1].kind == "reverted":
        return ()
    return ([str(target) for target in armed[-1].data["plan"]["targets"]],)
