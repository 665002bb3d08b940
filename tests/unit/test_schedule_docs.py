"""The tables of docs/schedule.md are those that the tests check."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tests.unit.test_schedule_decisions import CASES
from tests.unit.test_schedule_occurrences import CHANGES

PAGE = Path(__file__).parents[2] / "docs" / "schedule.md"


def rows_of_changes() -> list[str]:
    return [
        f"| `{cron}` | {zone} | {day:%a %Y-%m-%d} | {datetime.fromisoformat(when):%H:%M %z} |"
        for (zone, cron, day), when in CHANGES.items()
    ]


def rows_of_cases() -> list[str]:
    rows: list[str] = []
    for case, (changes, now, busy, expected) in CASES.items():
        more = ", ".join(f"`{key}: {value}`" for key, value in changes.items() if key in ("if_missed", "cron"))
        clock = f"{datetime.fromisoformat(now):%H:%M:%S}"
        rows.append(f"| {case}{f' ({more})' if more else ''} | {clock} | {expected or 'nothing yet'} |")
        assert busy == "" or "a.yaml" in expected
    return rows


def test_the_tables_are_the_tested_ones() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for rows in (rows_of_changes(), rows_of_cases()):
        at = lines.index(rows[0])
        assert lines[at : at + len(rows)] == rows
        assert not lines[at + len(rows)].startswith("|")
