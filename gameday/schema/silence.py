"""The silence of ``silence_alerts:`` what it is called in a run's records, and the fault whose undo it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SILENCE = "silence_alerts"
"""Its name in the journal: no fault may be called so."""
SILENCER = "alertmanager.silence"
"""The driver that makes it."""


def silence_of(experiment: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the silence of an experiment, as a fault of the list ``faults:``; none where nothing is silenced.

    It spans the run, so that the ``for`` is of no meaning.
    """
    alerts = tuple(experiment.get(SILENCE) or ())
    return ({"name": SILENCE, "do": SILENCER, "with": {"alerts": alerts}, "for": "1s"},) if alerts else ()
