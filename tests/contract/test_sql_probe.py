from __future__ import annotations

import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gameday.spi import ProbeError, QueryError, Secrets, World
from gameday.testing import ProbeContract, Source, eventually
from gameday_drivers import sql_session
from gameday_drivers.sql_probe import SqlProbe
from tests.fakes.servers import Postgres, postgres_server

PASSWORD = "p@ss/w:rd %x"
ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"


@contextmanager
def sqlite(file: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def do(connection: Any, statement: str) -> None:
    connection.execute(statement)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop's %41 db?.sqlite"
    with sqlite(file) as connection:
        connection.execute("create table jobs (n)")
        connection.execute("insert into jobs values (3)")
    return file


def lite(file: Path, query: str = "select sum(n) from jobs", **given: Any) -> SqlProbe:
    filled: dict[str, Any] = {"url": "${db}", "timeout_": 2_000, **given}
    return SqlProbe(value=query, **filled)


def world_of(file: Path) -> World:
    path = str(file).replace("%", "%25").replace("?", "%3F")
    return World(run_id="r", secrets=Secrets(values={"db": f"sqlite:///{path}"}))


class TestSqlite(ProbeContract):
    @pytest.fixture
    def world(self, file: Path) -> World:
        return world_of(file)

    @pytest.fixture
    def source(self, file: Path) -> Iterator[Source]:
        with sqlite(file) as other:

            def value() -> float:
                return float(other.execute("select sum(n) from jobs").fetchone()[0])

            yield Source(
                probe=lite(file),
                expected=value,
                change=partial(do, other, "insert into jobs values (4.5)"),
                silence=partial(do, other, "begin exclusive"),
                spoil=partial(do, other, "drop table jobs"),
            )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select n from jobs where n > 9", "no rows of 1 column"),
        ("select 1 union select 2", "more than one row"),
        ("select 1, 2", "1 row of 2 column"),
        ("select 'three'", "str, not a number"),
        ("select x'00'", "bytes, not a number"),
        ("select 9e999", "inf, not a number that can be compared"),
        ("select nope from jobs", "no such column"),
        ("select nope(", "incomplete input"),
        ("with x as (select 1) insert into jobs select 1", "attempt to write a readonly database"),
    ],
)
def test_a_wrong_question_says_so(file: Path, query: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        lite(file, query).read(world_of(file))
    with sqlite(file) as connection:
        assert connection.execute("select n from jobs").fetchall() == [(3,)]


def test_null_is_no_data(file: Path) -> None:
    with pytest.raises(ProbeError, match="NULL") as raised:
        lite(file, "select sum(n) from jobs where n > 9").read(world_of(file))
    assert not isinstance(raised.value, QueryError)


def test_an_endless_query_is_over_within_the_time_out(file: Path) -> None:
    start = time.monotonic()
    with pytest.raises(ProbeError, match="no answer within 2 s"):
        lite(file, ENDLESS).read(world_of(file))
    assert time.monotonic() - start < 3


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="unable to open"):
        lite(tmp_path / "absent").read(world_of(tmp_path / "absent"))
    assert not (tmp_path / "absent").exists()


def test_what_looks_like_a_placeholder_is_text(file: Path) -> None:
    assert lite(file, "select count(*) from jobs where ':n %s %' like '%s%' and n % 2 = 1").read(world_of(file)) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "url is not a URL|is not a URL"),
        ("nosuchdb://u:s3cret@h/x", "does not know: nosuchdb"),
        ("mysql+pymysql://u:s3cret@h/x", "a driver that is not installed"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_secret_url_that_will_not_do_says_so_and_not_the_secret(url: str, words: str) -> None:
    with pytest.raises(QueryError, match=words) as raised:
        SqlProbe(value="select 1", url="${db}").read(World(run_id="r", secrets=Secrets(values={"db": url})))
    assert "s3cret" not in str(raised.value)
    with pytest.raises(ProbeError, match="secret 'db' is not set"):
        SqlProbe(value="select 1", url="${db}").read(World(run_id="r"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "delete from jobs"}, "^value is no query"),
        ({"value": ""}, "^value is no query"),
        ({"value": "select 1; drop table jobs"}, "^value is more than one statement"),
        ({"url": "shop.db"}, "^url is not a URL"),
        ({"url": "postgresql://u:pw@127.0.0.1/x"}, "^url has a password in it"),
        ({"url": "postgresql://127.0.0.1/x?user=u&password=pw"}, "^url has a password in it"),
        ({"url": "nosuchdb://127.0.0.1/x"}, "^url is of a kind of database"),
        ({"url": "mysql+pymysql://127.0.0.1/x"}, "^url needs a driver"),
        ({"url": "sqlite:///:memory:"}, "^url names no file"),
    ],
)
def test_what_it_refuses_begins_with_the_parameter(given: dict[str, Any], words: str) -> None:
    filled: dict[str, Any] = {"value": "select 1", "url": "${db}", **given}
    with pytest.raises(ValueError, match=words):
        SqlProbe(**filled)


def test_without_the_extra_it_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> None:
        return None

    monkeypatch.setattr(sql_session, "find_spec", found)
    with pytest.raises(ValueError, match=r"needs the extra \[sql\]; pip install"):
        SqlProbe(value="select 1", url="${db}")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with postgres_server(PASSWORD) as server:
        yield server


@contextmanager
def client(server: Postgres) -> Generator[psycopg.Connection[Any]]:
    with psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", password=PASSWORD, dbname="postgres", autocommit=True
    ) as connection:
        yield connection


def pg(server: Postgres, query: str = "select sum(n) from jobs", **given: Any) -> SqlProbe:
    url = f"postgresql://postgres:${{pw}}@127.0.0.1:{server.port}/postgres"
    filled: dict[str, Any] = {"url": url, "timeout_": 2_000, **given}
    return SqlProbe(value=query, **filled)


WORLD = World(run_id="r", secrets=Secrets(values={"pw": PASSWORD, "other": "wr0ng-one"}))


@pytest.fixture
def jobs(postgres: Postgres) -> Iterator[Postgres]:
    with client(postgres) as connection:
        connection.execute("drop table if exists jobs")
        connection.execute("create table jobs (n numeric)")
        connection.execute("insert into jobs values (3)")
        connection.execute("create sequence if not exists numbers")
    yield postgres


@pytest.mark.long
class TestPostgresql(ProbeContract):
    @pytest.fixture
    def world(self) -> World:
        return WORLD

    @pytest.fixture
    def source(self, jobs: Postgres) -> Iterator[Source]:
        with client(jobs) as other:

            def freeze() -> None:
                jobs.process.send_signal(signal.SIGSTOP)

            try:
                yield Source(
                    probe=pg(jobs),
                    expected=lambda: float(other.execute("select sum(n) from jobs").fetchall()[0][0]),
                    change=partial(do, other, "insert into jobs values (4.5)"),
                    silence=freeze,
                    spoil=partial(do, other, "drop table jobs"),
                )
            finally:
                jobs.process.send_signal(signal.SIGCONT)


@pytest.mark.long
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("with gone as (delete from jobs returning n) select count(*) from gone", "read-only transaction"),
        ("select nextval('numbers')", "read-only transaction"),
        ("select set_config('transaction_read_only', 'off', true)", "read-write mode"),
        ("select 7 into copied", "read-only transaction"),
        ("select 'NaN'::float8", "nan, not a number that can be compared"),
        ("select 'Infinity'::numeric", "inf, not a number that can be compared"),
        ("select true", "bool, not a number"),
        ("select now()", "datetime, not a number"),
        ("select n from jobs where n > 9", "no rows"),
        ("select 1 union select 2", "more than one row"),
        ("select nope", "does not exist"),
        ("select repeat('x', 3000000)", "str, not a number"),
    ],
)
def test_what_postgresql_refuses_and_what_is_no_number(jobs: Postgres, query: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        pg(jobs, query).read(WORLD)
    with client(jobs) as connection:
        assert connection.execute("select n from jobs").fetchall() == [(3,)]


@pytest.mark.long
def test_a_query_that_hangs_is_over_in_time_here_and_on_the_server(jobs: Postgres) -> None:
    start = time.monotonic()
    with pytest.raises(ProbeError, match=r"no answer within 2 s|statement timeout"):
        pg(jobs, "select count(*) from pg_sleep(60)").read(WORLD)
    assert time.monotonic() - start < 3
    assert eventually(lambda: not sleeping(jobs), 1)


def sleeping(server: Postgres) -> list[int]:
    with client(server) as connection:
        found = connection.execute(
            "select pid from pg_stat_activity where query like 'select count(%pg_sleep%' and state = 'active'"
        )
        return [pid for (pid,) in found.fetchall()]


@pytest.mark.long
def test_a_server_that_stops_in_the_middle_holds_no_thread(jobs: Postgres, capfd: Any, caplog: Any) -> None:
    """Nothing but our own deadline ends this: the server's kernel goes on to acknowledge, and its timer has stopped."""
    failures: list[Exception] = []

    def read() -> None:
        try:
            pg(jobs, "select count(*) from pg_sleep(30)", timeout_=3_000).read(WORLD)
        except ProbeError as error:
            failures.append(error)

    thread = threading.Thread(target=read)
    start = time.monotonic()
    thread.start()
    assert eventually(lambda: bool(sleeping(jobs)))
    stopped = sleeping(jobs)
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        with caplog.at_level(logging.WARNING):
            thread.join(10)
        took = time.monotonic() - start
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    assert took < 4
    assert "no answer within 3 s" in str(failures)
    assert (capfd.readouterr().err, caplog.records) == ("", [])


@pytest.mark.long
def test_wrong_credentials_are_missing_and_the_password_is_never_said(jobs: Postgres) -> None:
    url = f"postgresql://postgres:${{other}}@127.0.0.1:{jobs.port}/postgres"
    probe = pg(jobs, url=url)
    with pytest.raises(ProbeError, match="password authentication failed") as raised:
        probe.read(WORLD)
    assert "wr0ng-one" not in str(raised.value) + repr(probe)


@pytest.mark.long
def test_a_refused_connection_is_missing_and_the_password_is_never_said() -> None:
    world = World(run_id="r", secrets=Secrets(values={"db": "postgresql://u:s%40cret@127.0.0.1:1/x"}))
    with pytest.raises(ProbeError, match="refused") as raised:
        SqlProbe(value="select 1", url="${db}").read(world)
    assert "s%40cret" not in str(raised.value)
    assert "s@cret" not in str(raised.value)
