"""Gauges from a database, a broker, a process and a log store in one real run; and one that nobody lets in, whose secret is nowhere."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gameday_drivers.deadline import Deadline
from gameday_drivers.redis_wire import connected
from gameday_drivers.secret_url import Opened
from tests.fakes.recorded_api import Call, recorded_api
from tests.fakes.servers import redis_server
from tests.harness import Lab

pytestmark = pytest.mark.long
PASSWORD = "Sup3r-Secret-99"
RECOVER = {"within": "2s", "hold": "1s"}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    (tmp_path / "lab").mkdir()
    monkeypatch.setenv("LAB_REDIS", PASSWORD)
    return Lab(tmp_path / "lab")


def shop(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.execute("create table jobs (n)")
        connection.execute("insert into jobs values (7)")
        connection.commit()
    return f"sqlite:///{folder / 'shop.db'}"


def experiment(lab: Lab, **slis: Any) -> Path:
    document = lab.document()
    document["variables"] = {"redis": {"env": "LAB_REDIS", "secret": True}}
    document["slis"] = {name: {**entry, "every": "500ms", "timeout": "2s"} for name, entry in slis.items()}
    for name in slis:
        document["objectives"][f"{name}-small"] = {"expect": f"max({name}) < 100", "recover": RECOVER}
    return lab.write(document)


def test_gauges_of_every_sort_are_judged_in_one_run(lab: Lab, tmp_path: Path) -> None:
    def loki(call: Call) -> tuple[int, Any]:
        data = {"resultType": "scalar", "result": [float(call.query["time"]), "4"]}
        return 200, {"status": "success", "data": data}

    with redis_server(tmp_path, "--requirepass", PASSWORD) as port, recorded_api(loki) as api:
        where = Opened(scheme="redis", password=PASSWORD, host="127.0.0.1", port=port)
        with connected(where, Deadline.after(5)) as redis:
            redis.ask("RPUSH", "jobs", "a", "b", "c")
        ran = lab.measured(
            experiment(
                lab,
                rows={"sql": "select sum(n) from jobs", "url": shop(tmp_path)},
                jobs={"redis": f"redis://:${{redis}}@127.0.0.1:{port}/0", "llen": "jobs"},
                files={"process": "target", "fds": True},
                cpu={"process": "target", "cpu": True, "window": "100ms"},
                lines={"loki": api.url, "query": "sum(count_over_time({a=~'.+'}[1m]))"},
            )
        )
    assert ran.code == 0, ran.out + ran.err
    verdict = json.loads(next(lab.runs.glob("*/verdict.json")).read_text())
    values = {row["name"]: values_of(row) for row in verdict["objectives"]}
    assert values["rows-small"] == {7.0}
    assert values["jobs-small"] == {3.0}
    assert values["lines-small"] == {4.0}
    assert all(0 < value < 100 for value in values["files-small"])
    assert all(0 <= value < 2 for value in values["cpu-small"])
    assert_nowhere(lab)


def values_of(row: Any) -> set[float]:
    """Every ``value`` below an objective's row that is a number."""
    match row:
        case {**members}:
            value = members.get("value")
            own = {float(value)} if isinstance(value, (int, float)) else set[float]()
            return own.union(*(values_of(member) for member in members.values()))
        case [*items]:
            return set[float]().union(*(values_of(item) for item in items))
        case _:
            return set()


def test_who_is_not_let_in_has_no_data_and_the_secret_is_nowhere(lab: Lab, tmp_path: Path) -> None:
    with redis_server(tmp_path, "--requirepass", "another") as port:
        ran = lab.measured(experiment(lab, jobs={"redis": f"redis://:${{redis}}@127.0.0.1:{port}/0", "llen": "jobs"}))
    assert ran.code == 3, ran.out + ran.err
    assert "WRONGPASS" in "".join(path.read_text() for path in lab.runs.rglob("samples.ndjson"))
    assert PASSWORD not in ran.out + ran.err
    assert_nowhere(lab)


def assert_nowhere(lab: Lab) -> None:
    files = [path for path in lab.runs.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
