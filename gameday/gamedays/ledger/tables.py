"""The tables of version 1: runs with what they proved, found and cost, and what people said. Text is bounded before it gets here."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, String, Table, Text

META = MetaData()
_RUN, _NAME = 200, 200

VERSION = Table(
    "gameday_ledger",
    META,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)
"""One row."""

RUNS = Table(
    "gameday_runs",
    META,
    Column("run", String(_RUN), primary_key=True),
    Column("title", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("started", Double, nullable=False, index=True),
    Column("ended_ms", BigInteger, nullable=False),
    Column("rate", Double),
    Column("offered", BigInteger),
    Column("completed", BigInteger),
    Column("day", Text, nullable=False),
    Column("stamp", String(64), nullable=False),
)

OBJECTIVES = Table(
    "gameday_objectives",
    META,
    Column("run", String(_RUN), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("name", String(_NAME), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("criterion", Text, nullable=False),
    Column("bad", BigInteger),
    Column("total", BigInteger),
    Column("budget", Double),
    Column("value", Double),
    Column("bound", Double),
    Column("recovery_seconds", Double),
)

OCCURRENCES = Table(
    "gameday_occurrences",
    META,
    Column("run", String(_RUN), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("saw", Text, nullable=False),
    Column("next", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("phase", Text, nullable=False),
)

DEBITS = Table(
    "gameday_debits",
    META,
    Column("run", String(_RUN), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("objective", Text, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("bad_seconds", BigInteger),
    Column("outage_ms", BigInteger),
    Column("slo", Text, nullable=False),
    Column("target", Double),
    Column("window_ms", BigInteger),
    Column("share", Double),
)

STATEMENTS = Table(
    "gameday_statements",
    META,
    Column("fingerprint", String(64), primary_key=True),
    Column("key", String(20), primary_key=True),
    Column("at", Double, primary_key=True),
    Column("origin", String(_NAME), primary_key=True),
    Column("value", Text, nullable=False),
)

OF_A_RUN = (OBJECTIVES, OCCURRENCES, DEBITS)
"""Tables whose rows belong to one run, in the order of its verdict."""
