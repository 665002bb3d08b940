"""The one number in a text: all of it, but for white space around it."""

from __future__ import annotations

import re

from gameday_drivers.jsonpath import finite

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST = 400
_SHOWN = 60


def read_number(text: bytes) -> float:
    """Return the number that ``text`` is; raise ValueError for anything more, less or else."""
    stripped = text.strip()
    if not stripped:
        raise ValueError("there is nothing where a number should be")
    if len(stripped) > _LONGEST or not _NUMBER.fullmatch(stripped):
        said = stripped[:_SHOWN].decode(errors="replace")
        printable = "".join(c if c.isprintable() else "?" for c in said)
        raise ValueError(f"not one number: {printable!r}" + ("…" if len(stripped) > _SHOWN else ""))
    return finite(float(stripped), "it")
