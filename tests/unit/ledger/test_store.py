"""The ledger in its database: what is written is read again, once, by whoever and however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gameday.gamedays.ledger.address import LedgerError, configured, find_ledger
from gameday.gamedays.ledger.book import Contents, add, contents, record, say
from gameday.gamedays.ledger.facts import Debit, Read, RunFacts, Statement
from gameday.gamedays.ledger.lifecycle import findings_of
from gameday.gamedays.ledger.store import Store
from tests.fakes.ledger import BROKEN, LATE, run

DEBIT = Debit(
    objective="available", bad=3, total=900, bad_seconds=2, outage_ms=40, slo="x", target=0.99, window_ms=2_592_000_000
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    opened = Store.open(find_ledger(str(file)))
    yield opened
    opened.close()


def read(facts: RunFacts, *statements: Statement) -> Read:
    return Read(facts=facts, statements=statements)


def said(value: str, at: float, origin: str, key: str = "owner") -> Statement:
    return Statement(fingerprint=BROKEN, key=key, value=value, at=at, origin=origin)


def test_what_goes_in_comes_out(store: Store) -> None:
    facts = run(2, "fail", BROKEN, LATE, debits=[DEBIT], variant=(("a", "1"), ("b", "2")), rate=None, offered=2**40)
    remark = said("team", 2, f"run:{facts.run}")
    assert record(store, read(facts, remark))
    earlier = run(1)
    assert record(store, read(earlier))
    assert contents(store) == Contents(runs=(earlier, facts), statements=(remark,))


def test_the_runs_of_one_experiment_come_out_alone(store: Store) -> None:
    mine = [run(at, "fail", BROKEN, title="Mine", debits=[DEBIT]) for at in range(3)]
    for facts in (*mine, run(9, "fail", LATE, title="Yours")):
        record(store, read(facts))
    assert contents(store, "Mine").runs == tuple(mine)
    assert contents(store, "Nobody's").runs == ()


def test_the_same_run_again_is_nothing(store: Store) -> None:
    facts = run(1, "fail", BROKEN)
    assert [record(store, read(facts)) for _ in range(3)] == [True, False, False]
    assert contents(store).runs == (facts,)


def test_a_run_that_was_judged_anew_takes_its_own_place(store: Store) -> None:
    record(store, read(run(1, "fail", BROKEN, LATE), said("old", 1, "run:000010-run")))
    anew = run(1, "pass", proven={"available": "pass"})
    assert record(store, read(anew, said("new", 1, "run:000010-run")))
    held = contents(store)
    assert held.runs == (anew,)
    assert [one.value for one in held.statements] == ["new"]


def test_a_findings_file_twice_is_once(store: Store) -> None:
    statements = [said("a", 1, "file:x"), said("2026-01-01", 1, "file:x", "due")]
    assert (add(store, statements), add(store, statements)) == (2, 0)


def test_a_persons_word_is_later_than_all_before_it_whatever_the_clocks_say(store: Store) -> None:
    record(store, read(run(1, "fail", BROKEN)))
    add(store, [said("from-tomorrow", 1e9, "file:x")])
    say(store, BROKEN, {"owner": "me", "ticket": "T-1"}, by="me", now=5.0)
    say(store, BROKEN, {"owner": "you"}, by="me", now=4.0)
    held = contents(store)
    (found,) = findings_of(held.runs, held.statements)
    assert found.said == {"owner": "you", "ticket": "T-1"}


ENDINGS = st.tuples(st.sampled_from(["pass", "fail", "inconclusive"]), st.sets(st.sampled_from([BROKEN, LATE])))


@given(series=st.lists(ENDINGS, min_size=1, max_size=5), data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_order_of_imports_gives_the_same_ledger(series: list[tuple[str, set[str]]], data: st.DataObject) -> None:
    reads = [
        read(run(at, verdict, *sorted(found), debits=[DEBIT]), said(f"owner-{at // 2}", at, f"run:{at}"))
        for at, (verdict, found) in enumerate(series)
    ]
    order = data.draw(st.permutations([*reads, *data.draw(st.lists(st.sampled_from(reads), max_size=3))]))
    with TemporaryDirectory() as folder:
        store = Store.open(find_ledger(f"{folder}/x.db"))
        for one in order:
            record(store, one)
        held = contents(store)
        store.close()
    expected = Contents(
        runs=tuple(one.facts for one in reads), statements=tuple(said for one in reads for said in one.statements)
    )
    assert held == expected
    assert findings_of(held.runs, held.statements) == findings_of(expected.runs, expected.statements)


def add_column(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE gameday_runs ADD COLUMN region TEXT DEFAULT 'eu'"))


def break_off(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE gameday_runs ADD COLUMN half TEXT"))
    connection.execute(text("DELETE FROM gameday_runs"))
    raise KeyboardInterrupt


def columns(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(gameday_runs)")}


def test_an_older_ledger_is_upgraded_with_its_rows(file: Path, store: Store) -> None:
    facts = run(1, "fail", BROKEN)
    record(store, read(facts))
    upgraded = Store.open(find_ledger(str(file)), upgrades=[add_column])
    assert "region" in columns(file)
    assert contents(upgraded).runs == (facts,)
    Store.open(find_ledger(str(file)), upgrades=[add_column]).close()


def test_an_upgrade_that_breaks_off_leaves_the_ledger_as_it_was(file: Path, store: Store) -> None:
    record(store, read(run(1, "fail", BROKEN)))
    before = columns(file)
    with pytest.raises(KeyboardInterrupt):
        Store.open(find_ledger(str(file)), upgrades=[add_column, break_off])
    assert columns(file) == before
    assert len(contents(Store.open(find_ledger(str(file)))).runs) == 1


def test_a_newer_ledger_is_refused_and_not_touched(file: Path, store: Store) -> None:
    Store.open(find_ledger(str(file)), upgrades=[add_column, lambda _: None]).close()
    before = file.read_bytes()
    with pytest.raises(LedgerError, match="written by a newer gameday: its tables are version 3, this one knows 1"):
        Store.open(find_ledger(str(file)))
    assert file.read_bytes() == before


def test_a_ledger_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Store.open(find_ledger(str(tmp_path / "none" / "x.db")), make=False)
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty.db").touch()
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Store.open(find_ledger(str(tmp_path / "empty.db")), make=False)


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database at all " * 100)
    with pytest.raises(LedgerError, match="cannot be used: file is not a database"):
        Store.open(find_ledger(str(tmp_path / "x.db")))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot make"):
        Store.open(find_ledger(str(tmp_path / "file" / "x.db")))


def test_who_waits_too_long_for_another_writer_is_told(file: Path, store: Store) -> None:
    impatient = Store.open(find_ledger(str(file)), patience=0.2)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="database is locked"):
            record(impatient, read(run(1)))
        assert contents(impatient).runs == (), "a reader waits for nobody"
        other.execute("ROLLBACK")
    assert record(impatient, read(run(1)))


def test_where_the_ledger_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    own = find_ledger(environ={})
    assert (own.file, own.chosen) == (tmp_path / "state" / "ledger.db", False)
    assert find_ledger(environ={"GAMEDAY_LEDGER": "x.db"}).file == Path("x.db").absolute()
    assert find_ledger("y.db", {"GAMEDAY_LEDGER": "x.db"}).file == Path("y.db").absolute()
    assert find_ledger("sqlite:////tmp/z.db").file == Path("/tmp/z.db")
    with pytest.raises(LedgerError, match="switched off"):
        find_ledger(environ={"GAMEDAY_LEDGER": "off"})


def test_when_runs_are_noted_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path))
    assert not configured({})
    assert configured({"GAMEDAY_LEDGER": "x.db"})
    (tmp_path / "ledger.db").touch()
    assert configured({})
    assert not configured({"GAMEDAY_LEDGER": "off"})


SECRET = "p@ss/w:rd"
URLS = (
    "postgresql://gameday:p%40ss%2Fw%3Ard@127.0.0.1:1/gameday",
    "postgresql://127.0.0.1:1/gameday?user=gameday&password=p%40ss%2Fw%3Ard",
)


@pytest.mark.parametrize("url", URLS)
def test_a_secret_is_nowhere_to_be_seen(url: str) -> None:
    found = find_ledger(environ={"GAMEDAY_LEDGER": url})
    assert found.shown == "postgresql://127.0.0.1:1/gameday"
    assert SECRET not in repr(found)
    assert found.mask(f"no {SECRET} and no p%40ss%2Fw%3Ard") == "no *** and no ***"
    with pytest.raises(LedgerError, match="cannot be used") as error:
        Store.open(found, patience=0.1)
    assert SECRET not in str(error.value) + error.value.hint
    assert "p%40ss" not in str(error.value)
    with pytest.raises(LedgerError, match="password on the command line"):
        find_ledger(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gameday://", "knows no database of the kind 'gameday'"),
        ("://", "no URL"),
        ("sqlite://", "names no file"),
        ("mysql+nothere://h/d", "knows no database of the kind"),
        ("oracle+oracledb://h/d", "a driver that is not installed: oracledb"),
    ],
)
def test_an_address_that_is_wrong_is_told(url: str, says: str) -> None:
    with pytest.raises(LedgerError, match=says):
        find_ledger(url)
