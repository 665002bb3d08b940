"""How a fault is undone, and by whom when the one who should undo it is gone: in words, for `gameday plan`."""

from __future__ import annotations

from gameday.spi import Driver
from gameday.undo.guardian import LEASE_SECONDS

_OWNED = ("process.", "proxy.")
"""Faults of kernel and processes: they are gone with the machine, or with the process that holds them."""


def undo_words(driver: Driver) -> str:
    """Say how the fault ends in order."""
    if not driver.reversible:
        return "cannot be undone"
    return (
        "reverted, and measured as gone" if driver.provable else "reverted; there is no check, so at best inconclusive"
    )


def survives(driver: Driver) -> list[dict[str, str]]:
    """Return each death with who undoes the fault then, in the order of how likely they are."""
    if not driver.reversible:
        return []
    rebooted = (
        "gone with the machine" if driver.name.startswith(_OWNED) else "gameday recover RUN, unless the reboot undid it"
    )
    return [
        {"death": "Ctrl-C, a signal, the terminal closed", "undone_by": "the run itself"},
        {"death": "the runner killed", "undone_by": "its watchdog, at once"},
        {"death": "the runner hung", "undone_by": f"its watchdog, within {LEASE_SECONDS:g} s"},
        {"death": "runner and watchdog killed", "undone_by": "gameday recover RUN"},
        {"death": "the machine lost", "undone_by": rebooted},
    ]
