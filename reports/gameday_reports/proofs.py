"""What is known of a fault's life: whether it was there, proven on, proven gone; in the closed words of docs/run-folder.md."""

from __future__ import annotations

from gameday.model import Json
from gameday_reports.reading import number, text

PROOFS = {
    "proven": ("proven on", "pass"), "unproven": ("not proven on", "fail"), "no-check": ("no check: not proven", "warn")
}  # fmt: skip


UNDOS = {
    "proven": ("proven gone", "pass"),
    "reported": ("reported undone, no check", "warn"),
    "unproven": ("reported undone, NOT proven gone", "fail"),
    "failed": ("NOT proven gone: the revert failed", "fail"),
    "pending": ("NOT proven gone: no record of a revert", "fail"),
    "not-needed": ("nothing to revert", "none"),
}


def injected(fault: Json) -> bool:
    """Whether inject was ever called, so that something may have been touched."""
    return number(fault, "called_ms") is not None


def touched(fault: Json) -> bool:
    """Whether it was armed or injected, or its undo leaves a doubt: safety has to speak of it."""
    return injected(fault) or number(fault, "armed_ms") is not None or undo_of(fault) != "not-needed"


def undo_of(fault: Json) -> str:
    """Return the state of a fault's undo, one of the words of docs/run-folder.md; what is not said is pending."""
    return text(fault, "undo") or "pending"


NOT_GONE = ("unproven", "failed", "pending")
