"""Four writers at once, killed at random and started again: no finding is lost, none is doubled."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import Connection, create_engine, text

from gameday.gamedays.ledger import book
from gameday.gamedays.ledger.address import LedgerError, find_ledger
from gameday.gamedays.ledger.book import Contents, contents, record, say
from gameday.gamedays.ledger.facts import Read, RunFacts, Statement
from gameday.gamedays.ledger.lifecycle import findings_of
from gameday.gamedays.ledger.store import Store
from gameday.gamedays.ledger.tables import META
from tests.fakes.ledger import BROKEN, run
from tests.fakes.servers import postgres_server
from tests.harness import ROOT

WRITERS, RUNS, KILLS = 4, 16, 4
PASSWORD = "p@ss/w:rd %x"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_server(PASSWORD) as server:
        yield f"postgresql://postgres:p%40ss%2Fw%3Ard%20%25x@127.0.0.1:{server.port}/postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    url: str = request.getfixturevalue("postgres")
    yield url
    empty(url)


def empty(url: str) -> None:
    engine = create_engine(find_ledger(environ={"GAMEDAY_LEDGER": url}).url)
    META.drop_all(engine)
    engine.dispose()


def store_of(url: str) -> Store:
    return Store.open(find_ledger(environ={"GAMEDAY_LEDGER": url}))


def all_reads(chance: random.Random) -> list[Read]:
    """Runs of four experiments, most of them with findings that others have, too."""
    reads: list[Read] = []
    for at in range(RUNS):
        verdict = chance.choice(["pass", "fail", "fail", "inconclusive"])
        names = [f"{at % 4}{n}" * 8 for n in range(4) if verdict != "pass" and chance.random() < 0.6]
        facts = run(at, verdict, *names, title=f"Experiment {at % 4}")
        remarks = [
            Statement(fingerprint=name, key="owner", value=f"team-{at}", at=float(at), origin=f"run:{facts.run}")
            for name in names
        ]
        reads.append(Read(facts=facts, statements=tuple(remarks)))
    return reads


def writer(url: str, file: Path, reads: Sequence[Read]) -> subprocess.Popen[bytes]:
    file.write_bytes(pickle.dumps(list(reads)))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.ledger_writer", str(file)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "GAMEDAY_LEDGER": url},
    )


def lines(stream: IO[bytes] | None) -> list[bytes]:
    assert stream is not None
    return stream.read().splitlines()


@pytest.mark.long
@pytest.mark.timeout(150)
def test_four_writers_killed_at_random_lose_and_double_nothing(ledger: str, tmp_path: Path) -> None:
    chance = random.Random(9)
    reads = all_reads(chance)
    living = {n: writer(ledger, tmp_path / f"{n}", chance.sample(reads, RUNS)) for n in range(WRITERS)}
    try:
        for kill in range(KILLS):
            number = kill % WRITERS
            stream = living[number].stdout
            assert stream is not None
            for _ in range(chance.randrange(4)):
                stream.readline()
            time.sleep(chance.random() / 50)  # anywhere in a transaction, or between two
            living[number].send_signal(signal.SIGKILL)
            living[number].wait()
            stream.close()
            living[number] = writer(ledger, tmp_path / f"again-{kill}", chance.sample(reads, RUNS))
        for process in living.values():
            assert len(lines(process.stdout)) == RUNS, "each tells of each run"
            assert process.wait() == 0
    finally:
        for process in living.values():
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    held = contents(store_of(ledger))
    assert held.runs == tuple(one.facts for one in reads)
    assert set(held.statements) == {said for one in reads for said in one.statements}
    assert len(held.statements) == sum(len(one.statements) for one in reads)
    expected = findings_of((one.facts for one in reads), held.statements)
    assert findings_of(held.runs, held.statements) == expected
    assert {one.state for one in expected} >= {"open", "closed"}
    assert len(expected) > 8


def test_a_killed_writer_leaves_a_run_whole_or_not_at_all(ledger: str) -> None:
    store = store_of(ledger)

    def interrupted(facts: RunFacts) -> None:
        def change(connection: Connection) -> None:
            book.put(connection, Read(facts=facts))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.write(change)

    interrupted(run(1, "fail", BROKEN))
    assert contents(store) == Contents(runs=(), statements=())
    assert record(store, Read(facts=run(1, "fail", BROKEN)))
    interrupted(run(1, "pass"))
    assert contents(store).runs == (run(1, "fail", BROKEN),)


def test_what_goes_in_comes_out_and_a_person_adds_to_it(ledger: str) -> None:
    store, facts = store_of(ledger), run(1, "fail", BROKEN, offered=2**40, rate=0.1, variant=(("a", "é '%s\u202e"),))
    assert [record(store, Read(facts=facts)) for _ in range(2)] == [True, False]
    say(store, BROKEN, {"owner": "me"}, by="me", now=2.0)
    held = contents(store)
    assert held.runs == (facts,)
    (found,) = findings_of(held.runs, held.statements)
    assert found.said == {"owner": "me"}


def test_a_newer_ledger_is_refused_and_an_upgrade_that_breaks_off_leaves_it_as_it_was(ledger: str) -> None:
    def column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE gameday_runs ADD COLUMN region TEXT"))

    def broken(connection: Connection) -> None:
        column(connection)
        raise KeyboardInterrupt

    record(store_of(ledger), Read(facts=run(1, "fail", BROKEN)))
    address = find_ledger(environ={"GAMEDAY_LEDGER": ledger})
    with pytest.raises(KeyboardInterrupt):
        Store.open(address, upgrades=[broken])
    Store.open(address, upgrades=[column])
    assert contents(Store.open(address, upgrades=[column])).runs == (run(1, "fail", BROKEN),)
    with pytest.raises(LedgerError, match="newer gameday: its tables are version 2, this one knows 1"):
        store_of(ledger)


def test_a_wrong_password_is_told_and_not_shown(postgres: str) -> None:
    address = find_ledger(environ={"GAMEDAY_LEDGER": postgres.replace("p%40ss", "no-p%40ss")})
    with pytest.raises(LedgerError, match="password authentication failed") as error:
        Store.open(address, patience=50)
    assert "p@ss" not in str(error.value)


def test_a_server_that_is_gone_is_told(tmp_path: Path) -> None:
    address = find_ledger("postgresql://gameday@127.0.0.1:1/gameday")
    with pytest.raises(LedgerError, match="cannot be used"):
        Store.open(address, patience=1)
