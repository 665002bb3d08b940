"""What is known of a fault's life: whether it was there, proven on, proven gone; in the closed words of docs/run-folder.md."""

from __future__ import annotations

from gameday.model import Json
from gameday_reports import words
from gameday_reports.reading import number, part, text

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


REPLACED = {
    "recovered": ("replaced", "pass"),
    "not-recovered": ("NOT replaced", "fail"),
    "unknown": ("not known whether it was replaced", "fail"),
    "not-expected": ("not expected to be replaced", "none"),
}


def replaced_of(fault: Json) -> tuple[str, str, str]:
    """Return what became of what a fault took away, in short, its tone, and in numbers; all empty where nothing is said of it."""
    found = part(fault, "recovered")
    if not found:
        return "", "none", ""
    word = text(found, "result")
    short, tone = REPLACED.get(word, (word, "warn"))
    called, proven = number(fault, "called_ms"), number(fault, "proven_ms")
    since = (
        "" if called is None or proven is None else f"loss proven {words.duration(proven - called)} after the call; "
    )
    return short, tone, f"{since}{text(found, 'detail', 600)}"


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
