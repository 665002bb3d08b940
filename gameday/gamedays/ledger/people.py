"""What people say of a finding now: the latest word on each key.

A findings.yaml is copied into every run, so that it repeats itself: only a *change* of what files say is a word of its own. What somebody
typed after it therefore holds until the file says something new. A key that is missing in a file says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from gameday.gamedays.ledger.facts import Statement


def said_of(statements: Iterable[Statement]) -> dict[str, dict[str, str]]:
    """Return fingerprint → key → text, of statements in any order."""
    now: dict[tuple[str, str], str] = {}
    of_files: dict[tuple[str, str], str] = {}
    for one in sorted(statements, key=lambda one: (one.at, one.by_person, one.origin, one.value)):
        about = one.fingerprint, one.key
        if not one.by_person:
            if of_files.get(about) == one.value:
                continue
            of_files[about] = one.value
        now[about] = one.value
    found: dict[str, dict[str, str]] = {}
    for (fingerprint, key), value in sorted(now.items()):
        if value:
            found.setdefault(fingerprint, {})[key] = value
    return found
