"""The ledger as the rest of gameday sees it: runs go in whole and once, statements are added, and everything comes out as facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from gameday.gamedays.ledger.facts import (
    Debit,
    ObjectiveFacts,
    Occurrence,
    Read,
    RunFacts,
    Statement,
    variant_of,
)
from gameday.gamedays.ledger.store import Store
from gameday.gamedays.ledger.tables import DEBITS, OBJECTIVES, OCCURRENCES, OF_A_RUN, RUNS, STATEMENTS

Part = TypeVar("Part", ObjectiveFacts, Occurrence, Debit)
_MOST_VALUES = 500
_TICK = 1e-6
"""Seconds by which a person's word is later than what was said before it, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that a ledger holds, at one moment."""

    runs: tuple[RunFacts, ...]
    """In the order in which they began."""
    statements: tuple[Statement, ...]


def record(store: Store, read: Read) -> bool:
    """Note a run; return whether anything changed. The same run again is nothing; judged anew since, it takes its own place."""
    return store.write(lambda connection: put(connection, read))


def add(store: Store, statements: Sequence[Statement]) -> int:
    """Add what a findings.yaml says; return how much of it was not there yet."""
    return store.write(lambda connection: _add(connection, statements))


def say(store: Store, fingerprint: str, said: Mapping[str, str], *, by: str, now: float) -> None:
    """Note what a person says of a finding, by key; it holds from now on, whatever clock earlier statements were made by."""
    store.write(lambda connection: _say(connection, fingerprint, said, by=by, now=now))


def contents(store: Store, title: str | None = None) -> Contents:
    """Read everything, or all runs of the experiment of that title and what anybody said."""
    return store.read(lambda connection: _contents(connection, title))


def put(connection: Connection, read: Read) -> bool:
    """Note a run within the transaction that is open, and what its findings.yaml said; return whether anything changed."""
    run = read.facts
    stamp = connection.scalar(select(RUNS.c.stamp).where(RUNS.c.run == run.run))
    if stamp == run.stamp:
        return False
    row = _row(run)
    if stamp is None:
        connection.execute(insert(RUNS).values(row))
    else:
        connection.execute(update(RUNS).where(RUNS.c.run == run.run).values(row))
        for table in OF_A_RUN:
            connection.execute(delete(table).where(table.c.run == run.run))
        connection.execute(delete(STATEMENTS).where(STATEMENTS.c.origin == f"run:{run.run}"))
    parts: Sequence[tuple[Table, Sequence[ObjectiveFacts | Occurrence | Debit]]] = (
        (OBJECTIVES, run.objectives),
        (OCCURRENCES, run.findings),
        (DEBITS, run.debits),
    )
    for table, rows in parts:
        placed = [{"run": run.run, "place": place, **asdict(row)} for place, row in enumerate(rows)]
        if placed:
            connection.execute(insert(table), placed)
    _add(connection, read.statements)
    return True


def _add(connection: Connection, statements: Sequence[Statement]) -> int:
    origins = {statement.origin for statement in statements}
    known = {
        (row.fingerprint, row.key, row.at, row.origin)
        for row in connection.execute(select(STATEMENTS).where(STATEMENTS.c.origin.in_(origins)))
    }
    rows = [asdict(one) for one in statements if (one.fingerprint, one.key, one.at, one.origin) not in known]
    if rows:
        connection.execute(insert(STATEMENTS), rows)
    return len(rows)


def _say(connection: Connection, fingerprint: str, said: Mapping[str, str], *, by: str, now: float) -> None:
    before = connection.scalars(select(STATEMENTS.c.at).where(STATEMENTS.c.fingerprint == fingerprint)).all()
    at = max([now, *(earlier + _TICK for earlier in before)])
    connection.execute(
        insert(STATEMENTS),
        [
            {"fingerprint": fingerprint, "key": key, "value": value, "at": at, "origin": f"person:{by}"}
            for key, value in said.items()
        ],
    )


def _contents(connection: Connection, title: str | None) -> Contents:
    wanted = select(RUNS) if title is None else select(RUNS).where(RUNS.c.title == title)
    rows = connection.execute(wanted).mappings().all()
    names = None if title is None else [row["run"] for row in rows]
    objectives = _parts(connection, OBJECTIVES, ObjectiveFacts, names)
    findings = _parts(connection, OCCURRENCES, Occurrence, names)
    debits = _parts(connection, DEBITS, Debit, names)
    said = connection.execute(select(STATEMENTS)).mappings().all()
    runs = [
        _run(row, objectives.get(row["run"], ()), findings.get(row["run"], ()), debits.get(row["run"], ()))
        for row in rows
    ]
    statements = [Statement(**row) for row in said]
    return Contents(
        runs=tuple(sorted(runs, key=lambda run: run.order)),
        statements=tuple(sorted(statements, key=lambda one: (one.at, one.origin, one.fingerprint, one.key))),
    )


def _parts(
    connection: Connection, table: Table, kind: type[Part], runs: Sequence[str] | None
) -> dict[str, tuple[Part, ...]]:
    """Return the rows of a table by their run, in their places; of all runs, or of those that are named."""
    names = [one.name for one in fields(kind)]
    wanted = select(table).order_by(table.c.run, table.c.place)
    found: dict[str, list[Part]] = {}
    for some in [None] if runs is None else _chunks(runs):
        for row in connection.execute(wanted if some is None else wanted.where(table.c.run.in_(some))).mappings():
            found.setdefault(row["run"], []).append(kind(**{name: row[name] for name in names}))
    return {run: tuple(parts) for run, parts in found.items()}


def _chunks(runs: Sequence[str]) -> list[Sequence[str]]:
    """Databases bound how many values one question may have."""
    return [runs[first : first + _MOST_VALUES] for first in range(0, len(runs), _MOST_VALUES)]


def _row(run: RunFacts) -> dict[str, Any]:
    return {
        **{column.name: getattr(run, column.name) for column in RUNS.columns},
        "variant": json.dumps(dict(run.variant)),
        "reasons": json.dumps(run.reasons),
    }


def _run(
    row: RowMapping,
    objectives: tuple[ObjectiveFacts, ...],
    findings: tuple[Occurrence, ...],
    debits: tuple[Debit, ...],
) -> RunFacts:
    plain = {name: value for name, value in row.items() if name not in ("variant", "reasons")}
    return RunFacts(
        **plain,
        variant=variant_of(json.loads(row["variant"])),
        reasons=tuple(json.loads(row["reasons"])),
        objectives=objectives,
        findings=findings,
        debits=debits,
    )
