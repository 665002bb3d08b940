"""The table of docs/verdicts.md: how it is written, and what a committed one says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.falsegreen.ways import WAYS, Ended, Way

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"
BEGIN, END = "<!-- bench/false_green.py -->", "<!-- end -->"
_BLOCK = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
_ROW = re.compile(r"^\| (?P<says>.+?) \| (?P<peer>-?\d+) \| (?P<code>-?\d+) \| (?P<why>.+?) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way, and what both tools came to."""

    says: str
    peer: int
    ours: Ended


def table(rows: Iterable[Row], versions: str) -> str:
    """Write the table, with what it was measured on below it."""
    lines = ["| what happened | `chaos run` | `gameday run` | its verdict and reasons |", "|---|---|---|---|"]
    lines += [f"| {row.says} | {row.peer} | {row.ours.code} | {row.ours.says} |" for row in rows]
    return "\n".join([*lines, "", f"Measured with {versions}.", ""])


def rewrite(text: str, new: str) -> str:
    """Put a new table into the page; raise ValueError when it has no place for one."""
    if len(_BLOCK.findall(text)) != 1:
        raise ValueError(f"the page needs one block from {BEGIN} to {END}")
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{new}{END}", text)


def kept() -> dict[str, Row]:
    """Return the rows that the page has, by the words of the way."""
    block = _BLOCK.search(PAGE.read_text())
    return {
        found["says"]: Row(
            says=found["says"], peer=int(found["peer"]), ours=Ended(code=int(found["code"]), says=found["why"])
        )
        for found in (_ROW.finditer(block[0]) if block else ())
    }


def committed() -> dict[str, tuple[int, int]]:
    """Return the exit codes of either tool that the page has, by the words of the way."""
    return {says: (row.peer, row.ours.code) for says, row in kept().items()}


def ways(names: Iterable[str]) -> tuple[Way, ...]:
    """Return the ways of these names, all for none; raise ValueError for one that there is not."""
    wanted = tuple(names)
    unknown = set(wanted) - {way.name for way in WAYS}
    if unknown:
        raise ValueError(f"no such way: {', '.join(sorted(unknown))}; there are {', '.join(way.name for way in WAYS)}")
    return tuple(way for way in WAYS if not wanted or way.name in wanted)
