"""How a fault is undone, and by whom when the one who should undo it is gone: in words, for `gameday plan`."""

from __future__ import annotations

from gameday.model import Plan
from gameday.spi import Driver
from gameday.undo.deaths import BOTH, HUNG, KILLED, REBOOT, deaths
from gameday.undo.guardian import LEASE_SECONDS

_BY_ITSELF = {
    KILLED: "its watchdog, at once",
    HUNG: f"its watchdog, within {LEASE_SECONDS:g} s",
    BOTH: "it ends by itself",
    REBOOT: "it is gone with the machine, or its lease is over",
}


def undo_words(driver: Driver) -> str:
    """Say how the fault ends in order."""
    if not driver.reversible:
        return "cannot be undone"
    return (
        "reverted, and measured as gone" if driver.provable else "reverted; there is no check, so at best inconclusive"
    )


def survives(driver: Driver, plan: Plan) -> list[dict[str, str | bool]]:
    """Return each death with whether the fault is gone afterwards without anybody doing anything, and who undoes it.

    Nothing for a fault that cannot be undone. A target that is not started yet has no plan that says more than its name; what the
    driver cannot tell from it counts as not survived.
    """
    if not driver.reversible:
        return []
    try:
        gone = deaths(driver, plan)
    except LookupError:
        gone = {KILLED: True, HUNG: True, BOTH: False, REBOOT: False}
    return [
        {"death": death, "gone": undone, "undone_by": _BY_ITSELF[death] if undone else "gameday recover RUN"}
        for death, undone in gone.items()
    ]
